"""`snapshots` and `show`: what a repository holds."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.repository.absence import refuse_unexplained_emptiness
from rowvault.repository.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """A snapshot and the tags that it carries now."""

    snapshot: Snapshot
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnapshotsOptions:
    """Which repository."""

    repository: RepositoryAccess


@dataclass(frozen=True, slots=True)
class SnapshotsResult:
    """What a repository holds."""

    entries: list[SnapshotEntry]
    """Oldest first."""
    damage: list[str]
    """One message for each snapshot whose document cannot be read."""


def snapshots(options: SnapshotsOptions) -> SnapshotsResult:
    """All snapshots. Raises RepositoryError."""
    with options.repository.open() as repository:
        result = SnapshotsResult([], [])
        listings = repository.listings()
        if not listings:
            refuse_unexplained_emptiness(repository)
        for listing in listings:
            if listing.snapshot is None:
                result.damage.append(str(listing.damage))
            else:
                tags = tuple(repository.tags(listing.id))
                result.entries.append(SnapshotEntry(listing.snapshot, tags))
        return result


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Which snapshot."""

    repository: RepositoryAccess
    snapshot: str


def show(options: ShowOptions) -> SnapshotEntry:
    """One snapshot. Raises SnapshotNotFoundError."""
    with options.repository.open() as repository:
        snapshot = repository.find(options.snapshot)
        return SnapshotEntry(snapshot, tuple(repository.tags(snapshot.id)))
