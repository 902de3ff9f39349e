"""Runs the row-chunks of many tables over the connections of one snapshot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from rowvault.core.monitor import Monitor
from rowvault.repository.repository import Repository
from rowvault.scan.sink import BlockSink
from rowvault.scan.table import ScannedTable, TableScan
from rowvault.source.protocol import RowReader, SourceSnapshot, SourceTable

CHUNK_BYTES = 64 << 20
"""A row-chunk's size by the server's estimate: large beside the few blocks that are cut twice at
each edge, small beside a table that one worker would hold up."""


@dataclass(slots=True)
class WorkerFigures:
    """What one connection read."""

    rows: int = 0
    raw_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ScanResult:
    """All tables as trees, in the order asked for, and who read how much."""

    tables: tuple[ScannedTable, ...]
    workers: tuple[WorkerFigures, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    scan: TableScan
    index: int


@dataclass(slots=True)
class _Shared:
    """Guarded by `lock`: the jobs left and the first error."""

    jobs: list[_Job]
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def take(self) -> _Job | None:
        with self.lock:
            return self.jobs.pop() if self.jobs and not self.stop.is_set() else None

    def fail(self, error: BaseException) -> None:
        with self.lock:
            self.error = self.error or error
        self.stop.set()


class _StoppedError(Exception):
    """Another worker failed; this one ends without a word."""


def scan_tables(
    snapshot: SourceSnapshot,
    tables: Sequence[SourceTable],
    sink: BlockSink,
    repository: Repository,
    monitor: Monitor,
) -> ScanResult:
    """Reads all tables over all connections, large tables first.

    Raises the first error that a worker met; the others end at their next batch.
    """
    scans = [
        TableScan(
            table.definition,
            snapshot.plan(table, CHUNK_BYTES),
            sink,
            repository.cut_rule,
            repository.node_rule,
        )
        for table in tables
    ]
    shared = _Shared(_jobs(scans, tables))
    readers = snapshot.readers()
    figures = tuple(WorkerFigures() for _ in readers)
    _run_all(
        [
            partial(_work, shared, reader, own, monitor)
            for reader, own in zip(readers, figures, strict=True)
        ],
        shared,
    )
    return ScanResult(tuple(_results(scans)), figures)


def _jobs(scans: Iterable[TableScan], tables: Sequence[SourceTable]) -> list[_Job]:
    """The last one is taken first: urgent and large tables, and their row-chunks in key order."""
    sized = sorted(
        zip(scans, tables, strict=True),
        key=lambda pair: (pair[1].is_urgent, pair[1].estimated_bytes),
        reverse=True,
    )
    jobs = [_Job(scan, index) for scan, _ in sized for index in range(len(scan.ranges))]
    jobs.reverse()
    return jobs


def _work(shared: _Shared, reader: RowReader, figures: WorkerFigures, monitor: Monitor) -> None:
    started = time.monotonic()

    def advance(rows: int, raw_bytes: int) -> None:
        if shared.stop.is_set():
            raise _StoppedError
        figures.rows += rows
        figures.raw_bytes += raw_bytes
        monitor.advance(rows, raw_bytes)

    try:
        while (job := shared.take()) is not None:
            monitor.item(job.scan.definition.label)
            job.scan.run(job.index, reader, advance)
    except _StoppedError:
        pass
    except BaseException as error:  # the main thread raises it again
        shared.fail(error)
    finally:
        figures.seconds = time.monotonic() - started


def _run_all(bodies: Sequence[Callable[[], None]], shared: _Shared) -> None:
    # Daemons: after Ctrl-C nobody waits for a worker whose server has fallen silent; the
    # snapshot's end shuts its connection.
    threads = [threading.Thread(target=body, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(timeout=0.2)
    except BaseException:
        shared.stop.set()
        raise
    if shared.error is not None:
        raise shared.error


def _results(scans: Iterable[TableScan]) -> Iterable[ScannedTable]:
    for scan in scans:
        if scan.result is None:
            raise RuntimeError(f"{scan.definition.label} was not read to its end")
        yield scan.result
