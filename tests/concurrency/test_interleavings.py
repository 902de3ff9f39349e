"""Writers, forget, undelete, prune, repair, deaths and clock jumps, mixed at each storage call.

The model is plain: which snapshots were committed and what they hold. Whenever nobody is in the
middle of a call, every listed snapshot reads back whole, and at the end garbage can go.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rowvault.core.errors import LockedError, MissingError, RepositoryError, RowvaultError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records import session_watch
from rowvault.repository.records.session_object import ProcessIdentity
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.engine import repair
from support.interleaving import Run, SteppedStorage
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    MIDDLING,
    SMALL,
    Row,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

VERSIONS: list[dict[tuple[str, str], list[Row]]] = [
    {("shop", "orders"): [*sample_rows(30 + 10 * number), *sample_rows(40, salt=f"v{number}")[30:]]}
    for number in range(3)
] + [{("shop", "orders"): sample_rows(40, salt=f"other {number}")} for number in range(2)]
"""Contents that share blocks in part; a run stores one of them."""


def scattered(number: int) -> list[Row]:
    """Rows of which every block holds some that only this number has."""
    return [
        (key, b"%d %s" % (number, text) if place % 12 == number else text)
        for place, (key, text) in enumerate(sample_rows(90))
    ]


CHANGED: list[dict[tuple[str, str], list[Row]]] = [
    {
        ("shop", "orders"): scattered(number),
        ("shop", "as rows"): [(key, text[::-1]) for key, text in scattered(number)],
    }
    for number in range(6)
]
"""Contents whose blocks are stored as deltas of each other."""

RANDOM = Random()
"""Instead of the system's, from whose bytes keys are made: where blocks are cut, and so how many
calls a run makes, is the same whenever an example is tried again."""

_STEPS = st.integers(1, 40)


class Interleavings(RuleBasedStateMachine):
    """Runs at work, and what must be there whatever they do."""

    versions = VERSIONS
    sizes = SMALL
    follows_parents = False

    def __init__(self) -> None:
        super().__init__()
        RANDOM.seed(0)
        self.storage = MemoryStorage()
        self.runs: list[Run] = []
        self.content: dict[str, int] = {}
        """Committed snapshots: which version they hold."""
        self.proven: tuple[dict[str, bytes], dict[str, int]] = ({}, {})
        """The objects and the content that were last found to be whole."""
        self.numbers = iter(range(1, 10**6))
        self.monotonic = 0.0

    @initialize()
    def make(self) -> None:
        repository = Repository.create(self.storage, None, self.sizes)
        self.content[take_snapshot(repository, self.versions[0], 0).id] = 0

    def start(self, name: str, work: Callable[[Repository], None]) -> None:
        def run(run: Run) -> None:
            with Repository.open(SteppedStorage(self.storage, run), lambda: b"") as repository:
                work(repository)

        self.runs.append(Run(name, run))

    @precondition(lambda self: len(self.runs) < 4)
    @rule(choice=st.integers(0, 59))
    def begin_backup(self, choice: int) -> None:
        number = next(self.numbers)
        version = choice % len(self.versions)

        def work(repository: Repository) -> None:
            snapshots = repository.snapshots()
            parent = snapshots[-1] if snapshots else None
            parent_id = None if parent is None else parent.id
            with repository.begin("backup", SilentMonitor(), parent=parent_id) as session:
                # It may have been forgotten and pruned between the two.
                is_there = session.parent is not None
                base = parent if self.follows_parents and is_there else None
                draft = put_all(session, repository, self.versions[version], number, parent=base)
                snapshot = session.commit(draft)
                self.content[snapshot.id] = version

        self.start("backup", work)

    @precondition(lambda self: len(self.runs) < 4)
    @rule(max_unused=st.sampled_from([0.0, 0.3]))
    def begin_prune(self, max_unused: float) -> None:
        request = PruneRequest(
            limits=PruneLimits(max_unused=max_unused),
            clock=lambda: self.monotonic,
            allow_remove_all=True,
        )
        self.start("prune", lambda repository: _ignore(prune(repository, request, SilentMonitor())))

    @precondition(lambda self: len(self.runs) < 4)
    @rule(which=st.integers(0, 3))
    def begin_forget(self, which: int) -> None:
        def work(repository: Repository) -> None:
            snapshots = repository.snapshots()
            if which < len(snapshots):
                repository.forget(snapshots[which])

        self.start("forget", work)

    @precondition(lambda self: len(self.runs) < 4)
    @rule(which=st.integers(0, 2))
    def begin_undelete(self, which: int) -> None:
        self.start("undelete", lambda one: _ignore(one.trash.take_back(f"latest~{which}")))

    @precondition(lambda self: len(self.runs) < 4)
    @rule()
    def begin_repair(self) -> None:
        """Nothing is damaged, so it has nothing to do, and may take nothing away."""

        def work(repository: Repository) -> None:
            report = repair(repository, SilentMonitor())
            assert report.snapshots == []
            assert report.dropped == []

        self.start("repair", work)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 3), steps=_STEPS)
    def go_on(self, which: int, steps: int) -> None:
        run = self.runs[which % len(self.runs)]
        for _ in range(steps):
            run.step()
        self.reap()

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 3))
    def finish(self, which: int) -> None:
        run = self.runs[which % len(self.runs)]
        while not run.ended:
            run.step()
        self.reap()

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 3))
    def die(self, which: int) -> None:
        """Without a last word. Its session object stays until it lapses."""
        self.runs.pop(which % len(self.runs)).kill()

    @rule(seconds=st.sampled_from([1.0, 700.0, 1e6]))
    def time_passes(self, seconds: float) -> None:
        """Runs that are at work, but make no step meanwhile, may be thought dead."""
        self.monotonic += seconds

    def reap(self) -> None:
        for run in [run for run in self.runs if run.ended]:
            self.runs.remove(run)
            if run.error is not None and not isinstance(run.error, _expected(run.name)):
                raise run.error

    @invariant()
    def listed_snapshots_are_whole(self) -> None:
        # What is read depends on nothing else.
        now = (dict(self.storage.objects), dict(self.content))
        if "config" not in self.storage.objects or now == self.proven:
            return
        with open_plain(self.storage) as repository:
            for snapshot in repository.snapshots():
                version = self.content.get(snapshot.id)
                if version is not None:
                    assert read_snapshot(repository, snapshot) == self.versions[version]
        self.proven = now

    def teardown(self) -> None:
        for run in self.runs:
            run.kill()
        if "config" not in self.storage.objects:
            return
        with open_plain(self.storage) as repository:
            for at in (0.0, 1e9, 2e9, 3e9):  # whoever died is seen, and then seen to be dead
                request = PruneRequest(
                    limits=PruneLimits(max_unused=0),
                    clock=lambda at=at: 1e9 + at,
                    allow_remove_all=True,  # of backups that died before there was any snapshot
                )
                with contextlib.suppress(LockedError):  # by a prune that has died
                    prune(repository, request, SilentMonitor())
        self.listed_snapshots_are_whole()
        with open_plain(self.storage) as repository:
            assert check(repository, True, SilentMonitor()).errors == []
            assert repository.trash.listings() == []
            if not repository.snapshots():
                assert self.storage.list("packs/") == []
        assert self.storage.list("sessions/") == []


class Descents(Interleavings):
    """The same with blocks that are deltas of blocks of the snapshot before."""

    versions = CHANGED
    sizes = MIDDLING
    follows_parents = True


def _ignore(result: object) -> None:
    """What it returns does not matter here."""


def _expected(name: str) -> tuple[type[BaseException], ...]:
    """What a run may fail with when others are at work: a clear error, and no snapshot."""
    if name in ("backup", "undelete"):
        return (RepositoryError,)
    if name == "repair":  # without any snapshot it says so, and leaves the packs to a prune
        return (LockedError, RepositoryError, MissingError)
    return (LockedError, RepositoryError) if name == "prune" else (RowvaultError,)


@pytest.fixture(autouse=True)
def _nobody_is_known_to_be_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are threads of one process here, so only their heartbeats can tell."""
    monkeypatch.setattr(ProcessIdentity, "is_gone", lambda self: False)
    monkeypatch.setattr(os, "urandom", RANDOM.randbytes)
    assert session_watch.LEASE_S == 600


@pytest.mark.parametrize("machine", [Interleavings, Descents])
def test_interleavings(machine: type[Interleavings]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
