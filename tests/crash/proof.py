"""What must hold after a power cut: a run's states, each with what was promised by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import pytest

from crash.power_cut import Disk, State, recorded
from rowvault.core.errors import NoRepositoryError, RowvaultError
from rowvault.core.ids import SnapshotId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from support.memory_storage import MemoryStorage
from support.sample_repository import Row, Tables, open_plain, read_snapshot


class Place(Enum):
    """Where a snapshot may be found."""

    LISTED = "listed"
    TRASH = "in the trash"
    NOWHERE = "nowhere"


LISTED = frozenset({Place.LISTED})
TRASH = frozenset({Place.TRASH})
NOWHERE = frozenset({Place.NOWHERE})

Rows = dict[tuple[str, str], list[Row]]


@dataclass(frozen=True)
class Promise:
    """What was reported as done, and what was under way, when the power failed."""

    is_created: bool = True
    versions: tuple[tuple[SnapshotId, int], ...] = ()
    """(snapshot, number of its rows' version)"""
    places: tuple[tuple[SnapshotId, frozenset[Place]], ...] = ()
    """(snapshot, where it may be); in more than one place while it is moved."""


class Proof:
    """Collects the states of a run, each once with each promise."""

    def __init__(self, versions: Sequence[Tables]) -> None:
        self.versions = versions
        """All that a snapshot may hold."""
        self.promise = Promise()
        self.states: dict[tuple[State, Promise], None] = {}
        """In the order in which they were met."""

    def commit(self, snapshot: Snapshot, version: int) -> None:
        """A run has reported a snapshot."""
        versions = (*self.promise.versions, (snapshot.id, version))
        self.promise = replace(self.promise, versions=versions)
        self.move([snapshot.id], LISTED)

    def move(self, snapshots: Iterable[SnapshotId], places: frozenset[Place]) -> None:
        """From now on these may be in these places and in no other."""
        moved = {**dict(self.promise.places), **dict.fromkeys(snapshots, places)}
        self.promise = replace(self.promise, places=tuple(moved.items()))

    def collect(self, disk: Disk) -> None:
        """All states that a power cut now may leave."""
        for state in disk.states():
            self.states[state, self.promise] = None

    def distinct_count(self) -> int:
        """How many states there are, whatever was promised."""
        return len({state for state, _ in self.states})

    def problems(self) -> list[str]:
        """What does not hold in one of the states; empty when all of them are sound."""
        return list(self._problems())

    def is_broken(self) -> bool:
        """Whether something does not hold in one of the states; looks no further than to that."""
        return any(self._problems())

    def _problems(self) -> Iterator[str]:
        """Each state is read once, and held against all that was promised of it."""
        promises: dict[State, list[Promise]] = {}
        for state, promise in self.states:
            promises.setdefault(state, []).append(promise)
        for state, made in promises.items():
            yield from self._problems_of(state, made)

    def _problems_of(self, state: State, promises: Sequence[Promise]) -> Iterator[str]:
        try:
            with open_plain(MemoryStorage(dict(state))) as repository:
                yield from (str(one) for one in check(repository, True, SilentMonitor()).errors)
                found = dict(found_snapshots(repository))
        except NoRepositoryError as error:
            if any(promise.is_created for promise in promises):
                yield str(error)
        except RowvaultError as error:
            yield f"{type(error).__name__}: {error}"
        else:
            for promise in promises:
                yield from self._broken(found, promise)

    def _broken(
        self, found: Mapping[SnapshotId, tuple[Place, Rows]], promise: Promise
    ) -> Iterator[str]:
        for snapshot, version in promise.versions:
            _, rows = found.get(snapshot, (Place.NOWHERE, self.versions[version]))
            if rows != self.versions[version]:
                yield f"snapshot {snapshot} has other rows"
        yield from misplaced(found, promise)
        for snapshot, (_, rows) in found.items():
            if rows not in self.versions:
                yield f"snapshot {snapshot} was never taken"


def found_snapshots(
    repository: Repository,
) -> Iterator[tuple[SnapshotId, tuple[Place, Rows]]]:
    """All snapshots, forgotten ones too, with their rows; every block is read."""
    for one in repository.trash.listings():
        if one.document is None:
            assert one.damage is not None
            raise one.damage
        yield one.id, (Place.TRASH, read_snapshot(repository, one.document.snapshot))
    for snapshot in repository.snapshots():
        yield snapshot.id, (Place.LISTED, read_snapshot(repository, snapshot))


def misplaced(found: Mapping[SnapshotId, tuple[Place, Rows]], promise: Promise) -> Iterator[str]:
    """Snapshots that are where they must not be."""
    for snapshot, places in promise.places:
        place = found[snapshot][0] if snapshot in found else Place.NOWHERE
        if place not in places:
            wanted = " or ".join(sorted(one.value for one in places))
            yield f"snapshot {snapshot} is {place.value} instead of {wanted}"


Run = Callable[[Path, Proof], None]


def record(
    place: Path,
    run: Run,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    versions: Sequence[Tables],
) -> Proof:
    """Runs it on the disk, and collects all states on the way."""
    proof = Proof(versions)
    disk.load()
    disk.on_change = proof.collect
    with recorded(disk, monkeypatch):
        run(place, proof)
    proof.collect(disk)
    return proof
