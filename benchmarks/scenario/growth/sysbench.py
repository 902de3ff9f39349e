"""Rows as sysbench makes them, and the changes of a day in statements of their own.

A row: an integer key, an indexed integer k, c of 119 characters (ten groups of eleven digits), pad
of 59 (five groups).
"""

from __future__ import annotations

from random import Random
from typing import Any

TABLE = "sbtest1"
_BATCH_ROWS = 2000
_GROUP = 10**11
DEFINITION = (
    f"CREATE TABLE {TABLE} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0,"
    " c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_1 (k))"
)


def groups(random: Random, count: int) -> str:
    """So many groups of eleven random digits, with hyphens between them."""
    return "-".join([f"{random.randrange(_GROUP):011d}" for _ in range(count)])


def fill(connection: Any, row_count: int, seed: int) -> None:
    """Makes the table in the connection's database."""
    random = Random(seed)
    with connection.cursor() as cursor:
        cursor.execute(DEFINITION)
        for first in range(1, row_count + 1, _BATCH_ROWS):
            last = min(row_count, first + _BATCH_ROWS - 1)
            rows = ",".join(_row(random, number, row_count) for number in range(first, last + 1))
            cursor.execute(f"INSERT INTO {TABLE} (id, k, c, pad) VALUES {rows}")
    connection.commit()


def _row(random: Random, number: int, row_count: int) -> str:
    k = random.randint(1, row_count)
    return f"({number},{k},'{groups(random, 10)}','{groups(random, 5)}')"


def change(connection: Any, seed: int, *, updates: int, deletes: int, inserts: int) -> None:
    """Each change is a statement and a transaction; updates alternate between c and k."""
    random = Random(seed)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(id) FROM {TABLE}")
        (highest,) = cursor.fetchone()
        for number in range(updates):
            row = random.randint(1, highest)
            if number % 2:
                cursor.execute(f"UPDATE {TABLE} SET k = k + 1 WHERE id = {row}")
            else:
                c = groups(random, 10)
                cursor.execute(f"UPDATE {TABLE} SET c = '{c}' WHERE id = {row}")
            connection.commit()
        for _ in range(deletes):
            cursor.execute(f"DELETE FROM {TABLE} WHERE id = {random.randint(1, highest)}")
            connection.commit()
        for _ in range(inserts):
            k, c, pad = random.randint(1, highest), groups(random, 10), groups(random, 5)
            cursor.execute(f"INSERT INTO {TABLE} (k, c, pad) VALUES ({k}, '{c}', '{pad}')")
            connection.commit()
