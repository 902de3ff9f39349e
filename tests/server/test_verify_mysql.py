"""Comparing a MySQL server with a snapshot: each single change is found, and told by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from support.rowvault import run, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mysql

SCHEMA = (
    "CREATE DATABASE compare_me",
    "USE compare_me",
    "SET SESSION cte_max_recursion_depth = 10000",
    "CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, price DECIMAL(10,2), note TEXT)",
    "INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 9000) SELECT i, i / 7, REPEAT(SHA2(i, 256), 4) FROM n",
    "CREATE TABLE log (line VARCHAR(99))",
    "INSERT INTO log SELECT SHA2(id, 256) FROM orders WHERE id <= 2000",
    "CREATE VIEW dear AS SELECT id FROM orders WHERE price > 100",
    "CREATE TRIGGER stamp BEFORE INSERT ON log FOR EACH ROW SET NEW.line = UPPER(NEW.line)",
    "CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log",
)


class Change(NamedTuple):
    """Something that is done, what is then told, and how it is undone."""

    act: str
    place: str
    what: str
    undo: str


CHANGES = [
    Change(
        "UPDATE orders SET price = price + 0.01 WHERE id = 5000",
        "compare_me.orders",
        "id=",
        "UPDATE orders SET price = price - 0.01 WHERE id = 5000",
    ),
    Change(
        "DELETE FROM orders WHERE id = 6000",
        "compare_me.orders",
        "8999 on the target",
        "INSERT INTO orders VALUES (6000, 6000 / 7, REPEAT(SHA2(6000, 256), 4))",
    ),
    Change(
        "INSERT INTO log VALUES ('twice')",
        "compare_me.log",
        "2001 on the target",
        "DELETE FROM log WHERE line = 'twice'",
    ),
    Change(
        "CREATE OR REPLACE VIEW dear AS SELECT id FROM orders WHERE price > 101",
        "view compare_me.dear",
        "101",
        "CREATE OR REPLACE VIEW dear AS SELECT id FROM orders WHERE price > 100",
    ),
    Change(
        "ALTER EVENT nightly ENABLE",
        "event compare_me.nightly",
        "ENABLE",
        "ALTER EVENT nightly DISABLE",
    ),
    Change(
        "ALTER TABLE log ADD KEY (line)",
        "table compare_me.log",
        "KEY",
        "ALTER TABLE log DROP KEY line",
    ),
    Change(
        "ALTER TABLE orders AUTO_INCREMENT = 90000",
        "table compare_me.orders",
        "90000",
        "ALTER TABLE orders AUTO_INCREMENT = 9001",
    ),
    Change("DROP TRIGGER stamp", "trigger compare_me.stamp", "not on the target", ""),
]


def test_each_change_is_found_by_name(
    mysql: DatabaseServer, mysql_second: DatabaseServer, tmp_path: Path
) -> None:
    vault = ("-r", str(tmp_path / "vault"))
    succeed(*vault, "init", "--no-encryption")
    mysql.execute(*SCHEMA)
    try:
        succeed(*vault, "backup", mysql.url, "-d", "compare_me")
        succeed(*vault, "restore", "latest", mysql_second.url)
        for change in CHANGES:
            mysql_second.execute("USE compare_me", change.act)
            done = run("--json", *vault, "verify", "latest", mysql_second.url)
            assert done.returncode == 4, (change, done.stderr)
            (told,) = json.loads(done.stdout)["differences"]
            assert change.place in told
            assert change.what in told
            if change.undo:
                mysql_second.execute("USE compare_me", change.undo)
    finally:
        mysql.execute("DROP DATABASE compare_me")
        mysql_second.execute("DROP DATABASE IF EXISTS compare_me")
