"""The four figures of a backup: two ratios and two times (docs/explanation/figures.md)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository

RECENT = 5
"""Backups whose median speed stands for the next one's."""
SAMPLE_BYTES = 16 << 20
"""Raw bytes that are read to see how fast reading is."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A part of the total data, which are the rows of a snapshot. Bytes."""

    part_bytes: int
    total_bytes: int

    @property
    def value(self) -> float | None:
        """None where there are no rows."""
        return self.part_bytes / self.total_bytes if self.total_bytes else None


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something took, and how long it would take: total data by speed."""

    measured_s: float | None
    """None: nothing that took this long is recorded."""
    total_bytes: int
    bytes_per_s: float | None
    assumption: str
    """Where the speed is from, and what it leaves out."""

    @property
    def estimated_s(self) -> float | None:
        """None where no speed is known."""
        return self.total_bytes / self.bytes_per_s if self.bytes_per_s else None


@dataclass(frozen=True, slots=True)
class BackupMetrics:
    """Of one snapshot."""

    backup_ratio: Ratio
    restore_ratio: Ratio
    backup_time: Duration
    restore_time: Duration


def backup_metrics(
    snapshot: Snapshot,
    snapshots: Sequence[Snapshot],
    needed_bytes: int,
    read_bytes_per_s: float | None,
    restore_bytes_per_s: float | None,
) -> BackupMetrics:
    """The figures of one of `snapshots`.

    `needed_bytes`: what a restore reads of the repository; `read_bytes_per_s`: rows that the
    repository was seen to give; `restore_bytes_per_s`: rows that a restore was seen to load.
    """
    total = snapshot.raw_bytes
    return BackupMetrics(
        Ratio(snapshot.stored_bytes, total),
        Ratio(needed_bytes, total),
        _backup_time(snapshot, snapshots),
        _restore_time(total, read_bytes_per_s, restore_bytes_per_s),
    )


def _backup_time(snapshot: Snapshot, snapshots: Sequence[Snapshot]) -> Duration:
    speeds = [
        one.raw_bytes / one.seconds
        for one in snapshots
        if one.server.server_id == snapshot.server.server_id and one.seconds > 0 and one.raw_bytes
    ][-RECENT:]
    return Duration(
        snapshot.seconds,
        snapshot.raw_bytes,
        statistics.median(speeds) if speeds else None,
        f"the median speed of this server's last {len(speeds)} backups",
    )


def _restore_time(total: int, read: float | None, restore: float | None) -> Duration:
    if restore is not None:
        return Duration(None, total, restore, "the speed that was given")
    assumption = (
        "as fast as the repository was read just now: the target takes its own time besides"
    )
    return Duration(None, total, read, assumption)


def reading_speed(repository: Repository, snapshot: Snapshot) -> float | None:
    """Raw bytes per second that a sample of a snapshot's rows is read and verified with.

    None where it has none. Raises DamageError, StorageError.
    """
    raw_bytes = 0
    started = time.perf_counter()
    for record in repository.manifest(snapshot).tables():
        for entry in repository.tree(record.root).entries():
            raw_bytes += len(repository.read_data(entry.id))
            if raw_bytes >= SAMPLE_BYTES:
                break
        if raw_bytes >= SAMPLE_BYTES:
            break
    seconds = time.perf_counter() - started
    return raw_bytes / seconds if raw_bytes and seconds > 0 else None
