"""A seeded shop: the database that tests and benchmarks back up.

The same seed and size give the same rows, whatever the machine. The tables have what shops have:
ids, names, prices, timestamps, JSON events, long articles, binary session tokens.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

BATCH_ROWS = 500
DAY_SHARE = 0.01
"""Of each table that moves: the share of rows that a day changes, and the share it adds."""


class Cursor(Protocol):
    """As much of a DB-API cursor as filling needs."""

    def execute(self, query: Any) -> Any:
        """Runs one statement."""
        ...

    def fetchone(self) -> Any:
        """The next row."""
        ...


class Connection(Protocol):
    """As much of a PyMySQL connection as filling needs."""

    def cursor(self) -> Any:
        """A cursor."""
        ...


@dataclass(frozen=True, slots=True)
class ShopTable:
    """One table: its definition, how many rows a megabyte of shop has, how a row is made."""

    name: str
    definition: str
    rows_per_megabyte: int
    make_row: Callable[[Random, int], str]
    """(random, id) -> the row as `(...)`."""


_WORDS = (
    "amber anchor apple arrow autumn basket beacon birch border bottle branch bridge bright brook"
    " butter candle canvas carbon castle cedar cherry circle clover cobalt copper cotton crystal"
    " dawn delta desert drift echo ember engine fabric falcon feather field flame forest fountain"
    " garden ginger glacier granite harbor hazel horizon island ivory jasmine juniper kettle ladder"
    " lantern lemon linen maple marble meadow mirror morning mountain nectar night oak ocean olive"
    " orchid paper pebble pepper pine planet plum prairie quartz quiet rain river rose saffron sail"
    " sand shadow silver sky slate smoke snow spice spring stone storm summer sun thistle thunder"
    " timber valley velvet violet walnut water wheat willow wind winter wool zephyr"
)
_FIRST_NAMES = ("Ana", "Björn", "Chloé", "Dmitri", "Élise", "Fatima", "Grzegorz", "Hana", "José")
_LAST_NAMES = ("Müller", "Nowak", "García", "Ivanova", "O''Brien", "Sørensen", "Tanaka", "Weiß")
_STATUSES = ("new", "paid", "packed", "sent", "returned")
_PAGES = ("home", "search", "product", "cart", "checkout", "account")


@functools.cache
def _prose() -> str:
    """Random words, 4 million characters: slices of it are texts that cost nothing to make."""
    words = Random("prose").choices(_WORDS.split(), k=700_000)
    return " ".join(words)[:4_000_000]


def _text(random: Random, length: int) -> str:
    """`length` characters of prose."""
    start = int(random.random() * 3_900_000)
    return _prose()[start : start + length]


def _moment(random: Random) -> str:
    second = int(random.random() * 86400)
    return (
        f"2026-{1 + int(random.random() * 12):02}-{1 + int(random.random() * 28):02}"
        f" {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    )


def _cents(random: Random, most: int) -> str:
    return f"{int(random.random() * most * 100) / 100:.2f}"


def _customer(random: Random, key: int) -> str:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    return (
        f"({key},'{first} {last}','user{key}@mail{key % 97}.example',"
        f"'{_text(random, 24)} {key % 200}',{key % 2},{_cents(random, 900)},'{_moment(random)}')"
    )


def _product(random: Random, key: int) -> str:
    note = f"'{_text(random, 120)}'" if random.random() < 0.8 else "NULL"
    return (
        f"({key},'SKU-{key:08}','{_text(random, 16).title()}',{_cents(random, 999)},"
        f"{random.random() * 40:.6f},{note},{int(random.random() * 500)})"
    )


def _order(random: Random, key: int) -> str:
    customer = 1 + int(random.random() ** 2 * (key // 3 + 1))
    sent = f"'{_moment(random)}'" if random.random() < 0.7 else "NULL"
    return (
        f"({key},{customer},'{random.choice(_STATUSES)}',{_cents(random, 2000)},"
        f"'{_moment(random)}',{sent})"
    )


def _order_item(random: Random, key: int) -> str:
    product, quantity = 1 + int(random.random() * 5000), 1 + int(random.random() * 8)
    return f"({1 + key // 3},{key % 3},{product},{quantity},{_cents(random, 999)})"


def _event(random: Random, key: int) -> str:
    document = (
        f'{{"page":"{random.choice(_PAGES)}","visit":"{random.getrandbits(64):016x}",'
        f'"ms":{int(random.random() * 3000)},"note":"{_text(random, 30)}",'
        f'"cart":{{"items":{key % 9},"total":{_cents(random, 999)}}}}}'
    )
    customer = 1 + int(random.random() * 100000)
    return f"({key},{customer},'{_moment(random)}.{key % 1000000:06}','{document}')"


def _article(random: Random, key: int) -> str:
    paragraphs = [
        _text(random, 250 + int(random.random() * 800)) for _ in range(2 + random.randrange(7))
    ]
    body = ".\n".join(paragraphs)
    return f"({key},'{_text(random, 40).title()}','{body}','{_moment(random)}')"


def _session(random: Random, key: int) -> str:
    token = random.randbytes(32).hex()
    return f"(X'{token}',{key},'{_moment(random)}',X'0A{key & 0xFFFFFF:06X}')"


TABLES: tuple[ShopTable, ...] = (
    ShopTable(
        "customers",
        "id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL,"
        " email VARCHAR(120) NOT NULL UNIQUE, address VARCHAR(200), newsletter TINYINT(1) NOT NULL,"
        " balance DECIMAL(12,2) NOT NULL, created DATETIME NOT NULL, KEY created (created)",
        380,
        _customer,
    ),
    ShopTable(
        "products",
        "id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, sku CHAR(12) NOT NULL UNIQUE,"
        " name VARCHAR(80) NOT NULL, price DECIMAL(10,2) NOT NULL, weight_kg DOUBLE, note TEXT,"
        " stock SMALLINT NOT NULL",
        190,
        _product,
    ),
    ShopTable(
        "orders",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,"
        " status ENUM('new','paid','packed','sent','returned') NOT NULL,"
        " total DECIMAL(12,2) NOT NULL, placed DATETIME NOT NULL, sent DATETIME NULL,"
        " KEY customer_id (customer_id), KEY placed (placed)",
        1500,
        _order,
    ),
    ShopTable(
        "order_items",
        "order_id BIGINT NOT NULL, line SMALLINT NOT NULL, product_id INT UNSIGNED NOT NULL,"
        " quantity SMALLINT NOT NULL, price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line),"
        " KEY product_id (product_id)",
        4500,
        _order_item,
    ),
    ShopTable(
        "events",
        "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,"
        " at DATETIME(6) NOT NULL, document JSON NOT NULL, KEY at (at)",
        2100,
        _event,
    ),
    ShopTable(
        "articles",
        "id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARCHAR(120) NOT NULL,"
        " body MEDIUMTEXT NOT NULL, changed DATETIME NOT NULL",
        70,
        _article,
    ),
    ShopTable(
        "sessions",
        "token BINARY(32) NOT NULL PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,"
        " seen DATETIME NOT NULL, address VARBINARY(16) NOT NULL, KEY customer_id (customer_id)",
        1000,
        _session,
    ),
)
_TABLE = {table.name: table for table in TABLES}


def fill_shop(connection: Connection, megabytes: float, seed: int, database: str = "shop") -> None:
    """Makes `database` and fills it with about `megabytes` MB of SQL, in batches, committed."""
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
    for table in TABLES:
        cursor.execute(f"CREATE TABLE `{database}`.`{table.name}` ({table.definition})")
        row_count = max(1, round(table.rows_per_megabyte * megabytes))
        _insert_rows(cursor, database, table, 1, row_count, seed)
    cursor.execute("COMMIT")


_GROWN = {
    "customers": "id + {step}, name, CONCAT(id + {step}, email), address, newsletter, balance,"
    " created",
    "products": "id + {step}, LPAD(id + {step}, 12, 'S'), name, price, weight_kg, note, stock",
    "orders": "id + {step}, customer_id, status, total, placed, sent",
    "order_items": "order_id + {step}, line, product_id, quantity, price",
    "events": "id + {step}, customer_id, at, document",
    "articles": "id + {step}, title, body, changed",
    "sessions": "UNHEX(SHA2(CONCAT(token, {step}), 256)), customer_id + {step}, seen, address",
}
"""What a row's double is made of, its key moved by `step`."""


