"""`stats`: what a repository's bytes are, and the four figures."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.core.errors import (
    DamageError,
    LockedError,
    ObjectMissingError,
    UnsupportedFormatError,
)
from rowvault.core.monitor import Monitor
from rowvault.repository import Repository, Snapshot
from rowvault.upkeep.backup_metrics import BackupMetrics, backup_metrics, reading_speed
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
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
    prune: PruneReport | None
    """What a prune with the usual limits would do; None of one snapshot, or where none can tell."""
    prune_unknown: str | None
    """Why that cannot be told: what damage or which run is in the way."""


def stats(options: StatsOptions, monitor: Monitor) -> StatsResult:
    """Reads snapshots, trees and the packs' footers; changes nothing.

    Without a snapshot also the frames that a prune would store anew.
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
        foreseen, unknown = (None, None) if chosen else _foresee_prune(repository, monitor)
        return StatsResult(repository.location, chosen, found, subject, metrics, foreseen, unknown)


def _foresee_prune(
    repository: Repository, monitor: Monitor
) -> tuple[PruneReport | None, str | None]:
    """The prune's own dry run: no other reckoning can say the same. It takes no lock."""
    try:
        return prune(repository, PruneRequest(dry_run=True), monitor), None
    except (DamageError, LockedError, ObjectMissingError, UnsupportedFormatError) as error:
        return None, str(error)
