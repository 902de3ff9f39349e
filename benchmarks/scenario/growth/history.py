"""A shop whose every day changes about as much as the one before, from a seed.

| table | rows | in a day |
|---|---|---|
| accounts | narrow, numbers and times | 0.5 % updated, anywhere; on one day a column is added |
| orders | 60 bytes | 1 % new at the end; 1 % of the newest tenth updated; 0.1 % deleted, anywhere |
| events | JSON, an append-only log | 1 % new at the end |
| articles | 4 KB of text | 0.5 % get another sentence, anywhere |
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

_BATCH_ROWS = 1000
_WORDS = (
    *("river", "stone", "market", "evening", "letter", "garden", "winter", "bridge", "summer"),
    *("copper", "window", "harvest", "silver", "morning", "lantern", "valley", "island"),
    *("thunder", "meadow", "harbor", "velvet", "orchard", "candle", "marble"),
)

DEFINITIONS = {
    "accounts": "id INT PRIMARY KEY, owner INT NOT NULL, balance DECIMAL(12,2) NOT NULL,"
    " points INT NOT NULL, seen DATETIME NOT NULL, state TINYINT NOT NULL, KEY (owner)",
    "orders": "id INT AUTO_INCREMENT PRIMARY KEY, account INT NOT NULL, placed DATETIME NOT NULL,"
    " state VARCHAR(12) NOT NULL, total DECIMAL(10,2) NOT NULL, note VARCHAR(80) NOT NULL",
    "events": "id BIGINT AUTO_INCREMENT PRIMARY KEY, at DATETIME(3) NOT NULL, body JSON NOT NULL",
    "articles": "id INT PRIMARY KEY, title VARCHAR(120) NOT NULL, body TEXT NOT NULL",
}
ROWS = {"accounts": 60_000, "orders": 60_000, "events": 30_000, "articles": 2_000}
"""Of a shop of scale 1, about 25 MB of SQL."""

COLUMN_DAY = 15
"""The day on which accounts get another column."""


class History:
    """The shop over one connection, whose database it is."""

    def __init__(self, connection: Any, scale: float, seed: int) -> None:
        self._connection = connection
        self._random = Random(seed)
        self._rows = {name: max(100, int(count * scale)) for name, count in ROWS.items()}
        self._articles: dict[int, str] = {}

    def fill(self) -> None:
        """The first day's rows."""
        with self._connection.cursor() as cursor:
            for name, definition in DEFINITIONS.items():
                cursor.execute(f"CREATE TABLE {name} ({definition})")
        self._insert("accounts", "id,owner,balance,points,seen,state", self._accounts())
        self._insert("orders", "account,placed,state,total,note", self._orders("orders", 0))
        self._insert("events", "at,body", self._events(self._rows["events"], 0))
        self._insert("articles", "id,title,body", self._texts())
        self._connection.commit()

    def day(self, number: int) -> None:
        """One day of changes, each in a statement and, but for new rows, a transaction."""
        with self._connection.cursor() as cursor:
            if number == COLUMN_DAY:
                cursor.execute("ALTER TABLE accounts ADD COLUMN tier TINYINT NOT NULL DEFAULT 1")
            for statement in self._changes(number):
                cursor.execute(statement)
                self._connection.commit()
        count = self._rows["orders"] // 100
        self._insert("orders", "account,placed,state,total,note", self._orders(count, number))
        self._insert("events", "at,body", self._events(self._rows["events"] // 100, number))
        self._connection.commit()

    def _changes(self, number: int) -> Iterator[str]:
        random = self._random
        for _ in range(self._rows["accounts"] // 200):
            one = random.randint(1, self._rows["accounts"])
            yield (
                f"UPDATE accounts SET balance = balance + {random.randint(-9999, 9999)} / 100,"
                f" points = points + {random.randint(0, 50)}, seen = '{self._moment(number)}'"
                f" WHERE id = {one}"
            )
        newest = self._rows["orders"] * (100 + number) // 100
        for _ in range(self._rows["orders"] // 1000):
            recent = random.randint(newest * 9 // 10, newest)
            yield f"UPDATE orders SET state = 'shipped' WHERE id = {recent}"
        for _ in range(self._rows["orders"] // 1000):
            yield f"DELETE FROM orders WHERE id = {random.randint(1, newest)}"
        for _ in range(self._rows["articles"] // 200):
            one = random.randint(1, self._rows["articles"])
            more = self._sentence(9)
            yield f"UPDATE articles SET body = CONCAT(body, ' {more}') WHERE id = {one}"

    def _accounts(self) -> Iterator[str]:
        random = self._random
        for one in range(1, self._rows["accounts"] + 1):
            balance = random.randint(0, 10**7) / 100
            yield (
                f"({one},{random.randint(1, 10**6)},{balance},{random.randint(0, 5000)},"
                f"'{self._moment(0)}',{random.randint(0, 3)})"
            )

    def _orders(self, count: int | str, number: int) -> Iterator[str]:
        random = self._random
        for _ in range(self._rows[count] if isinstance(count, str) else count):
            account = random.randint(1, self._rows["accounts"])
            total = random.randint(100, 99999) / 100
            yield f"({account},'{self._moment(number)}','new',{total},'{self._sentence(5)}')"

    def _events(self, count: int, number: int) -> Iterator[str]:
        random = self._random
        for _ in range(count):
            body = (
                f'{{"kind": "{random.choice(_WORDS)}", "account": {random.randint(1, 60000)},'
                f' "path": "/{random.choice(_WORDS)}/{random.randint(1, 9999)}",'
                f' "ms": {random.randint(1, 900)}, "trace": "{random.getrandbits(64):016x}"}}'
            )
            yield f"('{self._moment(number)}.{random.randint(0, 999):03d}','{body}')"

    def _texts(self) -> Iterator[str]:
        for one in range(1, self._rows["articles"] + 1):
            yield f"({one},'{self._sentence(6)}','{self._sentence(600)}')"

    def _sentence(self, words: int) -> str:
        return " ".join(self._random.choices(_WORDS, k=words))

    def _moment(self, number: int) -> str:
        seconds = self._random.randrange(86_400)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"2026-{10 + number // 28:02d}-{1 + number % 28:02d} {clock}"

    def _insert(self, table: str, columns: str, rows: Iterator[str]) -> None:
        batch: list[str] = []
        with self._connection.cursor() as cursor:
            for row in rows:
                batch.append(row)
                if len(batch) == _BATCH_ROWS:
                    cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {','.join(batch)}")
                    batch.clear()
            if batch:
                cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {','.join(batch)}")
