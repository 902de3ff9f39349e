"""A mark of all rows of a table: the same for the same rows in any order, and for no others.

Values are compared as the bytes that are stored, `CAST(c AS BINARY)`; FLOAT and DOUBLE as all
digits of a double, ENUM and SET by their number too, MySQL's JSON by its members' types too. Of a
system-versioned table the history is part of it, with the times of each version; of a partitioned
one, in which partition each row lies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import pymysql
import pymysql.cursors

from support.catalogue_marks import Facts

Connection: TypeAlias = "pymysql.connections.Connection[Any]"

_FLOATS = ("float", "double")
_NUMBERED = ("enum", "set")

_MEMBER_TYPES = (
    "(SELECT GROUP_CONCAT(JSON_TYPE(n.m) ORDER BY n.k) FROM JSON_TABLE({name}, '{path}' COLUMNS"
    " (k FOR ORDINALITY, m JSON PATH '$')) AS n)"
)
"""MySQL alone has the type: text does not tell the types of a document's members."""


def rows_mark(connection: Connection, facts: Facts, database: str, table: str) -> str:
    """How many rows, and the sum of their hashes; then of defaults that SHOW CREATE does not tell;
    then each partition's."""
    place = f"{_named(database)}.{_named(table)}"
    expressions = [part for column in facts.columns(table) for part in _parts(*column)]
    whole = place
    if facts.relations[table] == "SYSTEM VERSIONED":
        if not facts.names_period(table):
            expressions += ["CAST(ROW_START AS BINARY)", "CAST(ROW_END AS BINARY)"]
        whole = f"{place} FOR SYSTEM_TIME ALL"
    lines = [_sum(connection, expressions, whole)]
    untold = [f"CAST(DEFAULT({_named(name)}) AS BINARY)" for name in facts.untold_defaults(table)]
    if untold:
        one = f"{place} RIGHT JOIN (SELECT 1) AS `one` ON 0"
        lines.append(f"defaults: {_sum(connection, untold, one)}")
    for partition in facts.partitions(table):
        part = f"{place} PARTITION ({_named(partition)})"
        lines.append(f"partition {partition}: {_sum(connection, expressions, part)}")
    return "\n".join(lines)


def _parts(name: str, kind: str) -> Iterator[str]:
    column = _named(name)
    if kind == "json":
        yield f"JSON_TYPE({column})"
        for path in ("$**.*", "$**[*]"):
            yield _MEMBER_TYPES.format(name=column, path=path)
    yield f"{column}*1e0" if kind in _FLOATS else f"CAST({column} AS BINARY)"
    if kind in _NUMBERED:
        yield f"CAST({column} AS UNSIGNED)"


def _sum(connection: Connection, expressions: Sequence[str], place: str) -> str:
    count, total = 0, 0
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute(f"SELECT {', '.join(expressions)} FROM {place}")
        for row in cursor:
            count += 1
            total += int.from_bytes(hashlib.sha256(_row_bytes(row)).digest(), "big")
    # The sum does not depend on the order, and it tells two equal rows from one.
    return f"{count} rows, {total % (1 << 256):064x}"


def _row_bytes(row: Sequence[bytes | None]) -> bytes:
    fields = (b"-" if value is None else b"v" + value for value in row)
    return b"".join(len(field).to_bytes(8, "big") + field for field in fields)


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
