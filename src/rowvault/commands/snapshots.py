"""`snapshots` and `show`: what a repository holds."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
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


def snapshots(options: SnapshotsOptions) -> list[SnapshotEntry]:
    """All snapshots, oldest first. Raises RepositoryError, DamageError."""
    with options.repository.open() as repository:
        return [
            SnapshotEntry(snapshot, tuple(repository.tags(snapshot)))
            for snapshot in repository.snapshots()
        ]


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Which snapshot."""

    repository: RepositoryAccess
    snapshot: str


def show(options: ShowOptions) -> SnapshotEntry:
    """One snapshot. Raises SnapshotNotFoundError."""
    with options.repository.open() as repository:
        snapshot = repository.find(options.snapshot)
        return SnapshotEntry(snapshot, tuple(repository.tags(snapshot)))
