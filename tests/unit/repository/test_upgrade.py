"""Features that a repository lacks are switched on by its owner alone, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crash.test_prune_stops import dying_process
from rowvault.core.errors import LockedError, RepositoryError, UsageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.features import DELTAS, FEATURES
from rowvault.repository.records.live_session import LiveSession
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.upgrade import upgrade
from support.failing_storage import KilledError, StoppingAtChanges
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, open_plain, read_snapshot, sample_rows, take_snapshot

__all__ = ["dying_process"]

ROWS = {("shop", "orders"): sample_rows(60)}


@pytest.fixture
def old() -> MemoryStorage:
    """A repository without any feature, as the first version made it."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL, features=()) as repository:
        take_snapshot(repository, ROWS)
    return storage


def test_all_that_is_lacking_is_switched_on(old: MemoryStorage) -> None:
    with open_plain(old) as repository:
        assert repository.missing_features == FEATURES
        assert check(repository, True, SilentMonitor()).missing_features == FEATURES
        assert upgrade(repository, (), SilentMonitor()).features == FEATURES
        assert repository.missing_features == ()
    with open_plain(old) as repository:
        assert check(repository, True, SilentMonitor()).missing_features == ()
        assert read_snapshot(repository, repository.find("latest")) == ROWS
        assert upgrade(repository, (), SilentMonitor()).features == ()


def test_a_new_repository_has_every_feature() -> None:
    with Repository.create(MemoryStorage(), None, SMALL) as repository:
        assert repository.missing_features == ()


def test_one_is_switched_on_by_name(old: MemoryStorage) -> None:
    with open_plain(old) as repository:
        assert upgrade(repository, (DELTAS.name,), SilentMonitor()).features == (DELTAS,)
        assert set(repository.missing_features) == set(FEATURES) - {DELTAS}
        with pytest.raises(UsageError, match="holograms"):
            upgrade(repository, ("holograms",), SilentMonitor())


def test_a_dry_run_changes_nothing(old: MemoryStorage) -> None:
    before = dict(old.objects)
    with open_plain(old) as repository:
        assert upgrade(repository, (), SilentMonitor(), dry_run=True).features == FEATURES
    assert old.objects == before


def test_a_run_at_work_is_named_and_left_alone(old: MemoryStorage) -> None:
    with open_plain(old) as repository, repository.begin("backup", SilentMonitor()) as session:
        with pytest.raises(LockedError, match=session.id):
            upgrade(open_plain(old), (), SilentMonitor())
        assert open_plain(old).missing_features == FEATURES
    assert old.list("sessions/") == []


def test_a_session_has_the_features_from_after_its_beginning(old: MemoryStorage) -> None:
    """A process that opened the repository before an upgrade writes as one that opens it now."""
    with open_plain(old) as early:
        upgrade(open_plain(old), (), SilentMonitor())
        with early.begin("backup", SilentMonitor()):
            assert early.missing_features == ()
            assert all(one in early.internals.features for one in FEATURES)


def test_a_session_that_begins_meanwhile_cannot_commit(
    old: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have read the config just before it was replaced."""
    repository = open_plain(old)
    begun: list[LiveSession] = []
    switch_on = Repository.switch_on

    def begin_first(one: Repository, features: tuple[object, ...]) -> None:
        place = open_plain(old).internals
        begun.append(LiveSession(place.storage, place.snapshot_store, "backup"))
        switch_on(one, features)  # type: ignore[arg-type]

    monkeypatch.setattr(Repository, "switch_on", begin_first)
    monitor = SilentMonitor()
    assert upgrade(repository, (), monitor).features == FEATURES
    with pytest.raises(RepositoryError):
        begun[0].commit(repository.snapshots()[0], ())
    begun[0].withdraw()
    assert "ended a run" in monitor.warnings[0]
    assert old.list("sessions/") == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.usefixtures("dying_process")
def test_killed_at_every_call(old: MemoryStorage, after: bool) -> None:
    def act(storage: StoppingAtChanges) -> None:
        upgrade(open_plain(storage), (), SilentMonitor())

    calls = _count(old, act)
    assert calls >= 3
    found = set()
    for stop_at in range(1, calls + 1):
        storage = old.copy()
        with pytest.raises(KilledError):
            act(StoppingAtChanges(storage, stop_at, after=after))
        with open_plain(storage) as repository:
            found.add(repository.missing_features)
            assert check(repository, True, SilentMonitor()).errors == []
            upgrade(repository, (), SilentMonitor())
            assert repository.missing_features == ()
            assert read_snapshot(repository, take_snapshot(repository, ROWS, 1)) == ROWS
        assert storage.list("sessions/") == []
    assert found == {FEATURES, ()}


def _count(old: MemoryStorage, act: Callable[[StoppingAtChanges], None]) -> int:
    counting = StoppingAtChanges(old.copy(), 10**9, after=False)
    act(counting)
    return counting.calls
