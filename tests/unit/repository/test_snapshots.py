"""Naming snapshots, tags, and the life of a session."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from rowvault.core.errors import RepositoryError, SnapshotNotFoundError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.find_snapshot import SnapshotRequest
from rowvault.repository.records.session_object import (
    ProcessIdentity,
    SessionDocument,
    SessionState,
)
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from support.sample_repository import (
    SMALL,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

TABLES = {("shop", "orders"): sample_rows(50)}


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "place")


@pytest.fixture
def repository(storage: LocalStorage) -> Repository:
    return Repository.create(storage, None, SMALL)


def stored_bytes(storage: LocalStorage) -> int:
    return sum(storage.size(name) for name in storage.list(""))


def test_snapshots_are_found_by_every_name(repository: Repository) -> None:
    with pytest.raises(SnapshotNotFoundError, match="no snapshot yet"):
        repository.find("latest")
    one, two, three = (take_snapshot(repository, TABLES, number) for number in (0, 1, 3))
    assert repository.snapshots() == [one, two, three]
    expected = {
        "latest": three,
        "latest~0": three,
        "latest~2": one,
        two.id: two,
        two.id[:7]: two,
        two.id.upper(): two,
        f"20261120T110000Z-{two.id}": two,
        "@2026-11-20T10:00": one,
        "@2026-11-20T10:59:59Z": one,
        "@2026-11-20T11:00:00": two,
        "@2026-11-20T12:59:59+00:00": two,
        "@2026-11-20T14:30:00+03:00": two,
        "@2027-01-01": three,
    }
    for spec, snapshot in expected.items():
        assert repository.find(spec) == snapshot, spec
    for spec in ("latest~3", "@2026-11-20T09:59:59", "@yesterday", "xyz", "", "f" * 16, "latest~"):
        with pytest.raises(SnapshotNotFoundError):
            repository.find(spec)


def test_snapshots_of_one_second_keep_their_order(repository: Repository) -> None:
    taken = []
    for microsecond in (5, 900_000, 10, 400_000):
        with repository.begin("test", SilentMonitor()) as session:
            draft = put_all(session, repository, {}, 0)
            time = draft.time.replace(microsecond=microsecond)
            taken.append(session.commit(msgspec.structs.replace(draft, time=time)))
    order = sorted(taken, key=lambda one: one.time)
    assert repository.snapshots() == order
    assert repository.find("latest") == order[-1]
    assert repository.find("@2026-11-20T10:00:00") == order[-1]


def test_a_clock_that_was_set_back_is_named(repository: Repository) -> None:
    now = datetime.now(UTC)
    warnings = []
    for hours in (-3, 48, -4, -1):
        monitor = SilentMonitor()
        with repository.begin("test", monitor) as session:
            draft = put_all(session, repository, TABLES, 0)
            time = now + timedelta(hours=hours)
            snapshot = session.commit(msgspec.structs.replace(draft, time=time))
        warnings.append(monitor.warnings)
    assert [len(found) for found in warnings] == [0, 0, 1, 1]
    future = repository.snapshots()[-1]
    assert future.id in warnings[2][0]
    assert "latest" in warnings[2][0]
    found = repository.resolve(SnapshotRequest("latest"))
    assert found.snapshot == snapshot
    assert future.id in found.notes[0]


def test_figures_count_what_was_written(repository: Repository, storage: LocalStorage) -> None:
    before = stored_bytes(storage)
    for number in (0, 1):
        snapshot = take_snapshot(repository, TABLES, number, ["daily", "größer"])
        after = stored_bytes(storage)
        assert snapshot.stored_bytes == after - before
        assert (snapshot.new_blocks > 0) == (number == 0)
        assert snapshot.blocks > 1
        before = after
    assert repository.snapshots()[-1] == snapshot


def test_tags(repository: Repository) -> None:
    snapshot = take_snapshot(repository, TABLES, 0, ["b", "a", "b", "with space/and slash"])
    assert repository.tags(snapshot.id) == ["a", "b", "with space/and slash"]


def test_leaving_without_commit_leaves_no_snapshot(
    repository: Repository, storage: LocalStorage
) -> None:
    session = repository.begin("test", SilentMonitor())

    def fail_within() -> None:
        with session:
            put_all(session, repository, TABLES, 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_within()
    assert repository.snapshots() == []
    assert storage.list("sessions/") == []
    with pytest.raises(RepositoryError, match="ended"):
        session.put_data(b"too late")
    with pytest.raises(RepositoryError):
        session.commit(put_all(repository.begin_dry_run("x", SilentMonitor()), repository, {}, 0))


def test_a_dry_run_stores_nothing_and_counts_the_same(
    repository: Repository, storage: LocalStorage
) -> None:
    before = storage.list("")
    with repository.begin_dry_run("test", SilentMonitor()) as dry:
        draft = put_all(dry, repository, TABLES, 0)
        assert dry.commit(draft, ["x"]) is None
    assert storage.list("") == before
    snapshot = take_snapshot(repository, TABLES, 0)
    assert snapshot.manifest == draft.manifest
    assert snapshot.new_blocks == dry.stats.new_blocks
    assert snapshot.blocks == dry.stats.blocks


def test_threads_store_an_equal_block_once(repository: Repository) -> None:
    blocks = [bytes([number]) * 500 for number in range(200)]
    with repository.begin("test", SilentMonitor()) as session:

        def put(start: int) -> None:
            for block in blocks[start:] + blocks[:start]:
                session.put_data(block)

        threads = [threading.Thread(target=put, args=(start,)) for start in (0, 3, 50, 120)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.commit(put_all(session, repository, {}, 0))
    assert session.stats.new_blocks == 200
    report = check(repository, True, SilentMonitor())
    assert report.errors == []
    assert report.blocks == 200 + 1  # and the manifest's one node
    assert [repository.read_data(repository.data_id(block)) for block in blocks] == blocks


def test_two_sessions_at_once(storage: LocalStorage, repository: Repository) -> None:
    other = open_plain(storage)
    more = {**TABLES, ("shop", "items"): sample_rows(30, salt="i")}
    with (
        repository.begin("one", SilentMonitor()) as first,
        other.begin("two", SilentMonitor()) as second,
    ):
        drafts = put_all(first, repository, TABLES, 0), put_all(second, other, more, 1)
        snapshots = second.commit(drafts[1]), first.commit(drafts[0])
    fresh = open_plain(storage)
    assert {one.id for one in fresh.snapshots()} == {one.id for one in snapshots}
    assert read_snapshot(fresh, snapshots[0]) == more
    assert read_snapshot(fresh, snapshots[1]) == TABLES
    assert check(fresh, True, SilentMonitor()).errors == []


def test_a_reader_finds_what_was_written_after_it_opened(
    storage: LocalStorage, repository: Repository
) -> None:
    take_snapshot(repository, TABLES, 0)
    reader = open_plain(storage)
    assert read_snapshot(reader, reader.find("latest")) == TABLES
    more = {("shop", "items"): sample_rows(30, salt="i")}
    take_snapshot(repository, more, 1)
    assert read_snapshot(reader, reader.find("latest")) == more


def committed_but_unpublished(storage: LocalStorage, repository: Repository) -> str:
    """A run that was killed right behind its compare-and-swap; the snapshot's id."""
    session = repository.begin("test", SilentMonitor())
    draft = put_all(session, repository, TABLES, 0)
    session._store_rest()
    snapshot = session._complete(draft, ("daily",))
    session._object.commit(snapshot, ("daily",))
    return snapshot.id


