"""Putting rows into a table: all of them exactly, or an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymysql
import pytest

from rowvault.codec.rows import encode_batch
from rowvault.core.errors import RestoreError
from rowvault.core.model import (
    Column,
    ObjectDefinition,
    ObjectKind,
    TableDefinition,
    ValueKind,
)
from rowvault.core.monitor import SilentMonitor
from rowvault.source.address import open_target, parse_address
from rowvault.source.protocol import Loader
from support.copying import table_rows, target_at
from support.mariadb import MariaDBServer

pytestmark = pytest.mark.mariadb


@pytest.fixture(params=[True, False], ids=["load data", "insert"])
def loader(
    request: pytest.FixtureRequest, mariadb: MariaDBServer, database: str
) -> Iterator[Loader]:
    mariadb.execute(
        f"SET GLOBAL local_infile = {request.param}",
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v VARCHAR(3))",
        f"CREATE TABLE {database}.wide (id INT PRIMARY KEY, v LONGTEXT)",
    )
    target = target_at(mariadb.url)
    opened = target.open_loader()
    yield opened
    opened.close()
    target.finish()
    mariadb.execute("SET GLOBAL local_infile = 1")


def table(database: str, name: str = "t") -> TableDefinition:
    columns = (Column("id", "int", ValueKind.NUMBER), Column("v", "text", ValueKind.TEXT))
    return TableDefinition(database, name, columns, (0,), True, b"", engine="InnoDB")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(b"1", b"abcd")], "too long"),
        ([(b"99999999999", b"a")], "Out of range"),
        # Into an empty table MariaDB inserts in bulk, and a duplicate shows at the commit.
        ([(b"1", b"a"), (b"1", b"b")], "(Duplicate|during COMMIT)"),
        ([(b"1", b"\xff")], "Incorrect string value"),
    ],
)
def test_a_row_that_would_change_is_refused(
    rows: list[tuple[bytes, bytes]], reason: str, loader: Loader, database: str
) -> None:
    with pytest.raises(RestoreError, match=f"(?i){database}.t.*{reason}"):
        loader.load(table(database), encode_batch(rows))


def test_a_note_is_an_error_too(loader: Loader, mariadb: MariaDBServer, database: str) -> None:
    """Strict mode lets the time of day of a DATE fall away with a mere note."""
    mariadb.execute(f"CREATE TABLE {database}.day (id INT PRIMARY KEY, v DATE)")
    with pytest.raises(RestoreError, match="did not load exactly"):
        loader.load(table(database, "day"), encode_batch([(b"1", b"2024-01-01 10:00:00")]))


def test_loading_is_logged_for_replicas(
    loader: Loader, mariadb: MariaDBServer, database: str
) -> None:
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@gtid_binlog_pos")
        before = cursor.fetchone()
        loader.load(table(database), encode_batch([(b"1", b"a")]))
        cursor.execute("SELECT @@gtid_binlog_pos")
        assert cursor.fetchone() != before


def first_cell(cursor: pymysql.cursors.Cursor, query: str) -> Any:
    cursor.execute(query)
    row = cursor.fetchone()
    assert row is not None
    return row[-1]


def await_lock_wait(cursor: pymysql.cursors.Cursor, ended: threading.Event) -> None:
    """Returns when some transaction waits for a lock, or when nobody is left who could."""
    waiting = "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
    while True:
        # InnoDB shows what it showed before to whoever asks again within a tenth of a second, also
        # when the one who asked was the test before.
        assert not ended.wait(0.15)
        if first_cell(cursor, waiting):
            return


def test_a_statement_that_a_deadlock_undid_is_sent_again(
    loader: Loader, mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(f"CREATE TABLE {database}.weight (id INT PRIMARY KEY)")
    ended = threading.Event()

    def load() -> None:
        try:
            loader.load(table(database), encode_batch([(b"1", b"a"), (b"2", b"b")]))
        finally:
            ended.set()

    with (
        mariadb.connect(database=database, autocommit=False) as other,
        mariadb.connect() as watching,
        ThreadPoolExecutor() as pool,
        other.cursor() as rival,
        watching.cursor() as watch,
    ):
        deadlocks = "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"
        before = int(first_cell(watch, deadlocks))
        # InnoDB undoes the transaction that changed less.
        rival.execute("INSERT INTO weight SELECT seq FROM seq_1_to_1000")
        rival.execute("INSERT INTO t VALUES (2, 'x')")
        loading = pool.submit(load)
        await_lock_wait(watch, ended)
        rival.execute("INSERT INTO t VALUES (1, 'x')")
        await_lock_wait(watch, ended)
        other.rollback()
        loading.result()
        assert int(first_cell(watch, deadlocks)) == before + 1
    assert table_rows(mariadb.url, database, "t") == [[b"1", b"a"], [b"2", b"b"]]


def test_more_rows_than_fit_into_a_statement_are_divided(
    loader: Loader, mariadb: MariaDBServer, database: str
) -> None:
    rows = [(str(number).encode(), b"'" * 5000) for number in range(1000)]
    loader.load(table(database, "wide"), encode_batch(rows))
    assert table_rows(mariadb.url, database, "wide") == [list(row) for row in rows]


def test_a_row_beyond_the_limit_names_what_to_raise(loader: Loader, database: str) -> None:
    row = (b"1", b"x" * ((64 << 20) + 1))
    with pytest.raises(RestoreError, match="max_allowed_packet"):
        loader.load(table(database, "wide"), encode_batch([row]))


def test_a_database_that_is_there_is_left_as_it_is(mariadb: MariaDBServer, database: str) -> None:
    target = target_at(mariadb.url)
    statement = f"CREATE DATABASE `{database}` CHARACTER SET latin1".encode()
    target.create(ObjectDefinition(ObjectKind.DATABASE, database, database, statement))
    target.finish()
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW CREATE DATABASE {database}")
        assert "utf8mb4" in str(cursor.fetchone())


def test_a_statement_that_fails_names_the_object(mariadb: MariaDBServer, database: str) -> None:
    target = target_at(mariadb.url)
    broken = ObjectDefinition(ObjectKind.VIEW, database, "v", b"CREATE VIEW `v` AS SELECT nothing")
    with pytest.raises(RestoreError, match=f"view {database}.v could not be created"):
        target.create(broken)
    target.finish()


def test_another_engine_than_the_wanted_one_is_refused(
    mariadb: MariaDBServer, database: str
) -> None:
    target = target_at(mariadb.url)
    definition = TableDefinition(
        database, "x", (), (), False, b"CREATE TABLE `x` (a INT) ENGINE=NoSuchEngine"
    )
    with pytest.raises(RestoreError, match="NoSuchEngine"):
        target.create(definition)
    target.finish()


def test_a_definer_that_is_not_there_is_told(mariadb: MariaDBServer, database: str) -> None:
    monitor = SilentMonitor()
    target = open_target(parse_address(mariadb.socket_url), monitor)
    target.create(
        ObjectDefinition(
            ObjectKind.VIEW,
            database,
            "v",
            b"CREATE DEFINER=`nobody`@`nowhere` VIEW `v` AS SELECT 1 AS `one`",
        )
    )
    target.finish()
    assert any("nobody" in warning for warning in monitor.warnings)
