"""Definitions that change at random, where every state in between is legal and known.

`left` and `right` are swapped by RENAME and are of one shape: together they always hold both kinds
of rows. `emptied` is truncated and filled, `remade` dropped and created, `altered` gets and loses
a column; each holds all of its rows or none.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pymysql

from support.server import DatabaseServer

ROWS = 300
_LOCK_TIMEOUT, _DEADLOCK = 1205, 1213


def make_tables(server: DatabaseServer, database: str) -> None:
    """All five, filled."""
    statements = [f"USE {database}"]
    for name, mark in (("left_", "l"), ("right_", "r"), ("emptied", "e"), ("altered", "a")):
        statements += [_create(name), _fill(name, mark)]
    server.execute(*statements, _create("remade"), _fill("remade", "m"))


def _create(name: str) -> str:
    return f"CREATE TABLE {name} (id INT PRIMARY KEY, mark CHAR(1), note CHAR(200))"


def _fill(name: str, mark: str) -> str:
    rows = ", ".join(f"({number}, '{mark}', REPEAT('x', 200))" for number in range(ROWS))
    return f"INSERT INTO {name} (id, mark, note) VALUES {rows}"


CHANGES = (
    ["RENAME TABLE left_ TO between_, right_ TO left_, between_ TO right_"],
    ["TRUNCATE TABLE emptied", _fill("emptied", "e")],
    ["DROP TABLE remade", _create("remade"), _fill("remade", "m")],
    ["ALTER TABLE altered ADD COLUMN more INT NOT NULL DEFAULT 7"],
    ["ALTER TABLE altered DROP COLUMN more"],
)


@contextmanager
def changes(server: DatabaseServer, database: str) -> Iterator[threading.Event]:
    """Changes definitions while the body runs; each one that is done sets the event."""
    stop, done = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        chance = random.Random(7)
        try:
            with closing(server.connect(database=database)) as connection:
                connection.query("SET SESSION lock_wait_timeout = 1")
                while not stop.is_set():
                    for statement in chance.choice(CHANGES):
                        _run_until_done(connection, statement, stop)
                    done.set()
                    # Some time in which a backup may find nothing changed.
                    stop.wait(chance.random() * 0.6)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
    assert failures == []


_ALREADY = {1060, 1091, 1050, 1051, 1062}
"""The column, the table or the rows are there already, or are gone."""


def _run_until_done(connection: Any, statement: str, stop: threading.Event) -> None:
    """A backup may hold it up; it is not given up until the end."""
    while True:
        try:
            connection.query(statement)
            return
        except pymysql.err.MySQLError as error:
            code = error.args[0]
            if code in _ALREADY:
                return
            if code not in (_LOCK_TIMEOUT, _DEADLOCK):
                raise
            if stop.is_set():
                return


def assert_legal(server: DatabaseServer, database: str) -> None:
    """What was restored is one of the states that there were."""
    with closing(server.connect(database=database)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        there = {name for (name,) in cursor.fetchall()}
        assert {"left_", "right_", "emptied", "altered"} <= there
        marks = {name: _marks(cursor, name) for name in there}
        assert sorted([marks["left_"], marks["right_"]]) == [[("l", ROWS)], [("r", ROWS)]]
        assert marks["emptied"] in ([], [("e", ROWS)])
        assert marks.get("remade", []) in ([], [("m", ROWS)])
        assert marks["altered"] == [("a", ROWS)]
        cursor.execute("SHOW COLUMNS FROM altered LIKE 'more'")
        if cursor.fetchall():
            cursor.execute("SELECT COUNT(*) FROM altered WHERE more <> 7")
            assert cursor.fetchone() == (0,)


def _marks(cursor: Any, name: str) -> list[tuple[str, int]]:
    cursor.execute(f"SELECT mark, COUNT(*) FROM {name} GROUP BY mark")
    return list(cursor.fetchall())
