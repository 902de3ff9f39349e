"""Puts the rows of a snapshot's tables into a target, over several connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from rowvault.core.model import TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.render.table import read_group, row_groups
from rowvault.repository.manifest import TableRecord
from rowvault.repository.node import LeafEntry
from rowvault.repository.repository import Repository
from rowvault.source.protocol import Loader, Target

RUN_BYTES = 4 << 20
"""Neighbouring rows that one connection loads at once, in raw bytes: enough that what a transaction
costs by itself does not show, small beside what is in memory anyway."""

Loaded = Callable[[TableDefinition, int], None]
"""Is told of rows that stand, by any of the threads."""

Run = tuple[TableDefinition, Iterable[list[LeafEntry]]]
"""Entries in portions, each of whole rows, to be loaded one after the other by one connection."""


def load_tables(
    repository: Repository,
    records: Sequence[TableRecord],
    target: Target,
    worker_count: int,
    monitor: Monitor,
    loaded: Loaded,
) -> None:
    """Loads every row of every table. Raises RestoreError, DamageError: the first one met."""
    work = _Work(_runs(repository, records))
    loaders = [target.open_loader() for _ in range(worker_count)]
    threads = [
        threading.Thread(
            target=_load, args=(work, loader, repository, monitor, loaded), daemon=True
        )
        for loader in loaders
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(timeout=0.2)
    finally:
        work.stop.set()
        for loader in loaders:
            loader.close()
    if work.error is not None:
        raise work.error


class _Work:
    """The runs left, taken by the loading threads, and the first error."""

    def __init__(self, runs: Iterator[Run]) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self.stop = threading.Event()
        self.error: BaseException | None = None

    def take(self) -> Run | None:
        """The next run; also what its blocks' tree nodes raise."""
        with self._lock:
            return None if self.stop.is_set() else next(self._runs, None)

    def fail(self, error: BaseException) -> None:
        """Ends all threads at their next block."""
        with self._lock:
            self.error = self.error or error
        self.stop.set()


def _runs(repository: Repository, records: Sequence[TableRecord]) -> Iterator[Run]:
    ordered = sorted(records, key=lambda record: record.root.sums.raw_bytes, reverse=True)
    for record in ordered:
        portions = _portions(row_groups(repository.tree(record.root).entries()))
        if record.definition.key:
            for portion in portions:
                yield record.definition, [portion]
        else:
            # Without a key the order of insertion is the order of the rows: one connection.
            yield record.definition, portions


def _portions(groups: Iterable[list[LeafEntry]]) -> Iterator[list[LeafEntry]]:
    """The groups, joined up to RUN_BYTES; a row in fragments stays by itself."""
    portion: list[LeafEntry] = []
    size = 0
    for group in groups:
        group_bytes = sum(entry.raw_bytes for entry in group)
        if portion and (size + group_bytes > RUN_BYTES or len(group) > 1):
            yield portion
            portion, size = [], 0
        portion += group
        size += group_bytes
        if len(group) > 1:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _load(
    work: _Work, loader: Loader, repository: Repository, monitor: Monitor, loaded: Loaded
) -> None:
    try:
        while (run := work.take()) is not None:
            definition, portions = run
            monitor.item(definition.label)
            for portion in portions:
                if work.stop.is_set():
                    return
                batch = read_group(repository, portion, len(definition.columns))
                loader.load(definition, batch)
                loaded(definition, len(batch.ends))
                monitor.advance(len(batch.ends), len(batch.rows))
    except BaseException as error:  # the main thread raises it again
        work.fail(error)
