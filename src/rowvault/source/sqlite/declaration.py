"""What an SQLite file declares: names, and the tables that no CREATE statement can make."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.source.protocol import ExistingObject
from rowvault.source.sqlite.catalogue import (
    CARRIED_SYSTEM_TABLES,
    SYSTEM_PREFIX,
    is_virtual_table,
)
from rowvault.source.sqlite.connection import DATABASE, number, quoted

_KINDS = {
    b"table": ObjectKind.TABLE,
    b"index": ObjectKind.INDEX,
    b"view": ObjectKind.VIEW,
    b"trigger": ObjectKind.TRIGGER,
}
_STAND_IN = "rowvault_autoincrement"


def declared_objects(connection: sqlite3.Connection) -> list[ExistingObject]:
    """All that was made by a statement; counters and statistics only where there are any."""
    declared = [
        ExistingObject(_KINDS[kind], DATABASE, name.decode(errors="surrogateescape"))
        for kind, name in connection.execute(
            "SELECT CAST(type AS BLOB), name FROM sqlite_master WHERE sql IS NOT NULL"
        )
    ]
    return [
        one
        for one in declared
        if not one.name.startswith(SYSTEM_PREFIX)
        or (
            one.name in CARRIED_SYSTEM_TABLES
            and number(connection, f"SELECT count(*) FROM {quoted(one.name)}") > 0
        )
    ]


def make_sequence_table(connection: sqlite3.Connection) -> None:
    """SQLite makes the table itself, with the first AUTOINCREMENT; it cannot be named in CREATE."""
    connection.execute(f"CREATE TABLE {_STAND_IN}(id INTEGER PRIMARY KEY AUTOINCREMENT)")
    connection.execute(f"DROP TABLE {_STAND_IN}")


def declare_virtual_table(
    connection: sqlite3.Connection, definition: ObjectDefinition | TableDefinition
) -> None:
    """Writes a virtual table into the schema; its shadow tables are made and filled as tables.

    CREATE VIRTUAL TABLE would make them anew, and needs the module; this is what `.dump` of the
    sqlite3 shell does too.
    """
    with _writable_schema(connection):
        connection.execute(
            "INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql)"
            " VALUES('table', ?1, ?1, 0, ?2)",
            (definition.name, definition.statement.decode()),
        )


def drop_object(connection: sqlite3.Connection, found: ExistingObject) -> None:
    """Drops what was declared, empties a table of SQLite's own. Raises sqlite3.Error."""
    if found.name in CARRIED_SYSTEM_TABLES:
        connection.execute(f"DELETE FROM {quoted(found.name)}")
        return
    row = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name=? AND type=?", (found.name, str(found.kind))
    ).fetchone()
    if row is None:
        # A shadow table went with its virtual table, an index or trigger with its table.
        return
    try:
        connection.execute(f"DROP {found.kind} {quoted(found.name)}")
    except sqlite3.OperationalError:
        if not is_virtual_table(row[0]):
            raise
        # Without its module or its shadow tables it can only be struck from the schema.
        with _writable_schema(connection):
            connection.execute("DELETE FROM sqlite_master WHERE name=?", (found.name,))


@contextmanager
def _writable_schema(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("PRAGMA writable_schema=ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA writable_schema=OFF")
    # Makes this connection read the schema again.
    version = number(connection, "PRAGMA schema_version")
    connection.execute(f"PRAGMA schema_version={version + 1}")
