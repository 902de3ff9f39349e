"""The same on a real MySQL, whose URL `ROWVAULT_TEST_MYSQL` gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from rowvault.source.protocol import Selection
from support.copying import copy, source_at, table_rows

URL = os.environ.get("ROWVAULT_TEST_MYSQL", "")

pytestmark = [
    pytest.mark.mysql,
    pytest.mark.skipif(not URL, reason="ROWVAULT_TEST_MYSQL names no MySQL server"),
]

SOURCE = "rowvault_test_source"


def connect(url: str) -> pymysql.connections.Connection[Any]:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        autocommit=True,
    )


@pytest.fixture
def database() -> Iterator[str]:
    with closing(connect(URL)) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {SOURCE}")
        cursor.execute(f"CREATE DATABASE {SOURCE}")
        cursor.execute(f"USE {SOURCE}")
        for statement in (
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, f FLOAT, d DOUBLE, j JSON,"
            " g GEOMETRY SRID 4326, b BIT(5), h INT INVISIBLE DEFAULT 4, w INT AS (h * 2),"
            " s VARCHAR(9) CHARACTER SET cp932)",
            "INSERT INTO t (f, d, j, g, b, h, s) VALUES ('-0', '-0', '{\"a\": 1.5}',"
            " ST_GeomFromText('POINT(1 2)', 4326), b'10101', 9, _cp932 X'8790')",
            "INSERT INTO t (f) VALUES (16777218)",
            "CREATE VIEW v AS SELECT id FROM t",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.h = NEW.h",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1",
        ):
            cursor.execute(statement)
        yield SOURCE
        cursor.execute(f"DROP DATABASE IF EXISTS {SOURCE}")


def test_a_read_lock_makes_one_moment(database: str) -> None:
    with source_at(URL).open_snapshot(3) as snapshot:
        assert snapshot.moment.method == "read lock"
        assert snapshot.moment.binlog_position > 0
        assert len(snapshot.readers()) == 3
        snapshot.confirm(snapshot.catalogue(Selection(databases=(database,))))


def test_everything_comes_back_the_same(database: str) -> None:
    """On one server: read, dropped, made again."""
    before = table_rows(URL, database, "t")
    assert before[0][1:3] == [b"-0", b"-0"]
    with source_at(URL).open_snapshot(1) as snapshot:
        wanted = snapshot.catalogue(Selection(databases=(database,)))
    other = os.environ.get("ROWVAULT_TEST_MYSQL_TARGET", "")
    if not other:
        pytest.skip("ROWVAULT_TEST_MYSQL_TARGET names no second server")
    with closing(connect(other)) as connection:
        connection.query(f"DROP DATABASE IF EXISTS {database}")
    copy(URL, other, [database])
    assert table_rows(other, database, "t") == before
    with source_at(other).open_snapshot(1) as snapshot:
        found = snapshot.catalogue(Selection(databases=(database,)))
    assert found.objects == wanted.objects
    assert [one.definition for one in found.tables] == [one.definition for one in wanted.tables]
