"""The small shop of `rowvault demo`: a seeded SQLite database, a day of changes, a comparison."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_SEED = 20261122
_CUSTOMERS = 6_000
_PRODUCTS = 1_000
_ORDERS = 13_000
_EVENTS = 30_000

_SCHEMA = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, city TEXT, since TEXT
);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL, price REAL NOT NULL, image BLOB
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers (id),
    product INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL,
    state TEXT NOT NULL, placed TEXT NOT NULL
);
CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT);
CREATE INDEX orders_by_customer ON orders (customer);
CREATE VIEW turnover AS
    SELECT p.name, sum(o.quantity * p.price) AS amount
    FROM orders AS o JOIN products AS p ON p.id = o.product GROUP BY p.id;
"""

_GIVEN = ("Ada", "Béla", "Chloé", "Dmitri", "Elif", "Fatima", "Goran", "Hanako", "Íñigo", "Jürgen")
_FAMILY = ("Adeyemi", "Brontë", "Çelik", "Dvořák", "Eriksen", "Fuchs", "García", "Horváth", "Itō")
_CITIES = ("Łódź", "Porto", "Québec", "Reykjavík", "São Paulo", "東京", "Zürich", None)
_KINDS = ("view", "search", "basket", "login", "logout")


@dataclass(frozen=True, slots=True)
class TableChange:
    """How many rows of a table a day adds, removes and changes."""

    added: int
    removed: int
    changed: int


CHANGES: dict[str, TableChange] = {
    "customers": TableChange(added=25, removed=0, changed=60),
    "products": TableChange(added=0, removed=5, changed=40),
    "orders": TableChange(added=130, removed=20, changed=90),
    "events": TableChange(added=300, removed=0, changed=0),
}
"""What `change_shop` does, exactly."""


def make_shop(path: Path) -> int:
    """Makes the database and gives the number of its rows; the same rows every time."""
    chance = random.Random(_SEED)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_SCHEMA)
        _insert(database, "customers", (_customer(chance, n) for n in range(1, _CUSTOMERS + 1)))
        _insert(database, "products", (_product(chance, n) for n in range(1, _PRODUCTS + 1)))
        _insert(database, "orders", (_order(chance, n) for n in range(1, _ORDERS + 1)))
        _insert(database, "events", (_event(chance, n) for n in range(1, _EVENTS + 1)))
        database.commit()
    return _CUSTOMERS + _PRODUCTS + _ORDERS + _EVENTS


def change_shop(path: Path) -> None:
    """One day passes: updates, deletes and inserts, as many as CHANGES says."""
    chance = random.Random(_SEED + 1)
    with closing(sqlite3.connect(path)) as database:
        _change_customers(database, chance)
        _change_products(database, chance)
        _change_orders(database, chance)
        added = CHANGES["events"].added
        new_events = (_event(chance, _EVENTS + n) for n in range(1, added + 1))
        _insert(database, "events", new_events)
        database.commit()


def copy_shop(path: Path, copy: Path) -> None:
    """Sets a copy of the database aside, to compare with later."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def first_difference(left: Path, right: Path) -> str | None:
    """Where two databases first differ: definitions, then every value of every row; None: nowhere.

    Reads both files with Python's sqlite3 alone. A value is its storage class and its bytes.
    """
    with closing(_open_raw(left)) as one, closing(_open_raw(right)) as other:
        if _definitions(one) != _definitions(other):
            return "the definitions differ"
        for table in CHANGES:
            pairs = itertools.zip_longest(_rows(one, table), _rows(other, table))
            for number, (mine, yours) in enumerate(pairs, 1):
                if mine != yours:
                    return f"row {number} of {table} differs"
    return None


def _open_raw(path: Path) -> sqlite3.Connection:
    """Text comes as its bytes."""
    database = sqlite3.connect(path)
    database.text_factory = bytes
    return database


def _definitions(database: sqlite3.Connection) -> list[tuple[bytes, bytes, bytes]]:
    return sorted(
        database.execute(
            "SELECT type, name, sql FROM sqlite_schema"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
        )
    )


def _rows(database: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    columns = [row[1].decode() for row in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(f"typeof({name}), {name}" for name in columns)
    return database.execute(f"SELECT {values} FROM {table} ORDER BY id")


def _insert(database: sqlite3.Connection, table: str, rows: Iterator[tuple[object, ...]]) -> None:
    first = next(rows)
    marks = ", ".join("?" * len(first))
    statement = f"INSERT INTO {table} VALUES ({marks})"
    database.executemany(statement, itertools.chain([first], rows))


def _customer(chance: random.Random, number: int) -> tuple[object, ...]:
    name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
    email = f"customer{number}@example.org"
    return number, name, email, chance.choice(_CITIES), _time(chance)


def _product(chance: random.Random, number: int) -> tuple[object, ...]:
    sku = f"{chance.getrandbits(32):08X}"
    price = chance.randrange(99, 99_999) / 100
    return number, sku, f"product {number}", price, chance.randbytes(200)


def _order(chance: random.Random, number: int) -> tuple[object, ...]:
    customer = chance.randrange(1, _CUSTOMERS + 1)
    product = chance.randrange(1, _PRODUCTS + 1)
    return number, customer, product, chance.randrange(1, 9), "placed", _time(chance)


def _event(chance: random.Random, number: int) -> tuple[object, ...]:
    body = {"session": f"{chance.getrandbits(64):016x}", "page": chance.randrange(1, 500)}
    return number, _time(chance), chance.choice(_KINDS), json.dumps(body)


def _time(chance: random.Random) -> str:
    day, second = chance.randrange(1, 29), chance.randrange(86_400)
    return f"2026-10-{day:02d} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _change_customers(database: sqlite3.Connection, chance: random.Random) -> None:
    change = CHANGES["customers"]
    moved = chance.sample(range(1, _CUSTOMERS + 1), change.changed)
    database.executemany(
        "UPDATE customers SET city = ? WHERE id = ?", ((f"Springfield {n}", n) for n in moved)
    )
    new = (_customer(chance, _CUSTOMERS + n) for n in range(1, change.added + 1))
    _insert(database, "customers", new)


def _change_products(database: sqlite3.Connection, chance: random.Random) -> None:
    change = CHANGES["products"]
    # One supplier's goods, which were listed together.
    first = chance.randrange(1, _PRODUCTS - 50)
    numbers = range(first, first + change.changed + change.removed)
    dearer, gone = numbers[: change.changed], numbers[change.changed :]
    database.executemany("UPDATE products SET price = price + 1 WHERE id = ?", zip(dearer))
    database.executemany("DELETE FROM products WHERE id = ?", zip(gone))


def _change_orders(database: sqlite3.Connection, chance: random.Random) -> None:
    change = CHANGES["orders"]
    # What happens to orders happens to the latest ones.
    latest = range(_ORDERS - 1000, _ORDERS + 1)
    numbers = chance.sample(latest, change.changed + change.removed)
    shipped, cancelled = numbers[: change.changed], numbers[change.changed :]
    database.executemany("UPDATE orders SET state = 'shipped' WHERE id = ?", zip(shipped))
    database.executemany("DELETE FROM orders WHERE id = ?", zip(cancelled))
    new = (_order(chance, _ORDERS + n) for n in range(1, change.added + 1))
    _insert(database, "orders", new)
