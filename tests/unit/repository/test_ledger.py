"""The set of snapshots: what vanishes, comes back or is rolled back is named; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crash.test_prune_stops import dying_process
from rowvault.core.errors import CorruptError, DamageError, UnsupportedFormatError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.features import DELTAS
from rowvault.repository.records.known_head import Head, KnownHead
from rowvault.repository.records.ledger import CHECKPOINT_EVERY, Change, ChangeKind
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import Storage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.engine import repair
from rowvault.upkeep.upgrade import upgrade
from support.failing_storage import KilledError, StoppingAtChanges
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, open_plain, read_snapshot, sample_rows, take_snapshot

__all__ = ["dying_process"]

ROWS = {("shop", "orders"): sample_rows(30)}
REQUEST = PruneRequest(limits=PruneLimits(max_unused=0))


@pytest.fixture(scope="module")
def base() -> MemoryStorage:
    """Three snapshots, the second of which is forgotten."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        for number in range(3):
            take_snapshot(repository, ROWS, number)
        repository.forget(repository.snapshots()[1])
    return storage


@pytest.fixture
def storage(base: MemoryStorage) -> MemoryStorage:
    return base.copy()


def name_of(snapshot: Snapshot) -> str:
    return names.snapshot(snapshot.time, snapshot.id)


def problems(storage: Storage) -> list[str]:
    with open_plain(storage) as repository:
        found = [one.object for one in repository.snapshot_set.examine().problems]
        named = {one.object for one in check(repository, False, SilentMonitor()).errors}
        assert named >= set(found)
        return found


def assert_nothing_is_changed(storage: MemoryStorage) -> None:
    """Prune and repair refuse; a backup goes on."""
    before = dict(storage.objects)
    for act in (
        lambda one: prune(one, REQUEST, SilentMonitor()),
        lambda one: prune(one, PruneRequest(dry_run=True), SilentMonitor()),
        lambda one: repair(one, SilentMonitor()),
    ):
        with open_plain(storage) as repository, pytest.raises(DamageError, match="accept-state"):
            act(repository)
    assert storage.objects == before
    with open_plain(storage) as repository:
        assert read_snapshot(repository, take_snapshot(repository, ROWS, 9)) == ROWS


def assert_accepted(storage: MemoryStorage) -> None:
    """What is there is taken for right, and everything goes on."""
    with open_plain(storage) as repository:
        repository.snapshot_set.accept()
    assert problems(storage) == []
    with open_plain(storage) as repository:
        prune(repository, REQUEST, SilentMonitor())
        take_snapshot(repository, ROWS, 10)
    assert problems(storage) == []


def test_nothing_differs(storage: MemoryStorage) -> None:
    assert problems(storage) == []
    with open_plain(storage) as repository:
        prune(repository, REQUEST, SilentMonitor())
        take_snapshot(repository, ROWS, 5)
        state = repository.ledger.read()
    assert (len(state.listed), len(state.forgotten)) == (3, 0)
    assert problems(storage) == []


def test_a_snapshot_that_vanished(storage: MemoryStorage) -> None:
    gone = storage.list("snapshots/")[0]
    kept = storage.objects[gone]
    storage.delete(gone)
    assert problems(storage) == [gone]
    assert_nothing_is_changed(storage)
    storage.create(gone, kept)
    assert problems(storage) == []


