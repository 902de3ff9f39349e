"""A table whose default calls a sequence brings the sequence with it: without it no server makes
the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, succeed

pytestmark = pytest.mark.mariadb

STATEMENTS = (
    "CREATE DATABASE sales",
    "CREATE DATABASE numbers",
    "CREATE SEQUENCE sales.own START WITH 100 NOCACHE",
    "CREATE SEQUENCE numbers.`o``ther`",
    "CREATE SEQUENCE sales.unused",
    "CREATE TABLE sales.orders (id INT DEFAULT NEXTVAL(sales.own) PRIMARY KEY,"
    " n INT DEFAULT (NEXTVAL(numbers.`o``ther`) + 1), t VARCHAR(40) DEFAULT 'nextval(`x`.`y`)')",
    "INSERT INTO sales.orders () VALUES (), ()",
    "CREATE TABLE sales.other (id INT)",
)
CARRIED = {
    "database numbers",
    "database sales",
    "sequence numbers.o`ther",
    "rows numbers.o`ther",
    "sequence sales.own",
    "rows sales.own",
    "table sales.orders",
    "rows sales.orders",
}


@pytest.fixture
def place(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    vault = ("-r", str(tmp_path / "vault"))
    succeed(*vault, "init", "--no-encryption")
    mariadb.execute(*STATEMENTS)
    yield vault
    for server in (mariadb, mariadb_second):
        server.execute(*(f"DROP DATABASE IF EXISTS {name}" for name in ("sales", "numbers")))


def marks(server: MariaDBServer) -> dict[str, str]:
    return dict(comparer.fingerprint(server, ["sales", "numbers"]))


def test_a_backup_of_the_table_alone_holds_its_sequences(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    run_json(*place, "backup", mariadb.socket_url, "-t", "sales.orders")
    expected = {label: mark for label, mark in marks(mariadb).items() if label in CARRIED}
    run_json(*place, "restore", "latest", mariadb_second.socket_url)
    assert marks(mariadb_second) == expected
    mariadb_second.execute("DROP DATABASE sales", "DROP DATABASE numbers")
    pipe_into(mariadb_second, succeed(*place, "dump", "latest"))
    assert marks(mariadb_second) == expected


def test_a_restore_of_the_table_alone_brings_its_sequences(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    run_json(*place, "backup", mariadb.socket_url)
    done = run_json(*place, "restore", "latest", mariadb_second.socket_url, "-t", "sales.orders")
    assert done["verified"] is True
    assert marks(mariadb_second).keys() == CARRIED


def test_a_sequence_that_the_target_has_stays_as_it_is(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    run_json(*place, "backup", mariadb.socket_url)
    mariadb_second.execute("CREATE DATABASE sales", "CREATE SEQUENCE sales.own START WITH 9000")
    before = marks(mariadb_second)
    run_json(*place, "restore", "latest", mariadb_second.socket_url, "-t", "sales.orders")
    found = marks(mariadb_second)
    assert found["rows sales.own"] == before["rows sales.own"]
    assert "table sales.orders" in found


def test_a_sequence_that_is_gone_is_named_and_made_anew(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    mariadb.execute("DROP SEQUENCE sales.own")
    done = run("--json", *place, "backup", mariadb.socket_url, "-d", "sales")
    assert done.returncode == 3
    (warning,) = json.loads(done.stdout)["warnings"]
    assert "sales.orders" in warning
    assert "sales.own" in warning
    expected = marks(mariadb)
    restored = run_json(*place, "restore", "latest", mariadb_second.socket_url)
    assert restored["verified"] is True
    found = marks(mariadb_second)
    assert found.keys() - expected.keys() == {"sequence sales.own", "rows sales.own"}
    assert found["rows sales.orders"] == expected["rows sales.orders"]
