"""Runs the row-chunks of many tables over the connections of one snapshot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat

import msgspec

from rowvault.core.monitor import Monitor
from rowvault.repository import ParentTables, Repository
from rowvault.scan.jobs import JobQueue
from rowvault.scan.pace import Pace
from rowvault.scan.sink import BlockSink
from rowvault.scan.table import ScannedTable, TableScan
from rowvault.source.protocol import Division, RowRange, RowReader, SourceSnapshot, SourceTable

LARGEST_CHUNK_BYTES = 64 << 20
"""A row-chunk's size by the server's estimate: large beside the few blocks that are cut twice at
each edge, small beside a table that one worker would hold up."""

SMALLEST_CHUNK_BYTES = 8 << 20
"""Below this, what is done twice at the edges begins to show."""

CHUNKS_PER_WORKER = 32
"""So many row-chunks for each worker, and the last one to end is late by a few per cent."""

LEAST_CHUNKS_PER_WORKER = 2
"""Of a small table, which is read when little is left to do beside it."""

ROW_BYTES = 100
"""What a row costs beside its bytes, in bytes: between an unchanged backup, where the server's part
is all there is (240 were measured), and a full one, where each byte is compressed (45)."""

_MARGIN = 1.25
"""The server's guesses of sizes are as wrong as this."""

_LOOKAHEAD = 4
"""So many row-chunks per worker are known before they are read: enough to find the next ones in
time, few enough that the pages which were touched to find them are still in the server's cache."""


class WorkerStats(msgspec.Struct):
    """What one connection read."""

    rows: int = 0
    raw_bytes: int = 0
    seconds: float = 0.0
    """Until the end of its last job."""


class ScanResult(msgspec.Struct, frozen=True):
    """All tables as trees, in the order asked for, and who read how much."""

    tables: tuple[ScannedTable, ...]
    workers: tuple[WorkerStats, ...]


class _StoppedError(Exception):
    """Another worker failed; this one ends without a word."""


class _Worker(msgspec.Struct):
    """One reader, its number, and its figures."""

    number: int
    reader: RowReader
    stats: WorkerStats
    advance: Callable[[int, int], None]
    pace: Pace
    monitor: Monitor
    label: str = ""
    """Of the table it is at."""


class _Read(msgspec.Struct, frozen=True):
    """A job: reads one row-chunk."""

    scan: TableScan
    index: int

    def run(self, worker: _Worker) -> None:
        self.scan.run(self.index, worker.reader, worker.advance)
        _read_again_if_short(self.scan, worker)


class _Divide(msgspec.Struct, frozen=True):
    """A job: finds the next row-chunks of a table, and comes back for those behind them."""

    scan: TableScan
    rank: int
    division: Division
    queue: JobQueue[_Read | _Divide]
    lookahead: int

    def run(self, worker: _Worker) -> None:
        found = self.division.more(worker.number)
        if not found:
            self.scan.close(self.division.counted_rows(worker.number))
            _read_again_if_short(self.scan, worker)
            return
        index = 0
        for rows in found:
            index = self.scan.add(rows)
            self.queue.put((self.rank, index), _Read(self.scan, index))
        self.queue.put((self.rank, index - self.lookahead), self)


def _read_again_if_short(scan: TableScan, worker: _Worker) -> None:
    """Where rows fell between ranges, for whatever reason."""
    if not scan.begins_again():
        return
    worker.monitor.warning(
        f"{scan.definition.label}: its row-chunks do not hold as many rows as are counted in the "
        "same moment (keys may compare in another order than their index has, or rows lie in a "
        "wrong partition); it is read again, whole and by one connection."
    )
    scan.run(0, worker.reader, worker.advance)


def scan_tables(
    snapshot: SourceSnapshot,
    tables: Sequence[SourceTable],
    sink: BlockSink,
    repository: Repository,
    monitor: Monitor,
    pace: Pace | None = None,
    parents: ParentTables | None = None,
) -> ScanResult:
    """Reads all tables over all connections, large tables first; no faster than `pace`.

    `parents`: what the tables were, for blocks that changed.

    Raises the first error that a worker met; the others end at their next batch.
    """
    readers = snapshot.readers()
    definitions = [table.definition for table in tables]
    earlier = repeat(None) if parents is None else parents.match(definitions)
    scans = [
        TableScan(definition, sink, repository.cut_rule, repository.node_rule, parent)
        for definition, parent in zip(definitions, earlier, strict=False)  # one may be endless
    ]
    pace = pace or Pace()
    queue: JobQueue[_Read | _Divide] = JobQueue()
    _fill(queue, snapshot, tables, scans, len(readers))
    stats = tuple(WorkerStats() for _ in readers)
    _run_all(
        [
            partial(_work, queue, _worker(queue, number, reader, own, monitor, pace), monitor)
            for number, (reader, own) in enumerate(zip(readers, stats, strict=True))
        ],
        queue,
    )
    return ScanResult(tuple(_results(scans)), stats)