def test_no_ledger_is_begun_beside_one_whose_only_entry_vanished() -> None:
    """What is committed meanwhile waits, and the entry that comes back is followed by it."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        session = repository.begin("backup", SilentMonitor())
        session.put_data(b"\x01a" * 40)
        session.flush()
        session.abort()
    [entry] = storage.list("ledger/")
    kept = storage.objects[entry]
    storage.delete(entry)
    assert problems(storage) == ["ledger/"]
    with open_plain(storage) as repository:
        take_snapshot(repository, ROWS, 1)
    assert storage.list("ledger/") == []
    assert problems(storage) == ["ledger/"]
    storage.create(entry, kept)
    with open_plain(storage) as repository:
        take_snapshot(repository, ROWS, 2)
        assert len(repository.ledger.read().listed) == 2
    assert problems(storage) == []


@pytest.mark.parametrize("last", ["added", "forgotten"])
def test_no_entry_takes_the_number_of_one_that_vanished(
    storage: MemoryStorage, tmp_path: Path, last: str
) -> None:
    """So that it can be brought back; what is committed meanwhile is recorded then."""

    def opened() -> Repository:
        repository = open_plain(storage)
        repository.known_head = KnownHead(tmp_path / "state", repository.id, "here")
        return repository

    with opened() as repository:
        if last == "forgotten":
            repository.forget(repository.snapshots()[0])
        assert repository.snapshot_set.examine().problems == []
    entry = storage.list("ledger/")[-1]
    kept = storage.objects[entry]
    storage.delete(entry)
    with opened() as repository:
        repository.snapshots()
        taken = take_snapshot(repository, ROWS, 7)
        assert read_snapshot(repository, taken) == ROWS
    assert storage.list("ledger/")[-1] < entry
    storage.create(entry, kept)
    with opened() as repository:
        take_snapshot(repository, ROWS, 8)
        assert repository.snapshot_set.examine().problems == []
        assert len(repository.ledger.read().listed) == (4 if last == "added" else 3)


def test_a_vanished_snapshot_is_given_up(storage: MemoryStorage) -> None:
    storage.delete(storage.list("snapshots/")[0])
    assert_accepted(storage)


def test_a_forgotten_snapshot_that_vanished(storage: MemoryStorage) -> None:
    gone = storage.list("trash/")[0]
    storage.delete(gone)
    assert problems(storage) == [gone]
    assert_nothing_is_changed(storage)
    assert_accepted(storage)


def test_a_damaged_forgotten_snapshot_that_came_back_behind_a_prune(
    storage: MemoryStorage,
) -> None:
    """The ledger knows of which commit it is, so the next prune removes it again."""
    [name] = storage.list("trash/")
    whole = storage.objects[name]
    storage.objects[name] = whole[:-1] + bytes([whole[-1] ^ 1])
    with open_plain(storage) as repository:
        prune(repository, REQUEST, SilentMonitor())
    assert storage.list("trash/") == []
    storage.create(name, whole)
    with open_plain(storage) as repository:
        prune(repository, REQUEST, SilentMonitor())
    assert storage.list("trash/") == []
    assert problems(storage) == []


@pytest.mark.parametrize("pruned", [False, True])
def test_a_snapshot_that_came_back(storage: MemoryStorage, pruned: bool) -> None:
    with open_plain(storage) as repository:
        snapshot = repository.snapshots()[0]
        kept = storage.objects[name_of(snapshot)]
        repository.forget(snapshot)
        if pruned:
            prune(repository, REQUEST, SilentMonitor())
    storage.create(name_of(snapshot), kept)
    assert name_of(snapshot) in problems(storage)
    assert_nothing_is_changed(storage)


def test_a_forgotten_snapshot_that_came_back_behind_a_prune(storage: MemoryStorage) -> None:
    name = storage.list("trash/")[0]
    kept = storage.objects[name]
    with open_plain(storage) as repository:
        prune(repository, REQUEST, SilentMonitor())
    storage.create(name, kept)
    with open_plain(storage) as repository:
        assert [one.object for one in check(repository, False, SilentMonitor()).errors] == [name]
        before = dict(storage.objects)
        with pytest.raises(CorruptError, match=f"{name} has come back"):
            repository.trash.take_back(name[-16:])
        assert storage.objects == before
        prune(repository, REQUEST, SilentMonitor())
    assert problems(storage) == []


def test_a_forgotten_snapshot_that_no_prune_is_known_to_have_removed(
    storage: MemoryStorage,
) -> None:
    name = storage.list("trash/")[0]
    with open_plain(storage) as repository:
        repository.ledger.restart(repository.ledger.read().listed, {})
    assert problems(storage) == [name]
    assert_nothing_is_changed(storage)
    assert_accepted(storage)


def test_an_earlier_object_of_a_snapshot_that_was_brought_back(storage: MemoryStorage) -> None:
    with open_plain(storage) as repository:
        snapshot = repository.snapshots()[0]
        kept = storage.objects[name_of(snapshot)]
        repository.forget(snapshot)
        repository.trash.take_back(snapshot.id)
    assert problems(storage) == []
    storage.delete(name_of(snapshot))
    storage.create(name_of(snapshot), kept)
    assert problems(storage) == [name_of(snapshot)]


@pytest.mark.parametrize(
    ("how", "which"),
    [("delete", 0), ("delete", 1)]
    + [(how, which) for how in ("halve", "flip", "swap") for which in (0, 1, -1)],
)
def test_damage_of_the_ledger(storage: MemoryStorage, how: str, which: int) -> None:
    entries = storage.list(names.LEDGER)
    victim, data = entries[which], storage.objects[entries[which]]
    storage.delete(victim)
    if how == "halve":
        storage.create(victim, data[: len(data) // 2])
    elif how == "flip":
        storage.create(victim, data[:-1] + bytes([data[-1] ^ 1]))
    elif how == "swap":
        storage.create(victim, storage.objects[entries[which - 1]])
    assert problems(storage) == [victim]
    assert_nothing_is_changed(storage)
    assert_accepted(storage)


def test_the_newest_entry_is_gone(storage: MemoryStorage) -> None:
    """Of a forget: its objects tell, so it is recorded again. Of a backup: that has come back."""
    storage.delete(storage.list(names.LEDGER)[-1])
    assert problems(storage) == []
    with open_plain(storage) as repository:
        assert [one.kind for one in repository.snapshot_set.settle().undone] == ["forgotten"]
        snapshot = take_snapshot(repository, ROWS, 5)
    storage.delete(storage.list(names.LEDGER)[-1])
    assert problems(storage) == [name_of(snapshot)]


def test_what_could_not_be_recorded_is_once_the_ledger_is_whole(storage: MemoryStorage) -> None:
    victim = storage.list(names.LEDGER)[1]
    data = storage.objects[victim]
    storage.delete(victim)
    with open_plain(storage) as repository:
        snapshot = take_snapshot(repository, ROWS, 7)
    assert len(storage.list("sessions/")) == 1
    storage.create(victim, data)
    with open_plain(storage) as repository:
        assert snapshot.id in {one.id for one in repository.snapshots()}
    assert storage.list("sessions/") == []
    assert problems(storage) == []


def test_an_entry_of_another_history(storage: MemoryStorage) -> None:
    """Made by this program under this name, in a copy that went its own way."""
    copy = storage.copy()
    for one, number in ((storage, 5), (copy, 6)):
        with open_plain(one) as repository:
            take_snapshot(repository, ROWS, number)
            take_snapshot(repository, ROWS, number + 2)
    forked = storage.list(names.LEDGER)[-2]
    storage.delete(forked)
    storage.create(forked, copy.objects[forked])
    assert problems(storage)[0].startswith(names.LEDGER)


def test_the_whole_ledger_is_gone(storage: MemoryStorage) -> None:
    for name in storage.list(names.LEDGER):
        storage.delete(name)
    assert problems(storage) == [names.LEDGER]
    assert_nothing_is_changed(storage)


class Host:
    """A host that has an eye on a repository."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def problems(self, storage: Storage) -> list[str]:
        with open_plain(storage) as repository:
            repository.known_head = KnownHead(self.directory, repository.id, "/here")
            return [str(one.error) for one in repository.snapshot_set.examine().problems]


