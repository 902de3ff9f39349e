"""Processes that publish one commit at the same time: what was not forgotten since stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.sample_repository import (
    SMALL,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

TABLES = {("shop", "orders"): sample_rows(20)}


def test_who_publishes_beside_another_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    Repository.create(LocalStorage(place), None, SMALL).close()
    storage = LocalStorage(place)
    create = storage.create
    seen: list[int] = []

    def create_and_be_overtaken(name: str, data: bytes, **options: bool) -> None:
        create(name, data, **options)
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


def test_who_undeletes_beside_a_reader_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    with Repository.create(LocalStorage(place), None, SMALL) as repository:
        snapshot = take_snapshot(repository, TABLES, 1)
        repository.forget(snapshot)
    storage = LocalStorage(place)
    create = storage.create

    def create_and_be_overtaken(name: str, data: bytes, **options: bool) -> None:
        create(name, data, **options)
        if name.startswith("snapshots/"):
            assert len(open_plain(LocalStorage(place)).snapshots()) == 1

    monkeypatch.setattr(storage, "create", create_and_be_overtaken)
    open_plain(storage).trash.take_back("latest")
    again = open_plain(LocalStorage(place))
    assert [one.id for one in again.snapshots()] == [snapshot.id]
    assert read_snapshot(again, snapshot) == TABLES
    assert again.trash.listings() == []


def test_who_publishes_what_was_forgotten_and_pruned_does_not_bring_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    with Repository.create(LocalStorage(place), None, SMALL) as repository:
        kept = take_snapshot(repository, {("shop", "items"): sample_rows(9, salt="i")}, 0)
        with monkeypatch.context() as patched:
            # A run that is killed right behind its compare-and-swap.
            patched.setattr(SnapshotStore, "publish", lambda self, document: None)
            take_snapshot(repository, TABLES, 1)
    slow = LocalStorage(place)
    create = slow.create

    def pause_and_create(name: str, data: bytes, **options: bool) -> None:
        if name.startswith("snapshots/"):
            with open_plain(LocalStorage(place)) as other:
                other.forget(other.find("latest"))
                prune(other, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
                assert other.snapshots() == [kept]
        create(name, data, **options)

    monkeypatch.setattr(slow, "create", pause_and_create)
    open_plain(slow).snapshots()
    again = open_plain(LocalStorage(place))
    assert again.snapshots() == [kept]
    assert check(again, True, SilentMonitor()).errors == []
