"""A small SQLite shop, and what a repository with two snapshots of it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PASSWORD = {"ROWVAULT_PASSWORD": "test"}


def make_database(path: Path, rows: int = 2000) -> None:
    """Items with a key, notes without one, a view and an index."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL);"
            "CREATE TABLE notes (body TEXT);"
            "CREATE INDEX items_by_name ON items (name);"
            "CREATE VIEW dear AS SELECT * FROM items WHERE price > 100;"
            "INSERT INTO notes VALUES ('one'), ('two');"
        )
        items = ((n, f"item {n}", n / 7) for n in range(1, rows + 1))
        database.executemany("INSERT INTO items VALUES (?, ?, ?)", items)
        database.commit()


def change_database(path: Path) -> None:
    """Of the items one row more, two fewer, three changed."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "UPDATE items SET price = 9.99 WHERE id IN (10, 20, 30);"
            "DELETE FROM items WHERE id IN (40, 50);"
            "INSERT INTO items VALUES (100000, 'new', NULL);"
        )


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of both tables, with the storage class of each value."""
    with closing(sqlite3.connect(path)) as database:
        return {
            "items": list(
                database.execute(
                    "SELECT id, name, price, typeof(name), typeof(price) FROM items ORDER BY id"
                )
            ),
            "notes": list(database.execute("SELECT body, typeof(body) FROM notes ORDER BY rowid")),
        }


@dataclass(frozen=True)
class Vault:
    """A repository, its source, and what its two snapshots hold."""

    path: Path
    source: Path
    snapshots: tuple[str, str]
    before: dict[str, list[tuple[object, ...]]]
    after: dict[str, list[tuple[object, ...]]]

    @property
    def url(self) -> str:
        """The source's address."""
        return f"sqlite:///{self.source}"
