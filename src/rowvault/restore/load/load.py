"""Puts the rows of a snapshot's tables into a target, over several connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rowvault.codec.rows import RowBatch
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.render.table import read_group
from rowvault.repository import Repository, TableRecord
from rowvault.restore.load.load_batches import LoadQueue, TableLoad
from rowvault.source.protocol import Loader


@dataclass(frozen=True, slots=True)
class Loading:
    """What loading is told and tells; the functions are called by any of the threads."""

    deferred: frozenset[str]
    """Labels of the tables that get their keys behind their rows."""
    loaded: Callable[[TableDefinition, int], None]
    """Hears of rows that stand."""
    completed: Callable[[TableRecord, bool], None]
    """Hears of tables that stand with all their rows and indexes; True: some rows are large."""


def load_tables(
    repository: Repository,
    records: Sequence[TableRecord],
    open_loader: Callable[[], Loader],
    worker_count: int,
    monitor: Monitor,
    loading: Loading,
) -> None:
    """Loads every row of every table, and builds the keys that were left for later.

    `open_loader` is called once for each worker, before the first row.

    Raises RestoreError, DamageError: the first one met.
    """
    work = LoadQueue(repository, records)
    loaders = [open_loader() for _ in range(worker_count)]
    threads = [
        threading.Thread(
            target=_Worker(work, loader, repository, monitor, loading).run, daemon=True
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
        work.stop()
        for loader in loaders:
            loader.close()
    if work.error is not None:
        raise work.error


class _Nowhere:
    """Rows that are read, and with that proven, go nowhere."""

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """They were read."""

    def add_keys(self, table: TableDefinition) -> None:
        """There are none."""

    def close(self) -> None:
        """There is nothing to end."""


def read_tables(
    repository: Repository, records: Sequence[TableRecord], worker_count: int, monitor: Monitor
) -> None:
    """Reads every row of every table, each block proven by its id. Raises DamageError."""
    nothing = Loading(frozenset(), lambda table, rows: None, lambda record, is_large: None)
    load_tables(repository, records, _Nowhere, worker_count, monitor, nothing)


@dataclass(frozen=True, slots=True)
class _Worker:
    """One thread, over one connection."""

    work: LoadQueue
    loader: Loader
    repository: Repository
    monitor: Monitor
    loading: Loading

    def run(self) -> None:
        """Loads until nothing is left, or somebody failed."""
        table: TableLoad | None = None
        try:
            while (taken := self.work.take(table)) is not None:
                if taken[0] is not table:
                    self.monitor.item(taken[0].record.definition.label)
                table, portion = taken
                definition = table.record.definition
                batch = read_group(self.repository, portion, len(definition.columns))
                self.loader.load(definition, batch)
                self.loading.loaded(definition, len(batch.ends))
                self.monitor.advance(len(batch.ends), len(batch.rows))
                if self.work.loaded(table):
                    self._complete(table)
        except BaseException as error:  # the main thread raises it again
            self.work.stop(error)

    def _complete(self, table: TableLoad) -> None:
        record = table.record
        if record.definition.label in self.loading.deferred:
            self.monitor.item(f"{record.definition.label}: indexes")
            self.loader.add_keys(record.definition)
        self.loading.completed(record, table.has_large_rows)
