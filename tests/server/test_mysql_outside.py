"""What a MySQL server has beside databases: named where a snapshot does not carry it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rowvault.core.omission import texts_of
from rowvault.source.protocol import Selection
from support.copying import copy, source_at
from support.mysql import MySQLServer

pytestmark = pytest.mark.mysql


@pytest.fixture
def tablespace(mysql: MySQLServer, database: str) -> Iterator[str]:
    name = f"space`{database}"
    quoted = "`" + name.replace("`", "``") + "`"
    mysql.execute(f"CREATE TABLESPACE {quoted} ADD DATAFILE '{database}.ibd'")
    yield quoted
    mysql.execute(f"DROP DATABASE {database}", f"DROP TABLESPACE {quoted}")
    mysql.execute(f"CREATE DATABASE {database}")


def test_a_table_leaves_its_general_tablespace(
    mysql: MySQLServer, mysql_second: MySQLServer, database: str, tablespace: str
) -> None:
    mysql.execute(
        f"USE {database}",
        f"CREATE TABLE t (id INT PRIMARY KEY, a INT COMMENT ' TABLESPACE = `x`') TABLESPACE"
        f" {tablespace}",
        "INSERT INTO t VALUES (1, 2)",
    )
    try:
        made = copy(mysql.url, mysql_second.url, [database])
    finally:
        mysql_second.execute(f"DROP DATABASE IF EXISTS {database}")
    (omission,) = texts_of(made.catalogue.omissions)
    assert f"{database}.t lies in the general tablespace space`{database}" in omission
    assert b"COMMENT ' TABLESPACE = `x`'" in made.catalogue.tables[0].definition.statement


def test_what_is_no_part_of_a_database_is_named(
    mysql: MySQLServer, database: str, tablespace: str
) -> None:
    mysql.execute(
        "CREATE SERVER far FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')",
        "CREATE RESOURCE GROUP slow TYPE = USER",
        'CREATE SPATIAL REFERENCE SYSTEM 40000 NAME \'own\' DEFINITION \'GEOGCS["w",DATUM["w",'
        'SPHEROID["w",6378137,298.25]],PRIMEM["g",0],UNIT["d",0.017],AXIS["Lat",NORTH],'
        'AXIS["Lon",EAST]]\'',
    )
    try:
        named = _omissions(mysql)
    finally:
        mysql.execute(
            "DROP SERVER far",
            "DROP RESOURCE GROUP slow",
            "DROP SPATIAL REFERENCE SYSTEM 40000",
        )
    for what in ("(CREATE SERVER)", "resource groups", "spatial reference systems", "tablespaces"):
        assert sum(what in one for one in named) == 1, (what, named)
    for name in ("far", "slow", "40000", f"space`{database}"):
        assert sum(one.endswith(f": {name}.") for one in named) == 1, (name, named)
    # They are asked for only where the whole server is.
    assert _omissions(mysql, database) == []


def test_the_state_of_a_database_and_histograms_are_named(
    mysql: MySQLServer, database: str
) -> None:
    mysql.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)",
        "INSERT INTO t VALUES (1, 2, 3)",
        "ANALYZE TABLE t UPDATE HISTOGRAM ON b, a WITH 4 BUCKETS",
        "CREATE LIBRARY l LANGUAGE JAVASCRIPT AS 'export function f() { return 1 }'",
        f"ALTER DATABASE {database} READ ONLY = 1",
    )
    try:
        named = _omissions(mysql, database)
    finally:
        mysql.execute(f"ALTER DATABASE {database} READ ONLY = 0")
    assert [one.partition(":")[0] for one in named] == [
        f"library {database}.l is left out",
        f"database {database} is READ ONLY here, and will not be so where it is restored",
        f"histograms of {database}.t are left out",
    ]
    assert "ON a, b makes" in named[2]


def _omissions(server: MySQLServer, *databases: str) -> list[str]:
    with source_at(server.url).open_snapshot(1) as snapshot:
        return texts_of(snapshot.catalogue(Selection(databases=databases)).omissions)