@pytest.mark.parametrize("goes_on", [0, 1, 2, CHECKPOINT_EVERY + 10])
def test_a_repository_that_was_rolled_back(
    storage: MemoryStorage, tmp_path: Path, goes_on: int
) -> None:
    """Also where another host has gone on with it since, and the ledger has begun anew."""
    old = storage.copy()
    host = Host(tmp_path)
    with open_plain(storage) as repository:
        take_snapshot(repository, ROWS, 5)
        take_snapshot(repository, ROWS, 6)
    assert host.problems(storage) == []
    with open_plain(old) as repository:
        for number in range(goes_on):
            snapshot = take_snapshot(repository, ROWS, 7 + number)
            if number > 2:
                repository.forget(snapshot)
        if goes_on > 2:
            prune(repository, REQUEST, SilentMonitor())
            assert repository.ledger.read().checkpoint > CHECKPOINT_EVERY
    [message] = host.problems(old)
    assert "earlier state" in message
    with open_plain(old) as repository:
        repository.known_head = KnownHead(tmp_path, repository.id, "/here")
        repository.snapshot_set.accept()
    assert host.problems(old) == []
    assert host.problems(old) == []


@pytest.mark.parametrize("ahead", [1, 10_000])
def test_a_host_that_has_seen_more_entries_tells_however_many(
    storage: MemoryStorage, tmp_path: Path, ahead: int
) -> None:
    with open_plain(storage) as repository:
        head = repository.ledger.read().head
        KnownHead(tmp_path, repository.id, "/here").write(Head(head + ahead, "ab" * 8), None)
    [message] = Host(tmp_path).problems(storage)
    assert f"has seen entry {head + ahead}" in message