def chunk_bytes(table_bytes: int, all_bytes: int, worker_count: int) -> int:
    """How large a table's row-chunks should be, so that all workers end at about the same time.

    `all_bytes`: of all tables. A table that is small among them has row-chunks for every worker.
    """
    even = all_bytes // (worker_count * CHUNKS_PER_WORKER)
    shared = table_bytes // (worker_count * LEAST_CHUNKS_PER_WORKER)
    return max(SMALLEST_CHUNK_BYTES, min(LARGEST_CHUNK_BYTES, even, shared))


def cost(table: SourceTable) -> int:
    """How long reading a table takes, beside others."""
    return table.estimated_bytes + table.estimated_rows * ROW_BYTES


def keeps_others_waiting(table_cost: float, rest_cost: float, worker_count: int) -> bool:
    """Read whole, a table would still be read when the others have done all that comes behind it.

    Only then it is divided: each range costs the server comparisons of each row with its bounds,
    and questions for them.
    """
    return table_cost * (worker_count - 1) * _MARGIN > rest_cost


def _fill(
    queue: JobQueue[_Read | _Divide],
    snapshot: SourceSnapshot,
    tables: Sequence[SourceTable],
    scans: Sequence[TableScan],
    worker_count: int,
) -> None:
    """Urgent and large tables first; those that several workers are to share are divided by a job.

    Others wait for an urgent table, whose lock ends with its last row: one worker reads it whole.
    """
    all_bytes = sum(table.estimated_bytes for table in tables)
    sized = sorted(
        zip(scans, tables, strict=True),
        key=lambda pair: (pair[1].is_urgent, cost(pair[1])),
        reverse=True,
    )
    rest_cost = sum(map(cost, tables))
    for rank, (scan, table) in enumerate(sized):
        rest_cost -= cost(table)
        target_bytes = chunk_bytes(table.estimated_bytes, all_bytes, worker_count)
        if (
            worker_count > 1
            and not table.is_urgent
            and table.estimated_bytes >= 2 * target_bytes
            and keeps_others_waiting(cost(table), rest_cost, worker_count)
        ):
            division = snapshot.divide(table, target_bytes)
            lookahead = _LOOKAHEAD * worker_count
            queue.put((rank, -lookahead), _Divide(scan, rank, division, queue, lookahead))
        else:
            index = scan.add(RowRange())
            scan.close()
            queue.put((rank, index), _Read(scan, index))


def _worker(
    queue: JobQueue[_Read | _Divide],
    number: int,
    reader: RowReader,
    stats: WorkerStats,
    monitor: Monitor,
    pace: Pace,
) -> _Worker:
    def advance(rows: int, raw_bytes: int) -> None:
        if queue.is_stopped:
            raise _StoppedError
        stats.rows += rows
        stats.raw_bytes += raw_bytes
        monitor.advance(rows, raw_bytes)
        pace.after_batch(raw_bytes, lambda: queue.is_stopped)

    return _Worker(number, reader, stats, advance, pace, monitor)


def _work(queue: JobQueue[_Read | _Divide], worker: _Worker, monitor: Monitor) -> None:
    started = time.monotonic()
    try:
        while _work_once(queue, worker, monitor):
            worker.stats.seconds = time.monotonic() - started
    except _StoppedError:
        pass
    except BaseException as error:  # the main thread raises it again
        queue.stop(error)


def _work_once(queue: JobQueue[_Read | _Divide], worker: _Worker, monitor: Monitor) -> bool:
    with queue.take() as job:
        if job is not None:
            if worker.label != (label := job.scan.definition.label):
                worker.label = label
                monitor.item(label)
            worker.pace.before_read(lambda: queue.is_stopped)
            job.run(worker)
        return job is not None


def _run_all(bodies: Sequence[Callable[[], None]], queue: JobQueue[_Read | _Divide]) -> None:
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
        queue.stop()
        raise
    if queue.error is not None:
        raise queue.error


def _results(scans: Iterable[TableScan]) -> Iterable[ScannedTable]:
    for scan in scans:
        if scan.result is None:
            raise RuntimeError(f"{scan.definition.label} was not read to its end")
        yield scan.result
