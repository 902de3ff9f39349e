"""`stats`: what a repository's bytes are, and the four figures."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.core.monitor import Monitor
from rowvault.repository import Snapshot
from rowvault.upkeep.backup_metrics import BackupMetrics, backup_metrics, reading_speed
from rowvault.upkeep.statistics import Statistics, gather


@dataclass(frozen=True, slots=True)
class StatsOptions:
    """Of what."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice | None = None
    """None: of the whole repository, and the figures of the latest snapshot."""
    restore_bytes_per_s: float | None = None
    """Rows that a restore was seen to load."""


@dataclass(frozen=True, slots=True)
class StatsResult:
    """Statistics, and the figures of a snapshot."""

    repository: str
    chosen: Snapshot | None
    statistics: Statistics
    metrics_of: Snapshot | None
    metrics: BackupMetrics | None
    """None where there is no snapshot."""


def stats(options: StatsOptions, monitor: Monitor) -> StatsResult:
    """Reads snapshots, trees and the packs' footers; changes nothing.

    Raises SnapshotNotFoundError, DamageError, StorageError.
    """
    with options.repository.open() as repository:
        chosen = None if options.snapshot is None else options.snapshot.of(repository).snapshot
        found = gather(repository, chosen, monitor)
        subject = chosen or (found.snapshots[-1] if found.snapshots else None)
        metrics = None
        if subject is not None:
            speed = reading_speed(repository, subject)
            metrics = backup_metrics(
                subject, found.snapshots, found.needed_bytes, speed, options.restore_bytes_per_s
            )
        return StatsResult(repository.location, chosen, found, subject, metrics)
