"""A bank whose money only moves: the sum over all its tables never changes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from support.server import DatabaseServer

TABLES = ("checking", "savings", "pension", "cash")
ROWS = 2000
MONEY = 1000
TOTAL = len(TABLES) * ROWS * MONEY


def open_bank(server: DatabaseServer, database: str) -> None:
    """Makes the tables, with as much money on each account."""
    rows = ", ".join(f"({number}, {MONEY}, REPEAT('x', 200))" for number in range(ROWS))
    statements = []
    for table in TABLES:
        statements += [
            f"CREATE TABLE {table} (id INT PRIMARY KEY, money BIGINT NOT NULL, note CHAR(200))",
            f"INSERT INTO {table} VALUES {rows}",
        ]
    server.execute(f"USE {database}", *statements)


@contextmanager
def transfers(server: DatabaseServer, database: str, writers: int = 8) -> Iterator[None]:
    """So many writers move money between accounts in different tables while the body runs."""
    stop = threading.Event()
    moved = [threading.Event() for _ in range(writers)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            with closing(server.connect(autocommit=False, database=database)) as connection:
                while not stop.is_set():
                    _transfer(connection, chance)
                    moved[number].set()
        except BaseException as error:
            failures.append(error)
            moved[number].set()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        for one in moved:
            assert one.wait(60)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def _transfer(connection: object, chance: random.Random) -> None:
    amount = chance.randrange(1, 9)
    # In the order of names, so that two writers never wait for each other in a circle.
    one, other = sorted(chance.sample(TABLES, 2))
    for table, sign in ((one, "-"), (other, "+")):
        connection.query(  # type: ignore[attr-defined]
            f"UPDATE {table} SET money = money {sign} {amount} WHERE id = {chance.randrange(ROWS)}"
        )
    connection.commit()  # type: ignore[attr-defined]


def total(server: DatabaseServer, database: str) -> int:
    """All the money that there is."""
    union = " UNION ALL ".join(f"SELECT money FROM {table}" for table in TABLES)
    with (
        closing(server.connect(database=database)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT SUM(money) FROM ({union}) AS everywhere")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])
