"""SQLite files in tests: made from SQL, copied through the source protocol, compared on their own.

The comparison knows nothing of Rowvault: storage classes, raw bytes and bit patterns, as Python's
sqlite3 reads them.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from rowvault.source.protocol import Catalogue, Selection
from rowvault.source.sqlite import SqliteSource, SqliteTarget
from rowvault.sqltext.order import post_data, pre_data

PRAGMAS = ("encoding", "page_size", "auto_vacuum", "user_version", "application_id", "journal_mode")

Fingerprint = dict[str, object]


def make(path: Path, script: str, rows: Iterable[tuple[str, Sequence[object]]] = ()) -> Path:
    """A file from a script and (statement, parameters) pairs; returns its path."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(script)
        connection.execute("BEGIN")
        for statement, parameters in rows:
            connection.execute(statement, parameters)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return path


def copy(source: Path, target: Path, connections: int = 2, chunk_bytes: int = 1 << 16) -> Catalogue:
    """Brings all of one file into another, as backup and restore do, with nothing in between."""
    destination = SqliteTarget(target)
    with SqliteSource(source).open_snapshot(connections) as view:
        catalogue = view.catalogue(Selection())
        for one in pre_data(catalogue.objects):
            destination.create(one)
        for table in catalogue.tables:
            destination.create(table.definition)
        loader = destination.open_loader()
        readers = view.readers()
        for table in catalogue.tables:
            for index, rows in enumerate(view.divide(table, chunk_bytes).more(0)):
                for batch in readers[index % len(readers)].read(table.definition, rows):
                    loader.load(table.definition, batch)
        loader.close()
        for one in post_data(catalogue.objects):
            destination.create(one)
        view.confirm(catalogue)
    destination.finish()
    return catalogue


def fingerprint(path: Path) -> Fingerprint:
    """Pragmas, statements byte for byte, and every value of every table, in the table's order."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        found: Fingerprint = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS
        }
        schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        found["schema"] = sorted(schema, key=repr)
        # Of a virtual table the shadow tables are compared.
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND rootpage<>0"
        ).fetchall()
        for (name,) in tables:
            found[f"table {name.decode()}"] = _rows(connection, name.decode())
        return found
    finally:
        connection.close()


def differences(left: Path, right: Path) -> list[str]:
    """What is not the same in two files; empty: nothing."""
    one, other = fingerprint(left), fingerprint(right)
    return sorted(name for name in one | other if one.get(name) != other.get(name))


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    quoted = '"' + table.replace('"', '""') + '"'
    names = connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,)).fetchall()
    columns = ['"' + name.decode().replace('"', '""') + '"' for (name,) in names]
    terms = ",".join(f"typeof({c}),hex(CAST({c} AS BLOB)),{c}" for c in columns)
    rows = connection.execute(f"SELECT {terms} FROM {quoted} NOT INDEXED")
    return [tuple(_exact(value) for value in row) for row in rows]


def _exact(value: object) -> object:
    """A double by its bits: -0.0 and 0.0 are equal as numbers."""
    return struct.pack(">d", value) if isinstance(value, float) else value
