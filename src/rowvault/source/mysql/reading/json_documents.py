"""JSON documents of MySQL whose text does not tell all that they are.

A document is stored with a type for each member (MySQL manual, "The JSON Data Type"). Its text,
read again, gives the same document if every member is an object, an array, a string, a boolean,
null, a double, or an integer of the type that the server's parser gives an integer of this size.
It does not for members that came from SQL values: DECIMAL, DATE, TIME, DATETIME, BLOB, and
INTEGER and UNSIGNED INTEGER where the parser makes the other one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from rowvault.core.model import Column, TableDefinition
from rowvault.source.mysql.keys.columns import base_type, select_expression
from rowvault.source.mysql.keys.keys import AccessPath
from rowvault.source.mysql.keys.ranges import in_range
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import RowRange
from rowvault.sqltext.quoting import identifier, qualified

_TOLD = ("OBJECT", "ARRAY", "STRING", "DOUBLE", "BOOLEAN", "NULL")
_PLAIN_INTEGER = 4294967295
"""Up to it a signed integer is INTEGER again; of others the server is asked."""
_NAMED_KEYS = 3
_SHOWN_CHARACTERS = 60

_MEMBERS = (
    "JSON_TABLE({column}, '$' COLUMNS ("
    "NESTED PATH '$**.*' COLUMNS (m JSON PATH '$'), "
    "NESTED PATH '$**[*]' COLUMNS (e JSON PATH '$'))) AS `n`"
)
"""Every member of every object and element of every array, at any depth, as a row."""


class _Found(msgspec.Struct):
    rows: int = 0
    examples: list[tuple[int, str]] = msgspec.field(default_factory=list)
    """(the row-chunk's place among those of its table, a key as text)"""
    types: set[str] = msgspec.field(default_factory=set)


class DocumentInspector:
    """Counts the rows whose documents their text does not tell; shared by reading threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[tuple[str, RowRange]] = set()
        self._found: dict[tuple[str, str], _Found] = {}

    def inspect(
        self, connection: Connection, table: TableDefinition, rows: RowRange, path: AccessPath
    ) -> None:
        """Looks at a row-chunk along its path, once. Raises SourceError."""
        columns = [column for column in table.columns if is_document(column)]
        if not columns:
            return
        with self._lock:
            if (table.label, rows) in self._seen:
                return
            self._seen.add((table.label, rows))
        for column in columns:
            self._inspect_column(connection, table, column, rows, path)

    def omissions(self) -> list[str]:
        """What was found: a message for each column."""
        return [_message(*name, found) for name, found in sorted(self._found.items())]

    def _inspect_column(
        self,
        connection: Connection,
        table: TableDefinition,
        column: Column,
        rows: RowRange,
        path: AccessPath,
    ) -> None:
        task = f"looking into the documents of {table.label}"
        name = f"`t`.{identifier(column.name)}"
        source = f"FROM {qualified(table.database, table.name)} AS `t` {path.hint}"
        where = " AND ".join(filter(None, [_is_inexact(name), in_range(path.order, rows)]))
        counted = connection.rows(f"SELECT COUNT(*) {source} WHERE {where}", task)
        count = int(counted[0][0] or 0)
        if not count:
            return
        keys = [table.columns[at] for at in table.key]
        shown = [f"({_types(name)})", *(select_expression(key) for key in keys)]
        order = ", ".join(f"`t`.{identifier(key.name)}" for key in keys)
        examples = connection.rows(
            f"SELECT {', '.join(shown)} {source} WHERE {where} "
            f"{f'ORDER BY {order} ' if order else ''}LIMIT {_NAMED_KEYS}",
            task,
        )
        with self._lock:
            found = self._found.setdefault((table.label, column.name), _Found())
            found.rows += count
            found.types.update(kind for row in examples for kind in text(row[0]).split(","))
            found.examples += [(rows.ordinal, _key_text(keys, row[1:])) for row in examples if keys]


def is_document(column: Column) -> bool:
    """A JSON column of MySQL; MariaDB's JSON is text."""
    return base_type(column) == "json"


def _is_inexact(column: str) -> str:
    members = _MEMBERS.format(column=column)
    # Counted and not EXISTS: as a semijoin MySQL 9.7 loses that the members are those of the row.
    return (
        f"({_is_inexact_node(column)} OR (SELECT COUNT(*) FROM {members} "
        f"WHERE {_is_inexact_node('n.m')} OR {_is_inexact_node('n.e')}) > 0)"
    )


def _is_inexact_node(node: str) -> str:
    again = f"JSON_TYPE(CAST(CAST({node} AS CHAR) AS JSON))"
    told = " ".join(f"WHEN '{kind}' THEN FALSE" for kind in _TOLD)
    return (
        f"CASE IFNULL(JSON_TYPE({node}), 'NULL') {told} "
        f"WHEN 'INTEGER' THEN {node} > {_PLAIN_INTEGER} AND {again} <> 'INTEGER' "
        f"WHEN 'UNSIGNED INTEGER' THEN {again} <> 'UNSIGNED INTEGER' ELSE TRUE END"
    )


def _types(column: str) -> str:
    """The types that the text of one document does not tell, with commas."""
    members = _MEMBERS.format(column=column)
    own = f"IF({_is_inexact_node(column)}, JSON_TYPE({column}), NULL)"
    node = "COALESCE(n.m, n.e)"
    return (
        f"SELECT COALESCE({own}, GROUP_CONCAT(DISTINCT JSON_TYPE({node}))) FROM {members} "
        f"WHERE {_is_inexact_node(node)}"
    )


def _key_text(keys: Sequence[Column], values: Sequence[bytes | None]) -> str:
    shown = (
        f"{key.name}={text(value)[:_SHOWN_CHARACTERS]}"
        for key, value in zip(keys, values, strict=True)
    )
    return f"({', '.join(shown)})"


def _message(table: str, column: str, found: _Found) -> str:
    # Row-chunks end in any order; the examples of each are in key order.
    examples = sorted(found.examples, key=lambda example: example[0])
    keys = ", ".join(key for _, key in examples[:_NAMED_KEYS])
    which = f", such as {keys}" if keys else ""
    rows = "1 row" if found.rows == 1 else f"{found.rows} rows"
    return (
        f"{table}: JSON column {column} holds members in {rows} whose type its text does not tell "
        f"({', '.join(sorted(found.types))}){which}. The text is kept; restored, these members are "
        "the plain numbers and strings that it reads as."
    )
