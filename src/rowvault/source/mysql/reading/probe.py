"""Questions about the keys of one table, answered from its index without reading much of it."""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.model import TableDefinition
from rowvault.source.mysql.keys import ranges
from rowvault.source.mysql.keys.bounds import KeyPart, bound_of
from rowvault.source.mysql.keys.keys import AccessPath
from rowvault.source.mysql.reading.reader import MysqlRowReader, rows_of, select_statement
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Reply, text
from rowvault.source.protocol import Bound, Key, RowRange

_SCANS = frozenset({"ALL", "index"})


class Probe:
    """Asks inside the snapshot, over the connection of one reader."""

    def __init__(
        self,
        reader: MysqlRowReader,
        table: TableDefinition,
        path: AccessPath,
        parts: Sequence[KeyPart],
    ) -> None:
        """`parts`: the key's columns, in the order of the path."""
        self._reader = reader
        self._table = table
        self._path = path
        self._parts = parts
        self._estimates: dict[RowRange, int] = {}
        self._from = f"FROM {rows_of(table)} AS `t`"

    def bound(self, key: Key) -> Bound:
        """A key, or the first values of one, as a bound."""
        return bound_of(self._parts, key)

    def first(self, rows: RowRange) -> Key | None:
        """The key of the first row there; None: there is none."""
        return self._key(ranges.in_range(self._path.order, rows))

    def last(self, rows: RowRange) -> Key | None:
        """The key of the last row there."""
        return self._key(ranges.in_range(self._path.order, rows), backward=True)

    def at_or_behind(self, bound: Bound, rows: RowRange) -> Key | None:
        """The key of the first row at or behind `bound` that is not the first one there."""
        terms = [ranges.at_or_behind(self._path.order, bound)]
        if rows.low is not None:
            terms.append(ranges.behind(self._path.order, rows.low))
        if rows.high is not None:
            terms.append(ranges.before(self._path.order, rows.high))
        return self._key(" AND ".join(terms))

    def skip(self, rows: RowRange, count: int) -> Key | None:
        """The key of the row behind the first `count` rows there, over which the server walks."""
        return self._key(ranges.in_range(self._path.order, rows), skipped=count)

    def finds(self, bound: Bound) -> bool:
        """The bound means one row, to the server too, and it has no doubt about it."""
        condition = ranges.where(ranges.at(self._path.order, bound))
        try:
            reply = self._ask(f"SELECT COUNT(*) {self._from} {self._path.hint}{condition}")
        except faults.StatementError as error:
            if error.code in faults.NO_SUCH_VALUE:
                return False
            raise
        return reply.rows == ((b"1",),) and reply.warning_count == 0

    def row_count(self) -> int:
        """All rows, counted along whichever index the server finds smallest."""
        return int(self._ask(f"SELECT COUNT(*) {self._from}").rows[0][0] or 0)

    def estimate(self, rows: RowRange) -> int:
        """How many rows lie there, as the server guesses from a few pages of the index.

        It is asked once: the two halves of a range are the next ones that are looked at.
        """
        known = self._estimates.get(rows)
        if known is None:
            known = self._estimates[rows] = self._estimate(rows)
        return known

    def _estimate(self, rows: RowRange) -> int:
        # Not FORCE INDEX: with it MySQL does not even guess.
        hint = self._path.hint.replace("FORCE", "USE", 1)
        condition = ranges.where(ranges.in_range(self._path.order, rows))
        plan = self._plan(f"SELECT {self._parts[0].order.column} {self._from} {hint}{condition}")
        return int(plan.get("rows") or 0)

    def problem(self, rows: RowRange) -> str:
        """Why reading a row-chunk would take longer than it should; empty: it does not."""
        plan = self._plan(select_statement(self._table, rows, self._path))
        if plan.get("type") in _SCANS:
            return "the server would scan all of it for each part"
        if "filesort" in plan.get("extra", "") or "temporary" in plan.get("extra", ""):
            return "the server would sort each part"
        return ""

    def _key(self, condition: str, *, backward: bool = False, skipped: int = 0) -> Key | None:
        selected = ", ".join(part.selected for part in self._parts)
        order = ranges.order_by(self._path.order, backward)
        found = self._ask(
            f"SELECT {selected} {self._from} {self._path.hint}{ranges.where(condition)}{order} "
            f"LIMIT 1 OFFSET {skipped}"
        ).rows
        return tuple(value or b"" for value in found[0]) if found else None

    def _plan(self, statement: str) -> dict[str, str]:
        reply = self._ask(f"EXPLAIN {statement}")
        return {
            name.lower(): text(value)
            for name, value in zip(reply.columns, reply.rows[0], strict=True)
        }

    def _ask(self, statement: str) -> Reply:
        return self._reader.ask(self._table, statement)
