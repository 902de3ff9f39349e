"""The comparer notices single alterations, each of one thing that a restore could get wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import comparer
from support.mariadb import MariaDBServer

pytestmark = pytest.mark.mariadb

DATABASE = "compared"
MADE = (
    "SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'",
    f"CREATE OR REPLACE DATABASE {DATABASE}",
    f"USE {DATABASE}",
    "CREATE TABLE f (f FLOAT, d DOUBLE)",
    "INSERT INTO f VALUES (16777216, '0')",
    "CREATE TABLE e (e ENUM('', 'a', 'b'), s SET('', 'x'), t VARCHAR(9) CHARACTER SET cp932)",
    "INSERT IGNORE INTO e VALUES (0, 0, _cp932 X'8790')",
    "CREATE TABLE h (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
    "SET system_versioning_insert_history = 1",
    "INSERT INTO h (id, v, row_start, row_end) VALUES (1, 1, '2020-01-01', '2021-01-01'),"
    " (1, 2, '2021-01-01', '2038-01-19 03:14:07.999999')",
    "CREATE TABLE p (a INT) PARTITION BY LIST (a)"
    " (PARTITION x VALUES IN (1, 2), PARTITION y VALUES IN (3))",
    "INSERT INTO p VALUES (1), (2), (2)",
    "CREATE TABLE c (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(9) DEFAULT 'x' COMMENT 'c',"
    " CHECK (a <> 'no'))",
    "CREATE TABLE g (g GEOMETRY REF_SYSTEM_ID = 4326)",
    "CREATE SEQUENCE q",
    "CREATE TRIGGER t1 BEFORE INSERT ON c FOR EACH ROW SET @x = 1",
    "CREATE TRIGGER t2 BEFORE INSERT ON c FOR EACH ROW SET @x = 2",
    "CREATE PROCEDURE r(a CHAR(3)) SELECT 1",
    "CREATE VIEW v AS SELECT a FROM p",
    "CREATE EVENT n ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO SET @x = 1",
)
ALTERATIONS = {
    "a FLOAT that prints alike": ("UPDATE f SET f = 16777218", "rows {0}.f"),
    "the last bit of a DOUBLE": ("UPDATE f SET d = 5e-324", "rows {0}.f"),
    "the error value for the empty member": ("UPDATE e SET e = 1", "rows {0}.e"),
    "the empty member for no member": ("UPDATE e SET s = 1", "rows {0}.e"),
    "another code of one character": ("UPDATE e SET t = _cp932 X'81E0'", "rows {0}.e"),
    "the history": ("DELETE HISTORY FROM h", "rows {0}.h"),
    "the time of a version": (
        "SET system_versioning_insert_history = 1; DELETE HISTORY FROM h; INSERT INTO h"
        " (id, v, row_start, row_end) VALUES (1, 1, '2020-01-01', '2020-12-31')",
        "rows {0}.h",
    ),
    "one of two equal rows": ("DELETE FROM p WHERE a = 2 LIMIT 1", "rows {0}.p"),
    "the partition of a row": (
        "ALTER TABLE p REORGANIZE PARTITION x, y INTO (PARTITION x VALUES IN (1, 3),"
        " PARTITION y VALUES IN (2))",
        "rows {0}.p",
    ),
    "the counter": ("ALTER TABLE c AUTO_INCREMENT = 7", "table {0}.c"),
    "a default": ("ALTER TABLE c ALTER a SET DEFAULT 'y'", "table {0}.c"),
    "a comment": ("ALTER TABLE c COMMENT 'z'", "table {0}.c"),
    "a reference system": ("ALTER TABLE g MODIFY g GEOMETRY REF_SYSTEM_ID = 1", "table {0}.g"),
    "the next value of a sequence": ("DO SETVAL(q, 5)", "rows {0}.q"),
    "the order of triggers": (
        "DROP TRIGGER t1; CREATE TRIGGER t1 BEFORE INSERT ON c FOR EACH ROW SET @x = 1",
        "trigger {0}.t1",
    ),
    "the sql_mode of a program": (
        "SET sql_mode = 'ANSI'; CREATE OR REPLACE PROCEDURE r(a CHAR(3)) SELECT 1",
        "procedure {0}.r",
    ),
    "the charset of a parameter": (
        "ALTER DATABASE CHARACTER SET latin1; CREATE OR REPLACE PROCEDURE r(a CHAR(3)) SELECT 1;"
        " ALTER DATABASE CHARACTER SET utf8mb4",
        "procedure {0}.r",
    ),
    "the security of a view": (
        "ALTER SQL SECURITY INVOKER VIEW v AS SELECT a FROM p",
        "view {0}.v",
    ),
    "the state of an event": ("ALTER EVENT n DISABLE ON SLAVE", "event {0}.n"),
    "the collation of a database": ("ALTER DATABASE COLLATE utf8mb4_bin", "database {0}"),
}


@pytest.fixture
def made(mariadb: MariaDBServer) -> Iterator[MariaDBServer]:
    mariadb.execute(*MADE)
    yield mariadb
    mariadb.execute(f"DROP DATABASE {DATABASE}")


def test_two_readings_are_the_same(made: MariaDBServer) -> None:
    first = comparer.fingerprint(made, [DATABASE])
    assert comparer.differences(first, comparer.fingerprint(made, [DATABASE])) == []


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_is_noticed(name: str, made: MariaDBServer) -> None:
    statements, label = ALTERATIONS[name]
    before = comparer.fingerprint(made, [DATABASE])
    made.execute(f"USE {DATABASE}", "SET sql_mode = ''", *statements.split("; "))
    lines = comparer.differences(before, comparer.fingerprint(made, [DATABASE]))
    assert any(line.startswith(label.format(DATABASE) + ":") for line in lines), lines
