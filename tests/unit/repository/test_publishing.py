"""Two processes that publish one commit at the same time: the snapshot stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL, open_plain, put_all, read_snapshot, sample_rows

TABLES = {("shop", "orders"): sample_rows(20)}


def test_who_publishes_beside_another_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    Repository.create(LocalStorage(place), None, SMALL).close()
    storage = LocalStorage(place)
    create = storage.create
    seen: list[int] = []

    def create_and_be_overtaken(name: str, data: bytes) -> None:
        create(name, data)
        if name.startswith("snapshots/"):
            # Another process lists just now, completes the commit, and removes the session.
            seen.append(len(open_plain(LocalStorage(place)).snapshots()))

    monkeypatch.setattr(storage, "create", create_and_be_overtaken)
    repository = open_plain(storage)
    with repository.begin("test", SilentMonitor()) as session:
        snapshot = session.commit(put_all(session, repository, TABLES, 1))
    assert seen == [1]
    again = open_plain(LocalStorage(place))
    assert [one.id for one in again.snapshots()] == [snapshot.id]
    assert read_snapshot(again, snapshot) == TABLES
