"""Puts the rows of a snapshot's tables into a target, over several connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from rowvault.core.model import TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.render.table import read_group, row_groups
from rowvault.repository.manifest import TableRecord
from rowvault.repository.node import LeafEntry
from rowvault.repository.repository import Repository
from rowvault.source.protocol import Loader, Target

RUN_BLOCKS = 32
"""Neighbouring blocks that one connection loads in a row, so that it stays in one region of the
key."""

Loaded = Callable[[TableDefinition, int], None]
"""Is told of rows that stand, by any of the threads."""

Run = tuple[TableDefinition, Iterable[list[LeafEntry]]]


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
        groups = row_groups(repository.tree(record.root).entries())
        if not record.definition.key:
            # Without a key the order of insertion is the order of the rows: one connection.
            yield record.definition, groups
            continue
        while run := list(islice(groups, RUN_BLOCKS)):
            yield record.definition, run


def _load(
    work: _Work, loader: Loader, repository: Repository, monitor: Monitor, loaded: Loaded
) -> None:
    try:
        while (run := work.take()) is not None:
            definition, groups = run
            monitor.item(definition.label)
            for group in groups:
                if work.stop.is_set():
                    return
                batch = read_group(repository, group, len(definition.columns))
                loader.load(definition, batch)
                loaded(definition, len(batch.ends))
                monitor.advance(len(batch.ends), len(batch.rows))
    except BaseException as error:  # the main thread raises it again
        work.fail(error)
