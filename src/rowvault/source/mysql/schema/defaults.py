"""Literals as defaults that the server's catalogue cannot hold.

The catalogue is in utf8mb3: a character beyond it reads `?` in SHOW CREATE TABLE. The table itself
has the whole text, and the function DEFAULT tells it, also where there is no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rowvault.source.mysql.keys.columns import ColumnFacts
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import encode_name, identifier, qualified

_NAME = rb"`(?:[^`]|``)*`"
_LITERAL = rb"'(?:[^'\\]|\\.|'')*'"
_LINE = rb"^  %b (?:%b|%b|[^'`\n])*? DEFAULT (?P<literal>%b)"
_UNTOLD = b"?"


def tell_defaults(
    connection: Connection,
    database: str,
    table: str,
    statement: bytes,
    columns: Iterable[ColumnFacts],
) -> bytes:
    """The statement with the texts that DEFAULT tells where `?` stands. Raises StatementError."""
    place = qualified(database, table)
    for column in columns:
        found = _doubtful(statement, column)
        if found is None:
            continue
        name = identifier(column.name)
        rows = connection.rows(
            f"SELECT CONVERT(DEFAULT({name}) USING utf8mb4) "
            f"FROM {place} RIGHT JOIN (SELECT 1) AS `one` ON 0",
            f"asking for the default of {column.name} in {database}.{table}",
        )
        told = text(rows[0][0])
        if told and _UNTOLD not in encode_name(told):
            start, end = found.span("literal")
            statement = statement[:start] + encode_name(_quoted(told)) + statement[end:]
    return statement


def _doubtful(statement: bytes, column: ColumnFacts) -> re.Match[bytes] | None:
    if not column.charset:
        return None
    name = re.escape(encode_name(identifier(column.name)))
    line = _LINE % (name, _LITERAL, _NAME, _LITERAL)
    found = re.search(line, statement, re.MULTILINE)
    return found if found and _UNTOLD in found["literal"] else None


def _quoted(value: str) -> str:
    """As SHOW CREATE TABLE writes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    for character, letter in (("\0", "0"), ("\n", "n"), ("\r", "r")):
        escaped = escaped.replace(character, f"\\{letter}")
    return f"'{escaped}'"
