"""Row-chunks: how the rows of one table are shared out."""

from __future__ import annotations

from rowvault.core.model import TableDefinition
from rowvault.source.protocol import RowRange
from rowvault.sqltext.quoting import identifier

MOST_RANGES = 4096


def even_ranges(least: int, greatest: int, wanted: int) -> list[RowRange]:
    """About `wanted` half-open ranges of equal width over least..greatest, open at both ends.

    The open ends make the ranges cover the whole key, whatever the server's figures say.
    """
    span = greatest - least + 1
    count = max(1, min(wanted, span, MOST_RANGES))
    edges = [least + span * number // count for number in range(1, count)]
    lows: list[int | None] = [None, *edges]
    highs: list[int | None] = [*edges, None]
    return [RowRange(low, high) for low, high in zip(lows, highs, strict=True)]


def range_bounds(table: TableDefinition, rows: RowRange) -> list[str]:
    """The conditions of a row-chunk on the first key column of the table `t`; none: all rows."""
    if rows.low is None and rows.high is None:
        return []
    column = f"`t`.{identifier(table.columns[table.key[0]].name)}"
    low = [] if rows.low is None else [f"{column} >= {rows.low}"]
    high = [] if rows.high is None else [f"{column} < {rows.high}"]
    return low + high
