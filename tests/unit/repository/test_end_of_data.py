"""The last data blocks of a session: written before its commit, while it goes on."""

from __future__ import annotations

import threading

import pytest

from rowvault.core.errors import StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage.protocol import Content
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, open_plain, put_all, read_snapshot, sample_rows

TABLES = {("shop", "orders"): sample_rows(20)}
WAIT_S = 60


class TellingStorage(MemoryStorage):
    """Tells when a data pack is there; fails instead if it is told to."""

    def __init__(self, objects: dict[str, bytes], fails: bool = False) -> None:
        super().__init__(objects)
        self.reached = threading.Event()
        self._fails = fails

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """See Storage.create."""
        is_data = name.startswith("packs/data/")
        if not (is_data and self._fails):
            super().create(name, data)
        if is_data:
            self.reached.set()
            if self._fails:
                raise StorageError("the disk is full")


@pytest.fixture
def objects() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    Repository.create(MemoryStorage(found), None, SMALL).close()
    return found


def test_the_last_data_pack_is_written_before_the_commit(objects: dict[str, bytes]) -> None:
    storage = TellingStorage(objects)
    repository = open_plain(storage)
    with repository.begin("test", SilentMonitor()) as session:
        draft = put_all(session, repository, TABLES, 1)
        session.end_data()
        assert storage.reached.wait(WAIT_S)
        late = session.put_data(b"one that comes late")
        snapshot = session.commit(draft)
    again = open_plain(MemoryStorage(objects))
    assert read_snapshot(again, snapshot) == TABLES
    assert again.read_data(late) == b"one that comes late"


def test_a_write_that_fails_meanwhile_fails_the_commit(objects: dict[str, bytes]) -> None:
    storage = TellingStorage(objects, fails=True)
    repository = open_plain(storage)
    with repository.begin("test", SilentMonitor()) as session:
        draft = put_all(session, repository, TABLES, 1)
        session.end_data()
        assert storage.reached.wait(WAIT_S)
        with pytest.raises(StorageError, match="the disk is full"):
            session.commit(draft)
    assert open_plain(MemoryStorage(objects)).snapshots() == []
