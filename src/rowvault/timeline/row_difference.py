"""How many rows differ between two trees of one table, and which keys they have.

Only blocks that are in one of the trees alone are looked into. Rows match by key; without a key, as
a multiset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import RowBatch, encode_row
from rowvault.core.monitor import Monitor
from rowvault.render.table import read_group, row_groups
from rowvault.repository import LeafEntry, Repository, TableRecord, TreeReader, differing

MOST_LOOKED_AT_BYTES = 16 << 20
"""Of rows between two places where the trees agree; keys of a larger region are not named."""

_PLAIN_KEY = b"\x01"


class TableRows(Protocol):
    """The rows of one side, read block by block in the order of its tree."""

    @property
    def tree(self) -> TreeReader:
        """The blocks."""
        ...

    def read(self, entries: Sequence[LeafEntry]) -> Iterable[RowBatch]:
        """The rows of these blocks, none of which is a fragment; a call reads on behind the last.

        Raises DamageError, SourceError.
        """
        ...

    def read_large(self, keys: set[bytes]) -> Iterable[RowBatch]:
        """Every large row, cut into fragments, whose block begins with one of these keys.

        The last that is asked for. Raises DamageError, SourceError.
        """
        ...


class RowCounts(msgspec.Struct, frozen=True):
    """Rows only on the right, only on the left, and of equal key but other values."""

    added: int
    removed: int
    changed: int
    keys: tuple[bytes, ...] = ()
    """Of the first of them, as trees keep first keys; not of tables without a key."""


class StoredRows:
    """The rows of a table in a repository."""

    def __init__(self, repository: Repository, record: TableRecord, monitor: Monitor) -> None:
        self.tree = repository.tree(record.root)
        self._repository = repository
        self._column_count = len(record.definition.columns)
        self._monitor = monitor

    def read(self, entries: Sequence[LeafEntry]) -> Iterable[RowBatch]:
        """Block by block."""
        for entry in entries:
            yield self._read([entry])

    def read_large(self, keys: set[bytes]) -> Iterable[RowBatch]:
        """Row by row."""
        for group in row_groups(self.tree.entries()):
            if group[0].fragment and group[0].first_key in keys:
                yield self._read(group)

    def _read(self, group: Sequence[LeafEntry]) -> RowBatch:
        batch = read_group(self._repository, group, self._column_count)
        self._monitor.advance(len(batch.ends), len(batch.rows))
        return batch


def count_rows(
    left: TableRows,
    right: TableRows,
    layout: RowLayout,
    row_key: bytes,
    *,
    in_key_order: bool,
    named_keys: int = 0,
) -> RowCounts:
    """Counts the rows that differ, and finds the keys of up to `named_keys` of them.

    `in_key_order`: both sides have one order, so that no row behind a place where the trees agree
    matches one before it. Otherwise all unmatched rows are remembered to the end, 62 bytes each.
    Raises DamageError, SourceError.
    """
    matcher = kernel.RowMatcher(layout, row_key)
    seeker = _KeySeeker(layout, named_keys)
    settles = in_key_order and not (_has_fragments(left.tree) or _has_fragments(right.tree))
    touched: set[bytes] = set()
    added = removed = 0
    for run in differing(left.tree, right.tree):
        for batch in left.read(_whole(run.left, touched)):
            matcher.left(batch.rows, batch.ends)
            seeker.take(batch, 0)
        for batch in right.read(_whole(run.right, touched)):
            matcher.right(batch.rows, batch.ends)
            seeker.take(batch, 1)
        if run.synchronised and in_key_order:
            seeker.settle(touched)
        if run.synchronised and settles:
            gone, come = matcher.flush()
            removed += gone
            added += come
    if touched:
        # A large row's fragments may be common one by one, also with those of its equals, so a
        # difference between fragments does not tell which rows differ; the rows themselves do.
        for batch in left.read_large(touched):
            matcher.left(batch.rows, batch.ends)
        for batch in right.read_large(touched):
            matcher.right(batch.rows, batch.ends)
    seeker.settle(touched)
    gone, come = matcher.flush()
    return RowCounts(added + come, removed + gone, matcher.changed, seeker.keys)


def _whole(entries: Iterable[LeafEntry], touched: set[bytes]) -> list[LeafEntry]:
    """The blocks of whole rows; of large rows only the key is noted in `touched`."""
    whole = []
    for entry in entries:
        if entry.fragment:
            touched.add(entry.first_key)
        else:
            whole.append(entry)
    return whole


def _has_fragments(tree: TreeReader) -> bool:
    """The table has rows larger than a block."""
    return tree.root.sums.entries != tree.root.sums.statements


class _KeySeeker:
    """Finds the keys of the first rows that differ, in the regions that are not too large."""

    def __init__(self, layout: RowLayout, most: int) -> None:
        self._layout = layout
        self._most = most if layout.key else 0
        self._found: dict[bytes, None] = {}
        self._forget()

    @property
    def keys(self) -> tuple[bytes, ...]:
        """In the order in which they were found."""
        return tuple(self._found)

    def _forget(self) -> None:
        self._sides: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
        self._bytes = 0

    def take(self, batch: RowBatch, side: int) -> None:
        """Rows of the left side, 0, or of the right one, 1."""
        self._bytes += len(batch.rows)
        if len(self._found) >= self._most or self._bytes > MOST_LOOKED_AT_BYTES:
            return
        start = 0
        values = kernel.row_values(batch.rows, self._layout.column_count)
        for row, end in zip(values, batch.ends, strict=True):
            key = _PLAIN_KEY + encode_row(row[index] for index in self._layout.key)
            self._sides[side][key] = batch.rows[start:end]
            start = end

    def settle(self, touched: Iterable[bytes]) -> None:
        """All that matches what was taken has been taken, too."""
        if self._bytes <= MOST_LOOKED_AT_BYTES:
            left, right = self._sides
            differing_keys = [key for key in left | right if left.get(key) != right.get(key)]
            for key in (*differing_keys, *sorted(touched)):
                if len(self._found) < self._most and key.startswith(_PLAIN_KEY):
                    self._found[key] = None
        self._forget()
