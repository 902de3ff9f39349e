"""Columns of characters: their collations, and whether these take trailing spaces into account.

InnoDB keeps a CHAR with the spaces that fill it. Under a collation of the attribute NO PAD the
spaces count where MariaDB keeps its index in order, and do not where it compares values: `'a\\t'`
lies before `'a'` in the index, and behind it by comparison.
"""

from __future__ import annotations

from collections.abc import Mapping

from rowvault.source.mysql.keys.bounds import TextKind
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import mysql_string

_TASK = "asking how characters compare"


def text_kinds(connection: Connection, database: str, table: str) -> Mapping[str, TextKind]:
    """By name: the columns that hold characters. Raises SourceError and its kinds."""
    found = connection.rows(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME "
        f"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {mysql_string(database)} "
        f"AND TABLE_NAME = {mysql_string(table)} AND COLLATION_NAME IS NOT NULL",
        f"reading the collations of {database}.{table}",
    )
    return {
        text(column): TextKind(text(charset), text(collation))
        for schema, name, column, charset, collation in found
        if (text(schema), text(name)) == (database, table)
    }


def ignores_trailing_spaces(connection: Connection, kind: TextKind) -> bool:
    """The collation is PAD SPACE, as the server itself compares; False also where it cannot say.

    It is asked by a comparison, because MariaDB lists the attribute nowhere.
    """
    one, other = (
        f"CONVERT({mysql_string(value)} USING {kind.charset}) COLLATE {kind.collation}"
        for value in ("a", "a ")
    )
    try:
        return connection.rows(f"SELECT {one} = {other}", _TASK) == ((b"1",),)
    except faults.LostError:
        raise
    except faults.StatementError:
        return False
