"""`snapshots` and `show`: what a repository holds."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.repository import Snapshot, Sources
from rowvault.repository.absence import refuse_unexplained_emptiness


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """A snapshot and the tags that it carries now."""

    snapshot: Snapshot
    tags: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class SnapshotsOptions:
    """Which repository."""

    repository: RepositoryAccess
    source: str | None = None
    """Only snapshots of this source."""


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
        sources = Sources(one.snapshot for one in listings if one.snapshot is not None)
        sources.require(options.source)
        for listing in listings:
            if listing.snapshot is None:
                result.damage.append(str(listing.damage))
                continue
            source = sources.name_of(listing.snapshot)
            if options.source in (None, source):
                tags = tuple(repository.tags(listing.id))
                result.entries.append(SnapshotEntry(listing.snapshot, tags, source))
        return result


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Which snapshot."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice


def show(options: ShowOptions) -> SnapshotEntry:
    """One snapshot. Raises SnapshotNotFoundError."""
    with options.repository.open() as repository:
        found = options.snapshot.of(repository)
        tags = tuple(repository.tags(found.snapshot.id))
        return SnapshotEntry(found.snapshot, tags, found.source)
