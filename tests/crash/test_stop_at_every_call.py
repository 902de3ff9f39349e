"""A run that stops at any storage call harms nothing: what was there stays, the next run works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rowvault.core.errors import NoRepositoryError, StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.check import check
from rowvault.repository.index import encode_segment, segment_name, unlisted
from rowvault.repository.pack import PackReader
from rowvault.repository.repository import Repository
from rowvault.repository.session_object import ProcessIdentity
from rowvault.storage import LocalStorage, Storage
from support.failing_storage import FillingStorage, KilledError, StoppingStorage
from support.sample_repository import (
    SMALL,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

OLD = {("shop", "orders"): sample_rows(100), ("shop", "items"): sample_rows(5, salt="i")}
NEW = {("shop", "orders"): sample_rows(400, salt="n"), ("shop", "items"): OLD["shop", "items"]}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one snapshot."""
    place = tmp_path_factory.mktemp("crash") / "base"
    take_snapshot(Repository.create(LocalStorage(place), None, SMALL), OLD)
    return place


@pytest.fixture(scope="module")
def scattered(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with so many index segments that the next run merges them."""
    place = tmp_path_factory.mktemp("crash") / "scattered"
    shutil.copytree(base, place)
    storage = LocalStorage(place)
    for number in range(9):
        with open_plain(storage).begin("test", SilentMonitor()) as session:
            session.put_data(b"block %d of a run that failed" % number)
            session._store_rest()
    keys = open_plain(storage).place.keys
    for name in storage.list("index/"):
        storage.delete(name)
    for kind, pack in unlisted(storage.list("packs/"), set()):
        entries = PackReader(storage, keys, kind, pack).footer()
        data = encode_segment([(kind, pack, entries)])
        storage.create(f"index/{segment_name(data)}", data)
    assert len(storage.list("index/")) > 7
    return place


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


def assert_sound(place: Path) -> None:
    """The old snapshot is whole, the new one whole or absent; the next run reuses and commits."""
    repository = open_plain(LocalStorage(place))
    old, *newer = repository.snapshots()
    assert read_snapshot(repository, old) == OLD
    for snapshot in newer:
        assert read_snapshot(repository, snapshot) == NEW
        assert repository.tags(snapshot.id) == ["daily"]
    assert check(repository, True, SilentMonitor()).errors == []
    stored = set(LocalStorage(place).list("packs/"))
    monitor = SilentMonitor()
    with repository.begin("test", monitor) as session:
        again = session.commit(put_all(session, repository, NEW, 2))
    assert read_snapshot(repository, again) == NEW
    assert monitor.warnings == []
    if newer:
        assert session.figures.new_blocks == 0
    assert stored <= set(LocalStorage(place).list("packs/"))
    assert check(repository, True, SilentMonitor()).errors == []
    assert LocalStorage(place).list("sessions/") == []


def count_calls(base: Path, tmp_path: Path) -> int:
    place = tmp_path / "count"
    shutil.copytree(base, place)
    storage = StoppingStorage(LocalStorage(place), 10**9, after=False)
    back_up(storage)
    return storage.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("start", ["base", "scattered"])
@pytest.mark.usefixtures("dying_process")
def test_killed_at_every_call(
    start: str, request: pytest.FixtureRequest, tmp_path: Path, after: bool
) -> None:
    base: Path = request.getfixturevalue(start)
    calls = count_calls(base, tmp_path)
    assert calls > 20
    outcomes = set()
    for stop_at in range(1, calls + 1):
        place = tmp_path / f"{stop_at}"
        shutil.copytree(base, place)
        with pytest.raises(KilledError):
            back_up(StoppingStorage(LocalStorage(place), stop_at, after=after))
        outcomes.add(len(open_plain(LocalStorage(place)).snapshots()))
        assert_sound(place)
        shutil.rmtree(place)
    assert outcomes == {1, 2}


def test_scattered_segments_are_merged(scattered: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(scattered, place)
    before = len(LocalStorage(place).list("index/"))
    back_up(LocalStorage(place))
    assert len(LocalStorage(place).list("index/")) < before
    assert_sound(place)


@pytest.mark.usefixtures("dying_process")
def test_packs_of_a_killed_run_are_reused(base: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(base, place)
    repository = open_plain(LocalStorage(place))
    session = repository.begin("test", SilentMonitor())
    put_all(session, repository, NEW, 1)
    session._store_rest()  # every pack and the index are durable, the commit is not
    fresh = open_plain(LocalStorage(place))
    with fresh.begin("test", SilentMonitor()) as retry:
        snapshot = retry.commit(put_all(retry, fresh, NEW, 2))
    assert retry.figures.new_blocks == 0
    assert read_snapshot(fresh, snapshot) == NEW
    assert LocalStorage(place).list("sessions/") == []


@pytest.mark.usefixtures("dying_process")
def test_packs_without_index_are_adopted(base: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(base, place)
    storage = LocalStorage(place)
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
    assert retry.figures.new_blocks == 0
    assert check(fresh, True, SilentMonitor()).errors == []


def test_a_full_disk_at_every_write(base: Path, tmp_path: Path) -> None:
    place = tmp_path / "full"
    shutil.copytree(base, place)
    before = sum(LocalStorage(base).size(name) for name in LocalStorage(base).list(""))
    back_up(LocalStorage(place))
    needed = sum(LocalStorage(place).size(name) for name in LocalStorage(place).list("")) - before
    outcomes = set()
    for room in range(0, 2 * needed, needed // 20):
        place = tmp_path / f"room {room}"
        shutil.copytree(base, place)
        try:
            back_up(FillingStorage(LocalStorage(place), room))
            outcomes.add("committed")
        except StorageError:
            outcomes.add("failed")
            assert LocalStorage(place).list("sessions/") == []
            assert len(open_plain(LocalStorage(place)).snapshots()) == 1
        assert_sound(place)
        shutil.rmtree(place)
    assert outcomes == {"committed", "failed"}


def test_an_init_that_was_cut_short_can_be_repeated(tmp_path: Path) -> None:
    counting = StoppingStorage(LocalStorage(tmp_path / "count"), 10**9, after=False)
    Repository.create(counting, None, SMALL)
    for stop_at in range(1, counting.calls):
        place = tmp_path / str(stop_at)
        with pytest.raises(KilledError):
            Repository.create(
                StoppingStorage(LocalStorage(place), stop_at, after=True), None, SMALL
            )
        with pytest.raises(NoRepositoryError):
            open_plain(LocalStorage(place))
        repository = Repository.create(LocalStorage(place), None, SMALL)
        take_snapshot(repository, OLD)
        assert check(open_plain(LocalStorage(place)), True, SilentMonitor()).errors == []
