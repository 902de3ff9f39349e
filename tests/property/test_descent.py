"""A history of changes, reverts, backups, forgets, prunes, crashes and second writers.

The model is plain rows. Whatever happens, every snapshot that is kept restores to what it was taken
of, no chain is longer than the format allows, and every frame builds on less deep ones alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from rowvault.codec.frames import MAXIMUM_DEPTH, FrameHeader
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.failing_storage import KilledError, StoppingStorage
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    MIDDLING,
    Row,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

START = sample_rows(150)


def tables_of(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """One table that is stored by column, and one that is not, without a block in common."""
    others = [(key, text[::-1] + b".") for key, text in rows]
    return {("shop", "orders"): list(rows), ("shop", "as rows"): others}


def frames(repository: Repository) -> Iterator[tuple[FrameHeader, int]]:
    """(header, depth in the index) of all frames that the index lists."""
    place = repository.internals
    place.index.refresh()
    for segment in place.index.segments:
        for record in segment.records():
            location = segment.decode(record)
            yield place.blocks.header(record[:PREFIX_BYTES], location), location.depth


class Descent(RuleBasedStateMachine):
    """One repository, and the rows of each snapshot in it."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = MemoryStorage()
        self.rows = list(START)
        self.content: dict[str, list[Row]] = {}
        self.number = 0
        self.monotonic = 0.0

    @initialize()
    def make(self) -> None:
        Repository.create(self.storage, None, MIDDLING)
        self.back_up(1)

    @rule(seed=st.integers(0, 99), changes=st.integers(1, 6))
    def update(self, seed: int, changes: int) -> None:
        random = Random(seed + 1000 * self.number)
        for _ in range(changes):
            at = random.randrange(len(self.rows))
            self.rows[at] = (self.rows[at][0], b"%x" % random.getrandbits(random.choice([64, 240])))

    @rule(seed=st.integers(0, 99), at=st.floats(0, 1), count=st.integers(1, 30))
    def insert_or_delete(self, seed: int, at: float, count: int) -> None:
        place = int(at * len(self.rows))
        if seed % 2 and len(self.rows) > 60:
            del self.rows[place : place + count]
            return
        key = self.rows[place - 1][0] if place else b"0"
        new = sample_rows(count, salt=f"{seed} {self.number}")
        self.rows[place:place] = [(b"%s.%s" % (key, one), text) for one, text in new]

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: self.content)
    def revert(self, which: int) -> None:
        kept = list(self.content.values())
        self.rows = list(kept[which % len(kept)])

    @rule(days=st.integers(1, 5))
    def back_up(self, days: int) -> None:
        """Each day has a change of its own."""
        for day in range(days):
            if day:
                self.update(day, 1)
            self.number += 1
            with open_plain(self.storage) as repository:
                snapshot = take_snapshot(
                    repository, self.tables(), self.number, parent=latest(repository)
                )
            self.content[snapshot.id] = list(self.rows)

    @rule(calls=st.integers(8, 40), after=st.booleans())
    def back_up_and_crash(self, calls: int, after: bool) -> None:
        storage = StoppingStorage(self.storage, calls, after=after)
        self.number += 1
        try:
            with open_plain(storage) as repository:
                snapshot = take_snapshot(
                    repository, self.tables(), self.number, parent=latest(repository)
                )
            self.content[snapshot.id] = list(self.rows)
        except KilledError:
            with open_plain(self.storage) as repository:  # it may have committed
                for snapshot in repository.snapshots():
                    self.content.setdefault(snapshot.id, list(self.rows))

    @rule(max_unused=st.sampled_from([0.0, 0.2]), seed=st.integers(0, 9))
    def second_writer_beside_a_prune(self, max_unused: float, seed: int) -> None:
        """Both build on one parent; what the first relies on, the prune may just condemn."""
        with open_plain(self.storage) as repository:
            parent = latest(repository)
            with repository.begin(
                "backup", SilentMonitor(), parent=None if parent is None else parent.id
            ) as session:
                self.number += 1
                draft = put_all(session, repository, self.tables(), self.number, parent=parent)
                held = list(self.rows)
                self.prune(max_unused)
                self.update(seed, 2)
                self.back_up(1)
                self.prune(max_unused)
                self.content[session.commit(draft).id] = held

    @rule(which=st.integers(0, 9))
    @precondition(lambda self: len(self.content) > 1)
    def forget(self, which: int) -> None:
        with open_plain(self.storage) as repository:
            snapshots = repository.snapshots()
            gone = snapshots[which % len(snapshots)]
            repository.forget(gone)
        del self.content[gone.id]

    @rule(max_unused=st.sampled_from([0.0, 0.2]))
    def prune(self, max_unused: float) -> None:
        with open_plain(self.storage) as repository:
            request = PruneRequest(
                limits=PruneLimits(max_unused=max_unused), clock=lambda: self.monotonic
            )
            prune(repository, request, SilentMonitor())
        self.look()

    @rule()
    def time_passes(self) -> None:
        """Sessions of runs that crashed lapse, once two prunes have seen them."""
        self.monotonic += 1e4

    def look(self) -> None:
        """All snapshots are what they were taken of."""
        with open_plain(self.storage) as repository:
            for snapshot in repository.snapshots():
                rows = read_snapshot(repository, snapshot)
                assert rows == tables_of(self.content[snapshot.id])

    def teardown(self) -> None:
        if not self.content:
            return
        self.look()
        with open_plain(self.storage) as repository:
            assert check(repository, True, SilentMonitor()).errors == []
            for header, depth in frames(repository):
                assert header.depth == depth <= MAXIMUM_DEPTH
                assert bool(header.bases) == (depth > 0)

    def tables(self) -> dict[tuple[str, str], list[Row]]:
        return tables_of(self.rows)


def latest(repository: Repository) -> Snapshot | None:
    snapshots = repository.snapshots()
    return snapshots[-1] if snapshots else None


TestDescent = pytest.mark.slow(Descent.TestCase)
TestDescent.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
