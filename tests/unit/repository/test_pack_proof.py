"""A pack that does not read back from memory is not written, and its run fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.errors import RepositoryError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.packs.pack import PACK_HEADER_BYTES, OpenPack
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from support.sample_repository import (
    CHEAP,
    SMALL,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

TABLES = {("shop", "orders"): sample_rows(50)}
PLACES = {
    "salt": PACK_HEADER_BYTES - 1,
    "frame's id": PACK_HEADER_BYTES + 20,
    "payload": PACK_HEADER_BYTES + 60,
    "footer": -40,
    "footer's length": -12,
    "end": -1,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("password", [None, b"p"], ids=["clear", "encrypted"])
def test_a_bit_that_flips_before_the_write(
    place: str, password: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(tmp_path / "place")
    repository = Repository.create(storage, password, SMALL, CHEAP)
    finish = OpenPack.finish

    def finish_and_flip(pack: OpenPack) -> memoryview:
        data = finish(pack)
        data[PLACES[place]] ^= 4
        return data

    with monkeypatch.context() as patched:
        patched.setattr(OpenPack, "finish", finish_and_flip)
        with (
            pytest.raises(RepositoryError, match="does not read back from memory"),
            repository.begin("test", SilentMonitor()) as session,
        ):
            session.commit(put_all(session, repository, TABLES, 0))
    assert storage.list("packs/") == []
    assert repository.snapshots() == []
    snapshot = take_snapshot(repository, TABLES)
    assert read_snapshot(repository, snapshot) == TABLES
    assert check(repository, True, SilentMonitor()).errors == []


def test_a_frame_that_was_sealed_in_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every tag holds, yet the footer lists other blocks than the index is going to."""
    repository = Repository.create(LocalStorage(tmp_path / "place"), None, SMALL)
    finish = OpenPack.finish

    def finish_and_forget(pack: OpenPack) -> memoryview:
        data = finish(pack)
        pack.entries[0] = pack.entries[0]._replace(raw_bytes=pack.entries[0].raw_bytes + 1)
        return data

    monkeypatch.setattr(OpenPack, "finish", finish_and_forget)
    with (
        pytest.raises(RepositoryError, match="does not list"),
        repository.begin("test", SilentMonitor()) as session,
    ):
        session.commit(put_all(session, repository, TABLES, 0))
