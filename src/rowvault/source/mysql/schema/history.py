"""The history of MariaDB's system-versioned tables: two more columns, and all versions as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rowvault.source.mysql.keys.columns import ColumnFacts
from rowvault.source.mysql.wire.connection import Connection
from rowvault.sqltext.mysql.versioning import INSERT_HISTORY

SESSION = ((INSERT_HISTORY, "1"),)
"""Of a definition whose rows are those of the history too."""

_BOUNDED = b"PARTITION BY SYSTEM_TIME LIMIT "
_PART = re.compile(rb"PARTITION (`(?:[^`]|``)*`) HISTORY")
_IMPLICIT = (("row_start", "ROW START"), ("row_end", "ROW END"))
"""The server's own columns of a table that names none."""


def is_carried(connection: Connection, columns: Sequence[ColumnFacts]) -> bool:
    """Whether versions can be put back: not where they count transactions, nor by a server that
    makes all times itself."""
    if any(one.is_period and one.data_type.lower() != "timestamp" for one in columns):
        return False
    query = f"SHOW SESSION VARIABLES LIKE '{INSERT_HISTORY}'"
    return bool(connection.rows(query, "asking what the server can restore"))


def is_scattered(connection: Connection, quoted_name: str, statement: bytes) -> bool:
    """Whether the history lies in several partitions of bounded size.

    The server counts rows to fill one after the other, and puts those that it is given into the
    first. `quoted_name` is the quoted name of the table.
    """
    if _BOUNDED not in statement:
        return False
    partitions = [found.decode("utf-8", "surrogateescape") for found in _PART.findall(statement)]
    return any(
        connection.rows(f"SELECT 1 FROM {quoted_name} PARTITION ({name}) LIMIT 1")
        for name in partitions[1:]
    )


def with_period(columns: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """All columns and those of the period, which a table need not name."""
    if any(one.is_period for one in columns):
        return list(columns)
    period = [
        ColumnFacts(name, "timestamp", "timestamp(6)", "", "STORED GENERATED", what, False)
        for name, what in _IMPLICIT
    ]
    return [*columns, *period]