def grow_shop(connection: Connection, factor: int, database: str = "shop") -> None:
    """Makes the shop `factor` times as large, inside the server: its rows again, with new keys."""
    cursor = connection.cursor()
    for table in TABLES:
        name = f"`{database}`.`{table.name}`"
        column = {"order_items": "order_id", "sessions": "customer_id"}.get(table.name, "id")
        cursor.execute(f"SELECT MAX({column}) + 1 FROM {name}")
        span = int(cursor.fetchone()[0])
        for turn in range(1, factor):
            values = _GROWN[table.name].format(step=turn * span)
            cursor.execute(
                f"INSERT INTO {name} SELECT {values} FROM {name} WHERE {column} < {span}"
            )
            cursor.execute("COMMIT")


def a_day_of_changes(connection: Connection, seed: int, database: str = "shop") -> None:
    """One day in the shop: of each table 1 % of the rows changed, 1 % new, 0.2 % gone."""
    cursor = connection.cursor()
    random = Random(f"{seed}:day")
    for name, assignment in (
        ("customers", "balance = balance + 1.01"),
        ("products", "stock = stock + 1, price = price + 0.10"),
        ("orders", "status = 'returned', sent = '2026-12-24 18:00:00'"),
        ("articles", "body = CONCAT('Corrected. ', body)"),
        ("events", "customer_id = customer_id + 1"),
    ):
        last = _last_id(cursor, database, name)
        moved = max(1, int(last * DAY_SHARE))
        changed = random.sample(range(1, last + 1), moved)
        gone = random.sample(changed, max(1, moved // 5))
        for ids in _portions(changed):
            cursor.execute(f"UPDATE `{database}`.`{name}` SET {assignment} WHERE id IN ({ids})")
        for ids in _portions(gone):
            cursor.execute(f"DELETE FROM `{database}`.`{name}` WHERE id IN ({ids})")
        _insert_rows(cursor, database, _TABLE[name], last + 1, moved, seed + 1)
    cursor.execute("COMMIT")


def sysbench_like(
    connection: Connection,
    rows: int,
    tables: int,
    seed: int = 1,
    incompressible_half: bool = True,
    database: str = "bench",
) -> None:
    """Makes `database` with `tables` tables of `rows` rows each, about 200 bytes a row.

    As sysbench makes them: id, k, c of 120 and pad of 60 characters, all digits. With
    `incompressible_half`, c is 100 random bytes, which nothing makes smaller, and pad 80 characters
    of words.
    """
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET latin1")
    texts = (
        "c VARBINARY(100) NOT NULL, pad CHAR(80)"
        if incompressible_half
        else ("c CHAR(120) NOT NULL, pad CHAR(60)")
    )
    for number in range(1, tables + 1):
        name = f"sbtest{number}"
        cursor.execute(
            f"CREATE TABLE `{database}`.`{name}` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
            f" k INT NOT NULL, {texts} NOT NULL, KEY k (k))"
        )
        for first, count in _batches(1, rows, BATCH_ROWS * 10):
            random = Random(f"{seed}:{name}:{first}")
            values = _sysbench_rows(random, first, count, rows, incompressible_half)
            cursor.execute(f"INSERT INTO `{database}`.`{name}` VALUES " + ",".join(values))
    cursor.execute("COMMIT")


def _sysbench_rows(
    random: Random, first: int, count: int, key_span: int, incompressible_half: bool
) -> Iterator[str]:
    for index in range(count):
        k = 1 + int(random.random() * key_span)
        if incompressible_half:
            c, pad = f"X'{random.randbytes(100).hex()}'", _text(random, 79)
        else:
            digits = f"{random.getrandbits(600):0181d}"
            c, pad = f"'{digits[:119]}.'", digits[119:178]
        # The final point keeps CHAR from cutting off a space.
        yield f"({first + index},{k},{c},'{pad}.')"


def _insert_rows(
    cursor: Cursor, database: str, table: ShopTable, first: int, count: int, seed: int
) -> None:
    for start, length in _batches(first, count, BATCH_ROWS):
        # A generator of its own for each batch: the rows do not depend on the size of the shop.
        random = Random(f"{seed}:{table.name}:{start}")
        rows = [table.make_row(random, key) for key in range(start, start + length)]
        cursor.execute(f"INSERT INTO `{database}`.`{table.name}` VALUES " + ",".join(rows))


def _batches(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    """(first id, number of rows) of each batch."""
    for start in range(first, first + count, size):
        yield start, min(size, first + count - start)


def _last_id(cursor: Cursor, database: str, table: str) -> int:
    cursor.execute(f"SELECT MAX(id) FROM `{database}`.`{table}`")
    return int(cursor.fetchone()[0])


def _portions(ids: Sequence[int]) -> Iterator[str]:
    """Lists for IN (...)."""
    for start, length in _batches(0, len(ids), 1000):
        yield ",".join(map(str, ids[start : start + length]))
