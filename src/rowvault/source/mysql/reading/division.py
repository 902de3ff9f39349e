"""Shares out the rows of one table among several readers, whatever its key is made of.

An edge between two row-chunks is always the key of a row. A range that holds too many rows, by the
server's own guess, is halved: at the first row behind a value that lies halfway between its first
and its last key, on the first column in which these differ. Where no such value can be reckoned or
none does well, the server walks along the index from one edge to the next.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from rowvault.source.mysql.keys.bounds import KeyPart, TextKind, bound_of, key_part
from rowvault.source.mysql.keys.key_proof import proves_itself
from rowvault.source.mysql.keys.keys import AccessPath
from rowvault.source.mysql.keys.scales import Scale, scale_for
from rowvault.source.mysql.reading.probe import Probe
from rowvault.source.mysql.reading.reader import MysqlRowReader
from rowvault.source.mysql.wire import faults
from rowvault.source.protocol import Bound, Key, RowRange, SourceTable

RANGES_AT_ONCE = 4
_MOST_GUESSES = 20
_MOST_POOR_EDGES = 4
"""So many edges in a row that cut off next to nothing, and the range is walked instead."""
_STEPS = (1, 2, 4, 8, 16)
"""How far to walk, in row-chunks, while rows are met whose keys the server does not find."""

_log = logging.getLogger(__name__)


class MysqlDivision:
    """The row-chunks of one table in key order, found a few at a time. Used by one thread at a
    time, over whichever connection is at hand: all see the same rows."""

    def __init__(
        self,
        table: SourceTable,
        path: AccessPath,
        target_bytes: int,
        readers: Sequence[MysqlRowReader],
        texts: Mapping[str, TextKind],
    ) -> None:
        """`path` must be ordered, by columns whose values can be bounds; `texts`: those of them
        that hold characters, by name."""
        self._table = table.definition
        self._path = path
        self._readers = readers
        self._rows = table.estimated_rows
        self._share = target_bytes / max(1, table.estimated_bytes)
        named = {column.name: column for column in self._table.columns}
        self._parts = tuple(key_part(one, named[one.name], texts) for one in path.order)
        self._low: Key | None = None
        self._highs: list[Key] = []
        """Edges that are known already behind `_low`, the next one last."""
        self._is_walking = False
        self._poor_edges = 0
        self._is_over = False
        self._ordinal = 0

    def more(self, worker: int) -> Sequence[RowRange]:
        """The next few row-chunks. Raises SourceError and its kinds."""
        if self._is_over:
            return ()
        reader = self._readers[worker]
        probe = self._probe(reader)
        # The catalogue may not have noticed yet that rows came.
        self._rows = self._rows or probe.estimate(RowRange())
        found: list[RowRange] = []
        while not self._is_over and len(found) < RANGES_AT_ONCE:
            found.append(self._next(probe))
        reader.let_go(self._table)
        return found

    def counted_rows(self, worker: int) -> int | None:
        """None where readers prove each row-chunk. Raises SourceError and its kinds."""
        if self._ordinal == 1 or proves_itself(self._table, self._path.order):
            return None  # one row-chunk has no ranges that a row could fall between
        reader = self._readers[worker]
        count = self._probe(reader).row_count()
        reader.let_go(self._table)
        return count

    def _probe(self, reader: MysqlRowReader) -> Probe:
        return Probe(reader, self._table, self._path, self._parts)

    def _next(self, probe: Probe) -> RowRange:
        found = self._walk(probe) if self._is_walking else self._halve(probe)
        rows = replace(found, ordinal=self._ordinal)
        self._ordinal += 1
        problem = "" if rows == RowRange() else probe.problem(rows)
        if problem:
            rows = replace(rows, high=None, high_key=None)
            _log.warning(
                "%s is read by one connection%s: %s.",
                self._table.label,
                "" if rows.low is None else " from some row on",
                problem,
            )
        self._low, self._is_over = rows.high_key, rows.high is None
        if self._highs and self._highs[-1] == rows.high_key:
            self._highs.pop()
            self._is_walking = False
        return rows

    @property
    def _wanted_rows(self) -> int:
        return max(1, int(self._rows * self._share))

    @property
    def _rest(self) -> RowRange:
        """From here to the next edge that is known."""
        return self._between(self._low, self._highs[-1] if self._highs else None)

    def _between(self, low: Key | None, high: Key | None) -> RowRange:
        return RowRange(self._bound(low), self._bound(high), low_key=low, high_key=high)

    def _bound(self, key: Key | None) -> Bound | None:
        return None if key is None else bound_of(self._parts, key)

    def _halve(self, probe: Probe) -> RowRange:
        while (count := probe.estimate(self._rest)) > 2 * self._wanted_rows:
            edge = self._edge_inside(probe, self._rest, count)
            if edge is None:
                self._is_walking = True
                return self._walk(probe)
            self._highs.append(edge)
        while self._highs and count < self._wanted_rows // 2:
            beyond = self._between(self._low, self._highs[-2] if len(self._highs) > 1 else None)
            if (count := probe.estimate(beyond)) > 2 * self._wanted_rows:
                break
            self._highs.pop()
        return self._rest

    def _walk(self, probe: Probe) -> RowRange:
        for step in _STEPS:
            key = probe.skip(self._rest, self._wanted_rows * step)
            if key is None:
                return self._rest
            if probe.finds(probe.bound(key)):
                return self._between(self._low, key)
        _log.info(
            "%s is read by one connection over many rows: the server does not find their keys.",
            self._table.label,
        )
        return self._rest

    def _edge_inside(self, probe: Probe, rows: RowRange, count: int) -> Key | None:
        try:
            return self._edge_near_middle(probe, rows, count)
        except faults.StatementError as error:
            if error.code in faults.NO_SUCH_VALUE:
                return None
            raise

    def _edge_near_middle(self, probe: Probe, rows: RowRange, count: int) -> Key | None:
        first, last = probe.first(rows), probe.last(rows)
        if first is None or last is None:
            return None
        for position, part in enumerate(self._parts):
            scale = scale_for(part, first[position], last[position])
            if scale is None and first[position] != last[position]:
                return None
            if scale is None or scale.number(first[position]) == scale.number(last[position]):
                continue
            # The first row itself would be an edge with nothing in front of it.
            inner = RowRange(probe.bound(first), rows.high)
            span = _Span(probe, inner, part, scale, first[:position])
            edge, part_count = span.halve(first[position], last[position], count)
            self._poor_edges = self._poor_edges + 1 if part_count < count // 64 else 0
            if (
                edge is None
                or self._poor_edges > _MOST_POOR_EDGES
                or not probe.finds(probe.bound(edge))
            ):
                self._poor_edges = 0
                return None
            return edge
        return None


class _Span(msgspec.Struct, frozen=True):
    """A range of rows that begins with one, and the column whose values are halved in it."""

    probe: Probe
    rows: RowRange
    part: KeyPart
    scale: Scale
    prefix: Key
    """The values of the key columns in front of it."""

    def halve(self, first: bytes, last: bytes, count: int) -> tuple[Key | None, int]:
        """(the edge that comes closest to the middle, rows on its smaller side)."""
        best, best_count = None, -1
        # The server's order may be the other one.
        low, high = sorted((self._place(first), self._place(last)))
        for _ in range(_MOST_GUESSES):
            if low >= high:
                break
            guess = (low + high + 1) // 2
            bound = self._bound(guess)
            key = self.probe.at_or_behind(bound, self.rows)
            if key is None:
                high = guess - 1
                continue
            edge = self.probe.bound(key)
            left = self.probe.estimate(RowRange(self.rows.low, edge))
            right = self.probe.estimate(RowRange(edge, self.rows.high))
            if min(left, right) > best_count:
                best, best_count = key, min(left, right)
            if best_count >= count // 4:
                break
            if left < right:
                # Nothing lies between the guess and that row.
                low = max(guess, self._place_of(key, guess))
            else:
                before = self.probe.last(RowRange(self.rows.low, bound))
                high = min(guess - 1, self._place_of(before, guess - 1))
        return best, best_count

    def _bound(self, number: int) -> Bound:
        value = self.scale.value(-number if self.part.order.is_descending else number)
        return self.probe.bound((*self.prefix, value))

    def _place(self, value: bytes) -> int:
        number = self.scale.number(value)
        return -number if self.part.order.is_descending else number

    def _place_of(self, key: Key | None, otherwise: int) -> int:
        """Where a row lies; `otherwise`: it has no place, or lies behind another prefix."""
        position = len(self.prefix)
        if key is None or key[:position] != self.prefix:
            return otherwise
        try:
            return self._place(key[position])
        except ValueError:
            return otherwise
