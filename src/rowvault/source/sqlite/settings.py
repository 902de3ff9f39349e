"""What a database file keeps in its header beside its tables."""

from __future__ import annotations

import sqlite3

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.source.sqlite.connection import DATABASE, number, word

ENCODING = "encoding"
BEFORE_TABLES = (ENCODING, "page_size", "auto_vacuum")
"""Pragmas that a file takes only as long as it is empty."""

WITH_TABLES = ("application_id", "user_version")
"""Pragmas that are written like a row, inside the transaction."""

UTF16_CODECS = {"UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}
"""Python's names for the encodings that are not UTF-8."""

JOURNAL_MODE = "journal_mode"
"""Only WAL is a property of the file; the other modes belong to a connection."""


def read_settings(connection: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    """(pragma, value) of all that a new file needs in order to be like this one."""
    names = (*BEFORE_TABLES[1:], *WITH_TABLES)
    settings = [(ENCODING, word(connection, f"PRAGMA {ENCODING}"))]
    settings += [(name, str(number(connection, f"PRAGMA {name}"))) for name in names]
    if word(connection, f"PRAGMA {JOURNAL_MODE}") == "wal":
        settings.append((JOURNAL_MODE, "wal"))
    return tuple(settings)


def database_definition(settings: tuple[tuple[str, str], ...]) -> ObjectDefinition:
    """The database as an object: its statement is the pragmas, one a line."""
    statement = ";\n".join(f"PRAGMA {name}={_literal(name, value)}" for name, value in settings)
    return ObjectDefinition(
        kind=ObjectKind.DATABASE,
        database=DATABASE,
        name=DATABASE,
        statement=statement.encode(),
        session=settings,
    )


def apply_setting(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Runs one pragma of `read_settings`. Raises sqlite3.Error."""
    connection.execute(f"PRAGMA {name}={_literal(name, value)}").fetchall()


def _literal(name: str, value: str) -> str:
    if name in (ENCODING, JOURNAL_MODE):
        return "'" + value.replace("'", "''") + "'"
    return str(int(value))
