"""`diff`: what differs between two snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_part
from rowvault.core.monitor import Monitor
from rowvault.timeline.diff import DiffResult, diff_snapshots


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """Which two snapshots, and which part of them."""

    repository: RepositoryAccess
    old: SnapshotChoice
    new: SnapshotChoice
    database: str | None
    table: str | None


@dataclass(frozen=True, slots=True)
class SnapshotsDiff:
    """The difference, with the ids that the two names stood for."""

    old: str
    new: str
    difference: DiffResult


def diff(options: DiffOptions, monitor: Monitor) -> SnapshotsDiff:
    """Compares two snapshots by walking only where they differ.

    Raises SnapshotNotFoundError, UsageError, DamageError.
    """
    with options.repository.open() as repository:
        wanted = wanted_part(options.database, options.table)
        old, new = (choice.of(repository, wanted).snapshot for choice in (options.old, options.new))
        difference = diff_snapshots(repository, old, new, options.database, options.table, monitor)
        return SnapshotsDiff(old.id, new.id, difference)
