"""Many tables, wide tables, and the many programs of the servers' own `sys` schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.rowvault import run_json, succeed
from support.server import DatabaseServer
from support.sys_copy import copy_sys

PASSWORD = {"MYSQL_PWD": "test"}
# MySQL takes several times as long to make a table.
TABLES = {"mariadb": 2100, "mysql": 600}
KEPT_OPEN = 400
"""Tables that the servers keep open: fewer than there are."""
BATCH = 250


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def target(server_second: DatabaseServer, database: str) -> Iterator[DatabaseServer]:
    yield server_second
    server_second.execute(f"DROP DATABASE IF EXISTS {database}")


def assert_comes_back_in_both_ways(
    source: DatabaseServer, target: DatabaseServer, database: str, place: tuple[str, str]
) -> None:
    before = comparer.fingerprint(source, [database])
    taken = run_json(*place, "backup", source.socket_url, "-d", database, env=PASSWORD)
    assert taken["warnings"] == []
    restored = run_json(*place, "restore", "latest", target.socket_url, env=PASSWORD)
    assert restored["verified"] is True
    assert comparer.differences(before, comparer.fingerprint(target, [database])) == []
    target.execute(f"DROP DATABASE {database}")
    pipe_into(target, succeed(*place, "dump", "latest"))
    assert comparer.differences(before, comparer.fingerprint(target, [database])) == []


def test_the_servers_own_views_and_programs_come_back_equal(
    server: DatabaseServer, target: DatabaseServer, database: str, place: tuple[str, str]
) -> None:
    made = copy_sys(server, database)
    assert made["VIEW"] >= 90
    assert made["FUNCTION"] >= 20
    assert made["PROCEDURE"] >= 20
    assert made["TRIGGER"] == (2 if server.vendor == "mysql" else 0)
    assert_comes_back_in_both_ways(server, target, database, place)


KINDS = (
    "INT NOT NULL",
    "VARCHAR(5)",
    "DATE",
    "FLOAT",
    "BIT(3)",
    "ENUM('a','b') NOT NULL",
    "DECIMAL(5,2)",
    "TINYBLOB",
    "BINARY(2) NOT NULL DEFAULT 'xy'",
    "BIGINT AS (c0 * 2)",
)
VALUES = ("{}", "'v{}'", "'2024-02-{:02}'", "{}.5", "5", "'b'", "{}.25", "X'00FF'", "X'0102'")


def test_a_table_of_a_thousand_columns_comes_back_equal(
    server: DatabaseServer, target: DatabaseServer, database: str, place: tuple[str, str]
) -> None:
    columns = [f"c{at} {KINDS[at % len(KINDS)]}" for at in range(1000)]
    stored = [at for at in range(1000) if at % len(KINDS) < len(VALUES)]
    names = ",".join(f"c{at}" for at in stored)
    rows = [
        ",".join(VALUES[at % len(KINDS)].format(1 + (at + row) % 28) for at in stored)
        for row in range(30)
    ]
    server.execute(
        f"USE {database}",
        f"CREATE TABLE wide (id INT PRIMARY KEY AUTO_INCREMENT, {','.join(columns)})",
        f"CREATE TABLE keyless ({','.join(columns)})",
        f"INSERT INTO wide ({names}) VALUES {','.join(f'({row})' for row in rows)}",
        f"INSERT INTO keyless ({names}) VALUES {','.join(f'({row})' for row in rows)}",
    )
    assert_comes_back_in_both_ways(server, target, database, place)


def definitions(server: DatabaseServer, database: str) -> set[tuple[object, ...]]:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, COLUMN_KEY"
            " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s",
            (database,),
        )
        return set(cursor.fetchall())


def contents(server: DatabaseServer, database: str, count: int) -> list[tuple[object, ...]]:
    """(number of the table, its values), of all tables."""
    found: list[tuple[object, ...]] = []
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        for start in range(0, count, BATCH):
            parts = (f"SELECT {at}, id, v FROM {database}.t{at}" for at in range(count)[start:])
            cursor.execute(" UNION ALL ".join(list(parts)[:BATCH]))
            found += cursor.fetchall()
    return found


@pytest.fixture
def _few_stay_open(server: DatabaseServer, server_second: DatabaseServer) -> Iterator[None]:
    with ExitStack() as stack:
        for one in (server, server_second):
            with one.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT @@GLOBAL.table_open_cache")
                (number,) = cursor.fetchone() or (0,)
            stack.callback(one.execute, f"SET GLOBAL table_open_cache = {number}")
            one.execute(f"SET GLOBAL table_open_cache = {KEPT_OPEN}")
        yield


@pytest.mark.usefixtures("_few_stay_open")
@pytest.mark.timeout(1800)
def test_more_tables_than_stay_open_come_back_equal(
    server: DatabaseServer, target: DatabaseServer, database: str, place: tuple[str, str]
) -> None:
    """ROWVAULT_TEST_TABLES asks for another number of them."""
    count = int(os.environ.get("ROWVAULT_TEST_TABLES", TABLES[server.vendor]))
    server.execute(
        f"USE {database}",
        *(f"CREATE TABLE t{at} (id INT PRIMARY KEY, v VARCHAR(9))" for at in range(count)),
    )
    server.execute(
        f"USE {database}",
        "BEGIN",
        *(f"INSERT INTO t{at} VALUES ({at * 7}, 'of {at}')" for at in range(count)),
        "COMMIT",
    )
    taken = run_json(*place, "backup", server.socket_url, "-d", database, env=PASSWORD)
    assert (taken["tables"], taken["rows"]) == (count, count)
    again = run_json(*place, "backup", server.socket_url, "-d", database, env=PASSWORD)
    assert again["new_blocks"] == 0
    assert again["stored_bytes"] < 16384
    restored = run_json(*place, "restore", "latest", target.socket_url, env=PASSWORD)
    assert restored["verified"] is True
    assert restored["tables"] == count
    assert definitions(target, database) == definitions(server, database)
    assert contents(server, database, count) == [(at, at * 7, f"of {at}") for at in range(count)]
    assert contents(target, database, count) == contents(server, database, count)
