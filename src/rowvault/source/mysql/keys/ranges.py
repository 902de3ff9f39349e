"""Row-chunks in SQL: the condition that a row lies behind one bound and before another.

Written so that the optimizer sees one interval of the index. Of row constructors it makes a scan
of the whole index; of `a >= x AND (a > x OR b >= y)` it uses the first half alone, and reads all
rows of `x` each time.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rowvault.source.protocol import Bound, RowRange
from rowvault.sqltext.quoting import identifier

MOST_NUMBERED = 256
"""An ENUM or SET of more values makes conditions too long."""


class OrderPart(msgspec.Struct, frozen=True):
    """One column of the index that a table is read along."""

    name: str
    is_descending: bool = False
    value_count: int = 0
    """Of ENUM and SET: their values are the numbers below this one. Indexes serve `=` alone."""

    @property
    def column(self) -> str:
        """The column itself: an alias could hide it behind an expression."""
        return f"`t`.{identifier(self.name)}"


def order_by(order: Sequence[OrderPart], backward: bool = False) -> str:
    """` ORDER BY ...` along the index; empty without columns."""
    words = [part.column + (" DESC" if part.is_descending != backward else "") for part in order]
    return f" ORDER BY {', '.join(words)}" if words else ""


def in_range(order: Sequence[OrderPart], rows: RowRange) -> str:
    """The condition that a row lies in a row-chunk; empty where both ends are open."""
    terms = []
    if rows.low is not None:
        terms.append(at_or_behind(order, rows.low))
    if rows.high is not None:
        terms.append(before(order, rows.high))
    return " AND ".join(terms)


def at_or_behind(order: Sequence[OrderPart], bound: Bound) -> str:
    """The row is at the bound or comes later."""
    return _beyond(order, bound, forward=True, inclusive=True)


def behind(order: Sequence[OrderPart], bound: Bound) -> str:
    """The row comes later than the bound, and does not begin with it."""
    return _beyond(order, bound, forward=True, inclusive=False)


def before(order: Sequence[OrderPart], bound: Bound) -> str:
    """The row comes earlier than the bound, and does not begin with it."""
    return _beyond(order, bound, forward=False, inclusive=False)


def at(order: Sequence[OrderPart], bound: Bound) -> str:
    """The row begins with the bound."""
    return " AND ".join(
        f"{part.column} = {value}" for part, value in zip(order, bound, strict=False)
    )


def where(condition: str) -> str:
    """` WHERE ...`; empty without a condition."""
    return f" WHERE {condition}" if condition else ""


def _beyond(order: Sequence[OrderPart], bound: Bound, *, forward: bool, inclusive: bool) -> str:
    part, value = order[0], bound[0]
    is_more = part.is_descending != forward
    if len(bound) == 1:
        return _compared(part, value, is_more=is_more, inclusive=inclusive)
    rest = _beyond(order[1:], bound[1:], forward=forward, inclusive=inclusive)
    beyond = _compared(part, value, is_more=is_more, inclusive=False)
    return f"({beyond} OR {part.column} = {value} AND {rest})"


def _compared(part: OrderPart, value: str, *, is_more: bool, inclusive: bool) -> str:
    if not part.value_count:
        return f"{part.column} {'>' if is_more else '<'}{'=' if inclusive else ''} {value}"
    least = int(value) + (not inclusive) if is_more else 0
    end = part.value_count if is_more else int(value) + inclusive
    # Of two NULLs neither is met, and servers see no constant in them whose rows they would sort.
    numbers = ", ".join(map(str, range(least, end))) or "NULL, NULL"
    return f"{part.column} IN ({numbers})"
