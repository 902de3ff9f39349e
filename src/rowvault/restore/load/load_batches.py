"""Shares the rows of tables out to the connections that load them.

A connection stays with its table, so that it adds rows in the order of the key and waits for
nobody; it begins the next one when its own is done, and helps with the largest rest when all are
begun.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence

from rowvault.render.table import row_groups
from rowvault.repository import LeafEntry, Repository, TableRecord

PORTION_BYTES = 4 << 20
"""Neighbouring rows that are loaded at once, in raw bytes: enough that what a transaction costs by
itself does not show, small beside what is in memory anyway."""

Portion = list[LeafEntry]
"""Entries that together hold whole rows."""


class TableLoad:
    """How far one table is; its state is guarded by the lock of `LoadQueue`."""

    def __init__(self, repository: Repository, record: TableRecord) -> None:
        self.record = record
        self.bytes_left = record.root.sums.raw_bytes
        self.has_large_rows = False
        """One alone was more than a portion should be: reading it takes memory."""
        self._running = 0
        self._portions = _batches(row_groups(repository.tree(record.root).entries()))
        self._next: Portion | None = None

    def begin(self) -> None:
        """Looks for the first portion. Raises DamageError."""
        self._next = next(self._portions, None)

    @property
    def can_be_taken(self) -> bool:
        """Without a key the order of insertion is the order of the rows: one at a time."""
        return self._next is not None and (self._running == 0 or bool(self.record.definition.key))

    def take(self) -> Portion:
        """The next portion. Raises DamageError."""
        portion = self._next
        assert portion is not None
        self._next = next(self._portions, None)
        self._running += 1
        size = sum(entry.raw_bytes for entry in portion)
        self.bytes_left -= size
        self.has_large_rows |= size > PORTION_BYTES
        return portion

    def loaded(self) -> bool:
        """A portion that was taken is in; True: it was the last one."""
        self._running -= 1
        return self._next is None and self._running == 0


class LoadQueue:
    """The portions left, taken by several threads, and the first error."""

    def __init__(self, repository: Repository, records: Sequence[TableRecord]) -> None:
        ordered = sorted(records, key=lambda record: record.root.sums.raw_bytes, reverse=True)
        self._waiting = iter([TableLoad(repository, record) for record in ordered])
        self._begun: list[TableLoad] = []
        self._lock = threading.Lock()
        self._is_stopped = False
        self.error: BaseException | None = None

    @property
    def is_stopped(self) -> bool:
        """Nobody is to begin anything."""
        return self._is_stopped

    def take(self, mine: TableLoad | None) -> tuple[TableLoad, Portion] | None:
        """A portion of the table that the thread is at, or of another; None: nothing is left.

        Raises what reading the tree's nodes raises.
        """
        with self._lock:
            table = None if self._is_stopped else self._choose(mine)
            return None if table is None else (table, table.take())

    def loaded(self, table: TableLoad) -> bool:
        """A portion of the table is in; True for one thread alone: all of its rows are."""
        with self._lock:
            is_whole = table.loaded()
            if is_whole:
                self._begun.remove(table)
            return is_whole

    def stop(self, error: BaseException | None = None) -> None:
        """Ends all threads at their next portion."""
        with self._lock:
            self.error = self.error or error
            self._is_stopped = True

    def _choose(self, mine: TableLoad | None) -> TableLoad | None:
        if mine is not None and mine.can_be_taken:
            return mine
        for table in self._waiting:
            table.begin()
            if table.can_be_taken:
                self._begun.append(table)
                return table
        open_ones = [table for table in self._begun if table.can_be_taken]
        return max(open_ones, key=lambda table: table.bytes_left, default=None)


def _batches(groups: Iterable[list[LeafEntry]]) -> Iterator[Portion]:
    """The groups, joined up to PORTION_BYTES; a row in fragments stays by itself."""
    portion: Portion = []
    size = 0
    for group in groups:
        group_bytes = sum(entry.raw_bytes for entry in group)
        if portion and (size + group_bytes > PORTION_BYTES or len(group) > 1):
            yield portion
            portion, size = [], 0
        portion += group
        size += group_bytes
        if len(group) > 1:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