def test_a_host_misses_a_ledger_that_was_removed_with_all_snapshots(
    storage: MemoryStorage, tmp_path: Path
) -> None:
    """Also where a first entry was put in its place, which records that there was none."""
    host = Host(tmp_path)
    assert host.problems(storage) == []
    for group in (names.LEDGER, names.SNAPSHOTS, names.TRASH):
        for name in storage.list(group):
            storage.delete(name)
    assert host.problems(storage) != []
    with open_plain(storage) as repository:
        repository.ledger.restart({}, {})
    [message] = host.problems(storage)
    assert "earlier state" in message


def test_a_copy_of_before_the_upgrade_is_an_earlier_state(tmp_path: Path) -> None:
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL, features=(DELTAS,)) as repository:
        take_snapshot(repository, ROWS, 1)
    before = dict(storage.objects)

    def opened() -> Repository:
        repository = open_plain(storage)
        repository.known_head = KnownHead(tmp_path, repository.id, "/here")
        return repository

    assert opened().snapshot_set.examine().problems == []
    upgrade(opened(), (), SilentMonitor())
    assert opened().snapshot_set.examine().problems == []
    storage.objects.clear()
    storage.objects.update(before)
    with pytest.raises(DamageError, match=r"in an earlier state.*accept-state"):
        opened().snapshot_set.settle().require_none()
    opened().snapshot_set.accept()
    assert opened().snapshot_set.examine().problems == []
    assert storage.objects == before
    upgrade(opened(), (), SilentMonitor())
    assert opened().snapshot_set.examine().problems == []


def test_a_copy_elsewhere_may_be_older(storage: MemoryStorage, tmp_path: Path) -> None:
    with open_plain(storage) as repository:
        for place in ("/here", "/there"):
            repository.known_head = KnownHead(tmp_path, repository.id, place)
            assert repository.snapshot_set.examine().problems == []
            take_snapshot(repository, ROWS, 8)


