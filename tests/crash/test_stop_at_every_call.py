"""A run that stops at any storage call harms nothing: what was there stays, the next run works.

The storage is in memory; what a stop inside a call leaves on a disk is the matter of power cuts.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from rowvault.core.errors import NoRepositoryError, StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.index.index import encode_segment, segment_name, unlisted
from rowvault.repository.packs.pack import PackReader
from rowvault.repository.records.session_object import ProcessIdentity
from rowvault.repository.repository import Repository
from rowvault.storage import Storage
from rowvault.upkeep.check.engine import check
from support.failing_storage import (
    FillingStorage,
    KilledError,
    StoppingAtChanges,
    StoppingStorage,
)
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    SMALL,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

OLD = {("shop", "orders"): sample_rows(100), ("shop", "items"): sample_rows(5, salt="i")}
NEW = {("shop", "orders"): sample_rows(240, salt="n"), ("shop", "items"): OLD["shop", "items"]}


@pytest.fixture(scope="module")
def base() -> MemoryStorage:
    """A repository with one snapshot."""
    storage = MemoryStorage()
    take_snapshot(Repository.create(storage, None, SMALL), OLD)
    return storage


@pytest.fixture(scope="module")
def scattered(base: MemoryStorage) -> MemoryStorage:
    """The same with so many index segments that the next run merges them."""
    storage = base.copy()
    for number in range(9):
        with open_plain(storage).begin("test", SilentMonitor()) as session:
            session.put_data(b"block %d of a run that failed" % number)
            session._store_rest()
    keys = open_plain(storage).internals.keys
    for name in storage.list("index/"):
        storage.delete(name)
    for kind, pack in unlisted(storage.list("packs/"), set()):
        entries = PackReader(storage, keys, kind, pack).footer()
        data = encode_segment([(kind, pack, entries)])
        storage.create(f"index/{segment_name(data)}", data)
    assert len(storage.list("index/")) > 7
    return storage


@pytest.fixture
def dying_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that begin now belong to a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = ProcessIdentity.current()
    gone = msgspec.structs.replace(here, pid=ended.pid)
    monkeypatch.setattr(ProcessIdentity, "current", classmethod(lambda cls: gone))


def back_up(storage: Storage) -> None:
    """The run under test."""
    repository = open_plain(storage)
    with repository.begin("test", SilentMonitor()) as session:
        session.commit(put_all(session, repository, NEW, 1), ["daily"])


def assert_sound(storage: MemoryStorage) -> None:
    """The old snapshot is whole, the new one whole or absent; the next run reuses and commits."""
    repository = open_plain(storage)
    old, *newer = repository.snapshots()
    assert read_snapshot(repository, old) == OLD
    for snapshot in newer:
        assert read_snapshot(repository, snapshot) == NEW
        assert repository.tags(snapshot.id) == ["daily"]
    assert check(repository, True, SilentMonitor()).errors == []
    stored = set(storage.list("packs/"))
    monitor = SilentMonitor()
    with repository.begin("test", monitor) as session:
        again = session.commit(put_all(session, repository, NEW, 2))
    assert read_snapshot(repository, again) == NEW
    assert monitor.warnings == []
    if newer:
        assert session.stats.new_blocks == 0
    assert stored <= set(storage.list("packs/"))
    assert check(repository, True, SilentMonitor()).errors == []
    assert storage.list("sessions/") == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("start", ["base", "scattered"])
@pytest.mark.usefixtures("dying_process")
def test_killed_at_every_call(start: str, request: pytest.FixtureRequest, after: bool) -> None:
    base: MemoryStorage = request.getfixturevalue(start)
    counting = StoppingAtChanges(base.copy(), 10**9, after=False)
    back_up(counting)
    assert counting.calls > 10
    outcomes = set()
    for stop_at in range(1, counting.calls + 1):
        storage = base.copy()
        with pytest.raises(KilledError):
            back_up(StoppingAtChanges(storage, stop_at, after=after))
        outcomes.add(len(open_plain(storage).snapshots()))
        assert_sound(storage)
    assert outcomes == {1, 2}


def test_scattered_segments_are_merged(scattered: MemoryStorage) -> None:
    storage = scattered.copy()
    before = len(storage.list("index/"))
    back_up(storage)
    assert len(storage.list("index/")) < before
    assert_sound(storage)


@pytest.mark.usefixtures("dying_process")
def test_packs_of_a_killed_run_are_reused(base: MemoryStorage) -> None:
    storage = base.copy()
    repository = open_plain(storage)
    session = repository.begin("test", SilentMonitor())
    put_all(session, repository, NEW, 1)
    session._store_rest()  # every pack and the index are durable, the commit is not
    fresh = open_plain(storage)
    with fresh.begin("test", SilentMonitor()) as retry:
        snapshot = retry.commit(put_all(retry, fresh, NEW, 2))
    assert retry.stats.new_blocks == 0
    assert read_snapshot(fresh, snapshot) == NEW
    assert storage.list("sessions/") == []


@pytest.mark.usefixtures("dying_process")
def test_packs_without_index_are_adopted(base: MemoryStorage) -> None:
    storage = base.copy()
    before = set(storage.list("index/"))
    repository = open_plain(storage)
    session = repository.begin("test", SilentMonitor())
    put_all(session, repository, NEW, 1)
    session._store_rest()
    for name in set(storage.list("index/")) - before:
        storage.delete(name)
    fresh = open_plain(storage)
    with fresh.begin("test", SilentMonitor()) as retry:
        retry.commit(put_all(retry, fresh, NEW, 2))
    assert retry.stats.new_blocks == 0
    assert check(fresh, True, SilentMonitor()).errors == []


def test_a_full_disk_at_every_write(base: MemoryStorage) -> None:
    full = base.copy()
    back_up(full)
    needed = sum(map(len, full.objects.values())) - sum(map(len, base.objects.values()))
    outcomes = set()
    for room in range(0, 2 * needed, needed // 20):
        storage = base.copy()
        try:
            back_up(FillingStorage(storage, room))
            outcomes.add("committed")
        except StorageError:
            outcomes.add("failed")
            assert storage.list("sessions/") == []
            assert len(open_plain(storage).snapshots()) == 1
        assert_sound(storage)
    assert outcomes == {"committed", "failed"}


def test_an_init_that_was_cut_short_can_be_repeated() -> None:
    """Or, once the config is there, has made a repository, which may lack the ledger's entry."""
    counting = StoppingStorage(MemoryStorage(), 10**9, after=False)
    Repository.create(counting, None, SMALL)
    outcomes = []
    for stop_at in range(1, counting.calls):
        storage = MemoryStorage()
        with pytest.raises(KilledError):
            Repository.create(StoppingStorage(storage, stop_at, after=True), None, SMALL)
        outcomes.append("config" in storage.objects)
        if not outcomes[-1]:
            with pytest.raises(NoRepositoryError):
                open_plain(storage)
            Repository.create(storage, None, SMALL)
        assert check(open_plain(storage), True, SilentMonitor()).errors == []
        take_snapshot(open_plain(storage), OLD)
        assert check(open_plain(storage), True, SilentMonitor()).errors == []
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}
