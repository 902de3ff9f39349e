"""Tables whose names no file system takes as they are, and a row larger than a block."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

NAMES = ["plain", "with space", "per%cent", "slash/ed", "ünïcode", "new\nline", "x" * 250]


def fill(path: Path, rows: int) -> None:
    """Makes the tables anew, each with so many rows."""
    with closing(sqlite3.connect(path)) as connection:
        for name in NAMES:
            quoted = '"' + name + '"'
            connection.execute(f"DROP TABLE IF EXISTS {quoted}")
            connection.execute(f"CREATE TABLE {quoted} (id INTEGER PRIMARY KEY, v)")
            connection.executemany(
                f"INSERT INTO {quoted} VALUES (?, ?)",
                [(number, f"{name} {number * rows}") for number in range(rows)],
            )
        connection.execute("INSERT INTO plain VALUES (-1, ?)", [b"\0\xff" * 5000])
        connection.execute("CREATE VIEW IF NOT EXISTS seen AS SELECT id FROM plain")
        connection.commit()
