"""What MySQL has and MariaDB has not: SRID columns, GTIDs, read locks instead of positions."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from rowvault.core.omission import texts_of
from rowvault.source.protocol import Selection
from support import comparer
from support.clients import pipe_into
from support.copying import copy, source_at, table_rows
from support.mysql import MySQLServer
from support.rowvault import run, succeed

pytestmark = pytest.mark.mysql

STATEMENTS = (
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, f FLOAT, d DOUBLE, j JSON,"
    " g GEOMETRY SRID 4326, b BIT(5), h INT INVISIBLE DEFAULT 4, w INT AS (h * 2),"
    " s VARCHAR(9) CHARACTER SET cp932)",
    "INSERT INTO t (f, d, j, g, b, h, s) VALUES ('-0', '-0', '{\"a\": 1.5}',"
    " ST_GeomFromText('POINT(1 2)', 4326), b'10101', 9, _cp932 X'8790')",
    "INSERT INTO t (f) VALUES (16777218)",
    "CREATE VIEW v AS SELECT id FROM t",
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.h = NEW.h",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1",
)


@pytest.fixture
def filled(mysql: MySQLServer, database: str) -> str:
    mysql.execute(f"USE {database}", *STATEMENTS)
    return database


def test_a_read_lock_makes_one_moment(mysql: MySQLServer, filled: str) -> None:
    with source_at(mysql.url).open_snapshot(3) as snapshot:
        assert snapshot.moment.method == "read lock"
        assert snapshot.moment.binlog_position > 0
        assert len(snapshot.readers()) == 3
        snapshot.confirm(snapshot.catalogue(Selection(databases=(filled,))))


def test_everything_comes_back_the_same(
    mysql: MySQLServer, mysql_second: MySQLServer, filled: str
) -> None:
    before = table_rows(mysql.url, filled, "t")
    assert before[0][1:3] == [b"-0", b"-0"]
    try:
        copy(mysql.url, mysql_second.url, [filled])
        assert table_rows(mysql_second.url, filled, "t") == before
        left = comparer.fingerprint(mysql, [filled])
        assert comparer.differences(left, comparer.fingerprint(mysql_second, [filled])) == []
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {filled}")


def test_columns_of_views_may_be_null_as_they_might(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str
) -> None:
    """A strict session makes views of other columns, and nothing but these tells which it was."""
    mysql.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) NOT NULL, e ENUM('x') NOT NULL)",
        "SET sql_mode = ''",
        "CREATE VIEW lenient AS SELECT CONCAT(a, 'x') AS a, id, GROUP_CONCAT(e) AS e FROM t",
        "SET sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT'",
        "CREATE VIEW strict AS SELECT a || 'x' AS \"a\", id, GROUP_CONCAT(e) AS e FROM t",
        "CREATE VIEW either AS SELECT id FROM t",
    )
    left = comparer.fingerprint(mysql, [database])
    try:
        copy(mysql.url, mysql_second.url, [database])
        assert comparer.differences(left, comparer.fingerprint(mysql_second, [database])) == []
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_a_column_that_kept_the_charset_its_table_had_is_verified(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str, tmp_path: Path
) -> None:
    """SHOW CREATE TABLE says it in words that no statement brings about."""
    mysql.execute(
        f"USE {database}",
        "CREATE TABLE t (a VARCHAR(9), b VARCHAR(9) COLLATE latin2_czech_cs) CHARACTER SET latin2",
        "ALTER TABLE t DEFAULT CHARACTER SET utf8mb4",
        "CREATE TABLE u (a VARCHAR(9), b ENUM('x')) COLLATE utf8mb4_unicode_ci",
        "ALTER TABLE u DEFAULT COLLATE utf8mb4_bin",
    )
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", mysql.url, "-d", database)
    try:
        succeed("-r", vault, "restore", "latest", mysql_second.url)
        with closing(mysql_second.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT GROUP_CONCAT(COLLATION_NAME ORDER BY TABLE_NAME, COLUMN_NAME) FROM"
                " information_schema.COLUMNS WHERE TABLE_SCHEMA = %s",
                (database,),
            )
            assert cursor.fetchone() == (
                "latin2_general_ci,latin2_czech_cs,utf8mb4_unicode_ci,utf8mb4_unicode_ci",
            )
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_a_view_that_the_server_cannot_read_itself_is_named(
    mysql: MySQLServer, database: str
) -> None:
    mysql.execute(
        f"USE {database}",
        "CREATE VIEW a AS SELECT 1",
        "SET NAMES sjis",
        # The character's second byte is a backslash, which the server does not write twice.
        b"CREATE VIEW b AS SELECT '\x95\x5c' AS x",
    )
    with source_at(mysql.url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
    assert [one.name for one in catalogue.objects] == [database, "a"]
    (omission,) = texts_of(catalogue.omissions)
    assert f"view {database}.b is left out: the server cannot read the text" in omission


def test_what_the_client_alters_is_named_by_a_dump(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str, tmp_path: Path
) -> None:
    mysql.execute(
        f"USE {database}",
        "CREATE PROCEDURE plain () SELECT 1 -- to the end",
        "CREATE PROCEDURE touched () BEGIN SELECT 1 /* d */; END",
    )
    left = comparer.fingerprint(mysql, [database])
    place = ("-r", tmp_path / "vault")
    succeed(*place, "init", "--no-encryption")
    succeed(*place, "backup", mysql.socket_url, "-d", database, env={"MYSQL_PWD": "test"})
    dumped = run(*place, "dump", "latest")
    assert dumped.returncode == 3
    told = [line for line in dumped.stderr.decode().splitlines() if line.startswith("warning:")]
    assert [f"procedure {database}.touched" in line for line in told] == [True]
    try:
        pipe_into(mysql_second, dumped.stdout)
        found = comparer.differences(left, comparer.fingerprint(mysql_second, [database]))
        assert [line.split(":")[0] for line in found] == [f"procedure {database}.touched"]
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_carriage_returns_in_programs_pass_a_client_in_binary_mode(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str, tmp_path: Path
) -> None:
    mysql.execute(
        f"USE {database}",
        "CREATE PROCEDURE p()\r\nBEGIN\r\n  -- one;\r\n  SET @x = 'a\r\nb';\r\nEND",
        "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)",
        "INSERT INTO t VALUES (1, 'a\r\nb\\0\\\\')",
    )
    vault, script = tmp_path / "vault", tmp_path / "dump.sql"
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", mysql.url, "-d", database)
    succeed("-r", vault, "dump", "latest", "-o", script)
    try:
        pipe_into(mysql_second, script.read_bytes(), "--binary-mode")
        left = comparer.fingerprint(mysql, [database])
        assert comparer.differences(left, comparer.fingerprint(mysql_second, [database])) == []
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_a_row_outside_of_its_partition_stops_a_restore_with_a_reason(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str, tmp_path: Path
) -> None:
    mysql.execute(
        f"USE {database}",
        "CREATE TABLE t (a INT PRIMARY KEY) PARTITION BY RANGE (a)"
        " (PARTITION p0 VALUES LESS THAN (10))",
        "CREATE TABLE u (a INT PRIMARY KEY)",
        "INSERT INTO u VALUES (25)",
        "ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE u WITHOUT VALIDATION",
    )
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", mysql.url, "-d", database)
    try:
        done = run("-r", vault, "restore", "latest", mysql_second.url)
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")
    assert done.returncode == 1
    assert b"no partition for value 25" in done.stderr
    assert b"EXCHANGE PARTITION ... WITHOUT VALIDATION" in done.stderr
