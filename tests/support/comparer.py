"""Compares what two servers hold, with nothing of Rowvault in it.

Values are compared as the bytes that are stored, `HEX(CAST(c AS BINARY))`: plain HEX of a number
rounds it. FLOAT and DOUBLE are compared as the eight bytes of a double, ENUM and SET by their
number too, and every object by all that SHOW CREATE says about it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

import pymysql
import pymysql.cursors

Fingerprint = Mapping[str, str]
"""What it is of -> its mark: equal marks, equal things."""

_FLOATS = ("float", "double")
_NUMBERED = ("enum", "set")


class Server(Protocol):
    """Whatever a plain connection can be had from."""

    def connect(self) -> pymysql.connections.Connection[Any]: ...


def fingerprint(server: Server, databases: Sequence[str]) -> Fingerprint:
    """The marks of all tables and objects of these databases; `{}` for databases not there."""
    with closing(server.connect()) as connection:
        marks: dict[str, str] = {}
        _all(connection, "SET SESSION time_zone = '+00:00', sql_mode = ''")
        for database in databases:
            marks |= _database_marks(connection, database)
        return marks


def differences(left: Fingerprint, right: Fingerprint) -> list[str]:
    """One line for each thing that is not the same; empty when all is."""
    lines = []
    for label in sorted({*left, *right}):
        if label not in right:
            lines.append(f"{label}: only on the left")
        elif label not in left:
            lines.append(f"{label}: only on the right")
        elif left[label] != right[label]:
            lines.append(f"{label}: {left[label]} is not {right[label]}")
    return lines


def _all(connection: pymysql.connections.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _database_marks(
    connection: pymysql.connections.Connection[Any], database: str
) -> dict[str, str]:
    quoted = connection.escape(database)
    if not _all(
        connection, f"SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME={quoted}"
    ):
        return {}
    place = _named(database)
    marks = {f"database {database}": _shown(connection, f"SHOW CREATE DATABASE {place}")}
    for name, kind in _all(connection, f"SHOW FULL TABLES FROM {place}"):
        label, full = f"{database}.{_text(name)}", f"{place}.{_named(_text(name))}"
        kind = _text(kind)
        word = {"VIEW": "VIEW", "SEQUENCE": "SEQUENCE"}.get(kind, "TABLE")
        marks[f"{word.lower()} {label}"] = _shown(connection, f"SHOW CREATE {word} {full}")
        if word != "VIEW":
            marks[f"rows {label}"] = _rows_mark(connection, database, _text(name))
    for kind, name in _programs(connection, database):
        full = f"{place}.{_named(name)}"
        marks[f"{kind.lower()} {database}.{name}"] = _shown(
            connection, f"SHOW CREATE {kind} {full}"
        )
    return marks


def _programs(
    connection: pymysql.connections.Connection[Any], database: str
) -> Iterable[tuple[str, str]]:
    catalogue = "information_schema"
    queries = (
        f"SELECT ROUTINE_SCHEMA, ROUTINE_TYPE, ROUTINE_NAME FROM {catalogue}.ROUTINES",
        f"SELECT TRIGGER_SCHEMA, 'TRIGGER', TRIGGER_NAME FROM {catalogue}.TRIGGERS",
        f"SELECT EVENT_SCHEMA, 'EVENT', EVENT_NAME FROM {catalogue}.EVENTS",
    )
    for query in queries:
        for schema, kind, name in _all(connection, query):
            # The server would take databases for equal that differ in case alone.
            if _text(schema) == database:
                yield _text(kind), _text(name)


def _shown(connection: pymysql.connections.Connection[Any], statement: str) -> str:
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    # When a trigger was made is the one thing that no restore brings back.
    return "; ".join(f"{key}={_text(value)}" for key, value in row.items() if key != "Created")


def _rows_mark(connection: pymysql.connections.Connection[Any], database: str, table: str) -> str:
    columns = _all(
        connection,
        "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS "
        f"WHERE TABLE_SCHEMA = {connection.escape(database)} "
        f"AND TABLE_NAME = {connection.escape(table)} ORDER BY ORDINAL_POSITION",
    )
    expressions = []
    for name, kind in columns:
        column, kind = _named(_text(name)), _text(kind).lower()
        if kind in _FLOATS:
            expressions.append(f"{column}*1e0")
        else:
            expressions.append(f"HEX(CAST({column} AS BINARY))")
        if kind in _NUMBERED:
            expressions.append(f"{column}+0")
    count, total = 0, 0
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute(f"SELECT {', '.join(expressions)} FROM {_named(database)}.{_named(table)}")
        for row in cursor:
            count += 1
            total += int.from_bytes(hashlib.sha256(_row_bytes(row)).digest(), "big")
    # The sum does not depend on the order, and it tells two equal rows from one.
    return f"{count} rows, {total % (1 << 256):064x}"


def _row_bytes(row: Sequence[object]) -> bytes:
    fields = []
    for value in row:
        if value is None:
            field = b"-"
        elif isinstance(value, float):
            field = b"f" + struct.pack(">d", value)
        else:
            field = b"v" + str(value).encode()
        fields.append(len(field).to_bytes(8, "big") + field)
    return b"".join(fields)