@pytest.mark.parametrize("content", [b"", b"{", b'{"places": 3}', None])
def test_a_host_s_file_that_cannot_be_read(
    storage: MemoryStorage, tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    with open_plain(storage) as repository:
        file = tmp_path / f"{repository.id}.json"
        if content is None:
            file.mkdir()
        else:
            file.write_bytes(content)
        repository.known_head = KnownHead(tmp_path, repository.id, "/here")
        assert repository.snapshot_set.examine().problems == []
    assert "rolled back" in caplog.text


def test_the_ledger_does_not_grow_without_bound(storage: MemoryStorage) -> None:
    with open_plain(storage) as repository:
        for number in range(2 * CHECKPOINT_EVERY):
            repository.forget(take_snapshot(repository, ROWS, 5 + number))
        before = repository.ledger.read()
        prune(repository, REQUEST, SilentMonitor())
        after = repository.ledger.read()
    assert before.head - before.checkpoint > CHECKPOINT_EVERY
    assert after.checkpoint == after.head
    assert storage.list(names.LEDGER) == [names.ledger_entry(after.head)]
    assert (after.listed, after.forgotten) == (before.listed, {})
    assert problems(storage) == []


def test_one_that_stood_still_extends_nothing_that_is_gone(storage: MemoryStorage) -> None:
    """Its number is free again, for a checkpoint has taken the place of what was there."""
    late = open_plain(storage).ledger
    state = late.read()
    with open_plain(storage) as repository:
        for number in range(CHECKPOINT_EVERY):
            repository.forget(take_snapshot(repository, ROWS, 5 + number))
        prune(repository, REQUEST, SilentMonitor())
    change = Change(ChangeKind.ADDED, "20260101T000000Z-" + "0" * 16, "1" * 32)
    assert late._append(state, changes=(change,)) is None
    assert problems(storage) == []


def test_a_repository_without_ledger_is_adopted() -> None:
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL, features=(DELTAS,)) as repository:
        for number in range(3):
            take_snapshot(repository, ROWS, number)
        repository.forget(repository.snapshots()[0])
        assert storage.list(names.LEDGER) == []
        assert upgrade(repository, (), SilentMonitor(), dry_run=True).adopted == 2
        assert upgrade(repository, (), SilentMonitor()).adopted == 2
    assert problems(storage) == []
    with open_plain(storage) as repository:
        assert upgrade(repository, (), SilentMonitor()).adopted is None
        repository.trash.take_back("latest")
        prune(repository, REQUEST, SilentMonitor())
        assert len(repository.ledger.read().listed) == 3
    assert problems(storage) == []
    storage.delete(storage.list("snapshots/")[0])
    assert len(problems(storage)) == 1


def test_a_newer_entry_is_refused_by_its_version(storage: MemoryStorage) -> None:
    head = storage.list(names.LEDGER)[-1]
    data = bytearray(storage.objects[head])
    data[8] = 9
    storage.objects[head] = bytes(data)
    with (
        open_plain(storage) as repository,
        pytest.raises(UnsupportedFormatError, match="version 9"),
    ):
        repository.ledger.read()


def do_backup(storage: Storage) -> None:
    take_snapshot(open_plain(storage), ROWS, 5)


def do_forget(storage: Storage) -> None:
    repository = open_plain(storage)
    repository.forget(repository.snapshots()[0])


def do_undelete(storage: Storage) -> None:
    open_plain(storage).trash.take_back("latest")


def do_prune(storage: Storage) -> None:
    repository = open_plain(storage)
    prune(repository, REQUEST, SilentMonitor())
    repository.ledger.compact(1)


def do_accept(storage: Storage) -> None:
    open_plain(storage).snapshot_set.accept()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [do_backup, do_forget, do_undelete, do_prune, do_accept])
@pytest.mark.usefixtures("dying_process")
def test_killed_at_every_call(
    base: MemoryStorage, act: Callable[[Storage], None], after: bool
) -> None:
    """What a run has left undone is no loss and no return; the next one completes it."""
    counting = StoppingAtChanges(base.copy(), 10**9, after=False)
    act(counting)
    for stop_at in range(1, counting.calls + 1):
        storage = base.copy()
        with pytest.raises(KilledError):
            act(StoppingAtChanges(storage, stop_at, after=after))
        assert problems(storage) == [], stop_at
        with open_plain(storage) as repository:
            assert repository.snapshot_set.settle().problems == []
            prune(repository, REQUEST, SilentMonitor())
            assert repository.snapshot_set.examine().undone == []
        assert problems(storage) == []
        assert storage.list("sessions/") == []
