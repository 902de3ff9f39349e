"""What a server warns about when rows are put into a table: mostly that they are not as sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rowvault.codec.rows import RowBatch, decode_row
from rowvault.core.model import TableDefinition, ValueKind
from rowvault.sqltext.mysql.enumeration import is_enum
from rowvault.sqltext.mysql.load_mode import COMPUTED, computes_columns

Warned = tuple[str, int, str]
"""(level, code, message)"""

_NAMED_WARNINGS = 3
_WARNED_COLUMN = re.compile(
    r"column (?:'(?P<name>.*)'|`.*`\.`.*`\.`(?P<full>.*)`) at row \d+$", re.DOTALL
)
_TRUNCATED = 1265
_DEPRECATED = 1287
"""MySQL says so of every introducer of a charset that it means to drop."""
_COUNTED_WARNINGS = 60_000
"""A server counts and lists at most 65,535 warnings (LOADING's max_error_count); a statement of
more values that it may warn of is divided, so that no warning hides behind harmless ones."""


def most_rows(table: TableDefinition) -> int:
    """So many rows may be in one statement."""
    computed = table.statement.count(COMPUTED)
    introduced = sum(column.introducer != "" for column in table.columns)
    return _COUNTED_WARNINGS // max(1, computed + introduced + len(_enums(table)))


def loss(table: TableDefinition, count: int, listed: Sequence[Warned], rows: RowBatch) -> str:
    """What the warnings say about values that are not as they were sent; empty: nothing."""
    warnings = [
        one for one in listed if one[1] != _DEPRECATED and not _is_of_computed(table, one[2])
    ]
    count -= len(listed) - len(warnings)
    others = [one for one in warnings if one[1] != _TRUNCATED]
    if others or count != _count_of_index_zero(table, rows):
        return named(others or warnings)
    return ""


def named(warnings: Sequence[Warned]) -> str:
    """The first of them, and how many more."""
    lines = [f"{message} ({level} {code})" for level, code, message in warnings]
    more = len(lines) - _NAMED_WARNINGS
    return "; ".join(lines[:_NAMED_WARNINGS]) + (f"; and {more} more" if more > 0 else "")


def _is_of_computed(table: TableDefinition, message: str) -> bool:
    """It tells of a column that the server computes, or of the computation alone."""
    if not computes_columns(table):
        return False
    found = _WARNED_COLUMN.search(message)
    sent = {column.name for column in table.columns}
    return found is None or (found["name"] or found["full"]) not in sent


def _enums(table: TableDefinition) -> list[int]:
    return [at for at, column in enumerate(table.columns) if is_enum(column)]


def _count_of_index_zero(table: TableDefinition, rows: RowBatch) -> int:
    """How many values are an ENUM's error value: the server warns of each as truncated."""
    zeros = {
        at: b"0" if table.columns[at].kind is ValueKind.NUMBER else b"" for at in _enums(table)
    }
    count = position = 0
    for _ in rows.ends:
        values, position = decode_row(rows.rows, position, len(table.columns))
        count += sum(values[at] == zero for at, zero in zeros.items())
    return count
