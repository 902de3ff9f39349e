"""A forget, undelete or prune that stops at any storage call: what is kept stays whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import msgspec
import pytest

from rowvault.core.errors import SnapshotNotFoundError, StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.session_object import ProcessIdentity
from rowvault.repository.repository import Repository
from rowvault.storage import Storage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.failing_storage import FillingStorage, KilledError, StoppingAtChanges
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    SMALL,
    open_plain,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

OLD = {("shop", "orders"): sample_rows(150)}
NEW = {
    ("shop", "orders"): [
        old if number % 20 < 14 else new
        for number, (old, new) in enumerate(
            zip(OLD["shop", "orders"], sample_rows(150, salt="x"), strict=True)
        )
    ]
}
REQUEST = PruneRequest(limits=PruneLimits(max_unused=0))


@pytest.fixture(scope="module")
def base() -> MemoryStorage:
    """Two snapshots, the older one forgotten; every pack is live in part."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        old = take_snapshot(repository, OLD, 0, ["first"])
        take_snapshot(repository, NEW, 1)
        repository.forget(old)
    return storage


@pytest.fixture
def dying_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that begin now belong to a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = ProcessIdentity.current()
    gone = msgspec.structs.replace(here, pid=ended.pid)
    monkeypatch.setattr(ProcessIdentity, "current", classmethod(lambda cls: gone))


def do_prune(storage: Storage) -> None:
    with open_plain(storage) as repository:
        assert prune(repository, REQUEST, SilentMonitor()).waits_for == ()


def do_undelete(storage: Storage) -> None:
    with open_plain(storage) as repository:
        repository.trash.take_back("latest")


def do_forget(storage: Storage) -> None:
    with open_plain(storage) as repository:
        repository.forget(repository.find("latest"))


def bulk(storage: Storage) -> int:
    return sum(storage.size(name) for kind in ("packs/", "index/") for name in storage.list(kind))


def assert_sound(storage: MemoryStorage) -> None:
    """What is listed is whole, now and after a prune that ends; what is in the trash comes back."""
    expected = {10: OLD, 11: NEW}
    with open_plain(storage) as repository:
        for snapshot in repository.snapshots():
            assert read_snapshot(repository, snapshot) == expected[snapshot.time.hour]
        assert check(repository, True, SilentMonitor()).errors == []
    with open_plain(storage.copy()) as repository:
        for one in repository.trash.listings():
            repository.trash.take_back(one.id)
        for snapshot in repository.snapshots():
            assert read_snapshot(repository, snapshot) == expected[snapshot.time.hour]
    do_prune(storage)
    with open_plain(storage) as repository:
        for snapshot in repository.snapshots():
            assert read_snapshot(repository, snapshot) == expected[snapshot.time.hour]
        assert check(repository, True, SilentMonitor()).errors == []
    assert storage.list("sessions/") == []
    assert [name for name in storage.list("gc/") if "round" in name] == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [do_prune, do_undelete, do_forget])
@pytest.mark.usefixtures("dying_process")
def test_stopped_at_every_call(
    base: MemoryStorage, act: Callable[[Storage], None], after: bool
) -> None:
    whole = base.copy()
    counting = StoppingAtChanges(whole, 10**9, after=False)
    act(counting)
    assert counting.calls >= (10 if act is do_prune else 2)
    for stop_at in range(1, counting.calls + 1):
        storage = base.copy()
        with pytest.raises(KilledError):
            act(StoppingAtChanges(storage, stop_at, after=after))
        assert_sound(storage)
        if act is do_prune:
            assert bulk(storage) < 1.1 * bulk(whole)


class _Disk(FillingStorage):
    """Has room without end, but perhaps for no pack; counts what it took."""

    def __init__(self, inner: Storage, *, has_room_for_packs: bool = True) -> None:
        super().__init__(inner, 0)
        self._has_room_for_packs = has_room_for_packs
        self.taken = 0

    def _take(self, count: int, name: str) -> None:
        if not self._has_room_for_packs and name.startswith("packs/"):
            raise StorageError(f"The disk is full: {name} could not be written")
        self.taken += count


def test_a_full_disk_at_every_write(base: MemoryStorage) -> None:
    without_bound = _Disk(base.copy())
    do_prune(without_bound)
    outcomes = set()
    for twentieth in range(24):
        storage = base.copy()
        try:
            do_prune(FillingStorage(storage, without_bound.taken * twentieth // 20))
            outcomes.add("pruned")
        except StorageError:
            outcomes.add("failed")
        assert_sound(storage)
    assert outcomes == {"pruned", "failed"}


def test_a_full_disk_does_not_keep_dead_packs() -> None:
    """There is room for the small objects alone: nothing is stored anew, what is dead goes."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        whole = take_snapshot(repository, {("a", "b"): sample_rows(400, salt="dead")}, 0)
        take_snapshot(repository, OLD, 1)
        take_snapshot(repository, NEW, 2)
        repository.forget(whole)
        repository.forget(repository.find("latest~1"))
    before = bulk(storage)
    monitor = SilentMonitor()
    with open_plain(_Disk(storage, has_room_for_packs=False)) as repository:
        report = prune(repository, REQUEST, monitor)
    assert report.freed_bytes == before - bulk(storage) > 10000
    assert any("disk is full" in warning for warning in monitor.warnings)
    with open_plain(storage) as repository:
        assert read_snapshot(repository, repository.find("latest")) == NEW
        with pytest.raises(SnapshotNotFoundError):
            repository.trash.take_back("latest")