def test_a_commit_is_published_by_who_comes_next(
    storage: LocalStorage, repository: Repository
) -> None:
    snapshot_id = committed_but_unpublished(storage, repository)
    assert storage.list("snapshots/") == []
    reader = open_plain(storage)
    assert [one.id for one in reader.snapshots()] == [snapshot_id]
    assert len(storage.list("snapshots/")) == 1
    assert reader.tags(snapshot_id) == ["daily"]
    assert storage.list("sessions/") == []


def test_a_reader_without_the_right_to_write_sees_the_commit_too(
    storage: LocalStorage, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rowvault.core.errors import StorageError

    snapshot_id = committed_but_unpublished(storage, repository)

    def refuse(*arguments: object, **options: object) -> None:
        raise StorageError("Read-only file system")

    reader_storage = LocalStorage(storage.location)
    monkeypatch.setattr(reader_storage, "create", refuse)
    monkeypatch.setattr(reader_storage, "delete", refuse)
    reader = open_plain(reader_storage)
    assert [one.id for one in reader.snapshots()] == [snapshot_id]
    assert read_snapshot(reader, reader.find("latest")) == TABLES


def test_a_session_that_was_ended_cannot_commit(
    storage: LocalStorage, repository: Repository
) -> None:
    with repository.begin("test", SilentMonitor()) as session:
        draft = put_all(session, repository, TABLES, 0)
        catalogue = open_plain(storage).internals.snapshot_store
        ((document, data),) = catalogue.sessions()
        catalogue.withdraw(document, data)
        with pytest.raises(RepositoryError, match="ended by somebody else"):
            session.commit(draft)
    assert repository.snapshots() == []


def test_withdrawing_never_removes_a_commit(storage: LocalStorage, repository: Repository) -> None:
    catalogue = repository.internals.snapshot_store
    active = SessionDocument.active(repository.begin("x", SilentMonitor()).id, "test")
    ((document, _),) = catalogue.sessions()
    assert document.id == active.id
    snapshot_id = committed_but_unpublished(storage, repository)
    committed = next(one for one, _ in catalogue.sessions() if one.state is SessionState.COMMITTED)
    stale = catalogue.seal_session(msgspec.structs.replace(committed, snapshot=None))
    catalogue.withdraw(committed, stale)
    assert [one.id for one in repository.snapshots()] == [snapshot_id]


def test_a_live_session_is_left_alone(storage: LocalStorage, repository: Repository) -> None:
    with repository.begin("one", SilentMonitor()) as first:
        draft = put_all(first, repository, TABLES, 0)
        with open_plain(storage).begin("two", SilentMonitor()):
            assert len(storage.list("sessions/")) == 2
        first.commit(draft)
    assert len(repository.snapshots()) == 1


def test_processes_are_told_apart() -> None:
    here = ProcessIdentity.current()
    replace = msgspec.structs.replace
    assert not here.is_gone()
    assert replace(here, start=here.start + 1).is_gone()
    assert not replace(here, host="elsewhere", start=1).is_gone()
    assert not replace(here, machine="another", start=1).is_gone()
    assert not replace(here, pid_namespace="pid:[1]", start=1).is_gone()
    assert not replace(here, boot="another", start=1).is_gone()
    assert not replace(here, start=0).is_gone()


def test_a_failed_pack_fails_the_session_once_and_clearly(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rowvault.core.errors import StorageError

    with repository.begin("test", SilentMonitor()) as session:
        draft = put_all(session, repository, {}, 0)

        def fail(name: str, data: object, **options: bool) -> None:
            raise StorageError(f"The disk is full: {name}")

        monkeypatch.setattr(repository.internals.storage, "create", fail)
        session.put_data(b"x" * 100)
        with pytest.raises(StorageError, match="disk is full"):
            session.commit(draft)
    monkeypatch.undo()
    assert repository.snapshots() == []
