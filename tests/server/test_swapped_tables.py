"""A table that is swapped for another one before it is read, and back before the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from rowvault.core.errors import SnapshotLostError, SourceError
from rowvault.source.mysql.snapshot import MysqlSnapshot
from rowvault.source.protocol import Locking, RowRange, Selection
from support.copying import read_rows, source_at
from support.server import DatabaseServer

LOCK_FREE = Locking(allowed=False)
PARTS = (
    "PARTITION BY RANGE (id) "
    "(PARTITION low VALUES LESS THAN (9), PARTITION high VALUES LESS THAN MAXVALUE)"
)


@pytest.fixture
def place(server: DatabaseServer) -> Iterator[DatabaseServer]:
    server.execute("DROP DATABASE IF EXISTS swapping", "CREATE DATABASE swapping")
    yield server
    server.execute("DROP DATABASE swapping", "DROP DATABASE IF EXISTS elsewhere")


def make(server: DatabaseServer, options: str = "ENGINE=InnoDB", name: str = "t") -> None:
    """Two tables of one shape and other rows."""
    server.execute(
        "USE swapping",
        "SET NAMES utf8mb4",
        f"CREATE TABLE `{name}` (id INT PRIMARY KEY) {options}",
        f"CREATE TABLE other (id INT PRIMARY KEY) {options}",
        f"INSERT INTO `{name}` VALUES (1), (2)",
        "INSERT INTO other VALUES (3), (4), (5)",
    )


def swap(server: DatabaseServer, name: str = "t") -> None:
    server.execute(
        "USE swapping",
        "SET NAMES utf8mb4",
        "SET SESSION lock_wait_timeout = 5",
        f"RENAME TABLE `{name}` TO old, other TO `{name}`, old TO other",
    )


def read_between(
    server: DatabaseServer, there: Sequence[str], back: Sequence[str], table: str = "t"
) -> tuple[str, list[str]]:
    """(why the snapshot is lost, else empty; what it says that it lacks)"""
    selection = Selection(databases=("swapping",))
    with source_at(server.url, LOCK_FREE).open_snapshot(1, selection) as snapshot:
        catalogue = snapshot.catalogue(selection)
        definitions = {one.definition.name: one.definition for one in catalogue.tables}
        for statement in there:
            server.execute("SET NAMES utf8mb4", "SET SESSION lock_wait_timeout = 5", statement)
        try:
            read_rows(snapshot.readers()[0], definitions[table])
        except SourceError as error:
            return f"{type(error).__name__}: {error}", []
        for statement in back:
            server.execute("SET NAMES utf8mb4", "SET SESSION lock_wait_timeout = 5", statement)
        try:
            snapshot.confirm(catalogue)
        except SnapshotLostError as error:
            return str(error), []
        return "", [str(one) for one in catalogue.omissions]


@pytest.mark.parametrize("name", ["t", "t name", "größe", "t_1"])
@pytest.mark.parametrize("options", ["ENGINE=InnoDB", f"ENGINE=InnoDB {PARTS}"], ids=["", "parts"])
def test_a_table_that_is_swapped_away_and_back(
    name: str, options: str, place: DatabaseServer
) -> None:
    make(place, options, name)
    away = f"RENAME TABLE swapping.`{name}` TO swapping.old, swapping.other TO swapping.`{name}`"
    back = f"RENAME TABLE swapping.`{name}` TO swapping.other, swapping.old TO swapping.`{name}`"
    lost, _ = read_between(place, [away], [back], name)
    assert f"swapped, truncated or made anew during the backup: swapping.{name}." in lost


OTHER_WAYS = {
    "truncated": (["TRUNCATE TABLE swapping.t"], []),
    "rebuilt": (["ALTER TABLE swapping.t FORCE"], []),
    "made anew": (
        ["DROP TABLE swapping.t", "CREATE TABLE swapping.t (id INT PRIMARY KEY) ENGINE=InnoDB"],
        [],
    ),
    "from another database": (
        [
            "CREATE DATABASE elsewhere",
            "RENAME TABLE swapping.t TO elsewhere.t, swapping.other TO swapping.t",
        ],
        ["RENAME TABLE swapping.t TO swapping.other, elsewhere.t TO swapping.t"],
    ),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_other_ways_to_another_table(way: str, place: DatabaseServer) -> None:
    make(place)
    lost, _ = read_between(place, *OTHER_WAYS[way])
    assert "swapping.t" in lost


def test_a_partition_that_is_exchanged_and_exchanged_back(place: DatabaseServer) -> None:
    place.execute(
        "USE swapping",
        f"CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB {PARTS}",
        "CREATE TABLE other (id INT PRIMARY KEY) ENGINE=InnoDB",
        "INSERT INTO t VALUES (1), (20)",
        "INSERT INTO other VALUES (3)",
    )
    exchange = "ALTER TABLE swapping.t EXCHANGE PARTITION low WITH TABLE swapping.other"
    lost, _ = read_between(place, [exchange], [exchange])
    assert "swapping.t" in lost


@pytest.mark.parametrize("kind", ["shared", "of its own"])
def test_a_table_in_a_shared_tablespace(kind: str, place: DatabaseServer) -> None:
    space = "TABLESPACE innodb_system" if place.vendor == "mysql" and kind == "shared" else ""
    make(place, f"ENGINE=InnoDB {space}")
    away = "RENAME TABLE swapping.t TO swapping.old, swapping.other TO swapping.t"
    back = "RENAME TABLE swapping.t TO swapping.other, swapping.old TO swapping.t"
    lost, _ = read_between(place, [away], [back])
    assert "during the backup: swapping.t." in lost


def test_others_may_come_and_go(place: DatabaseServer) -> None:
    """Also those whose names begin alike, or with the table's own as a pattern."""
    make(place, name="t_1")
    place.execute("CREATE TABLE swapping.tx1 (id INT PRIMARY KEY)")
    others = [
        "RENAME TABLE swapping.other TO swapping.`t_12`",
        "RENAME TABLE swapping.tx1 TO swapping.old",
        "CREATE TABLE swapping.tx1 (id INT)",
    ]
    undone = [
        "DROP TABLE swapping.tx1",
        "RENAME TABLE swapping.old TO swapping.tx1",
        "RENAME TABLE swapping.`t_12` TO swapping.other",
    ]
    assert read_between(place, others, undone, "t_1") == ("", [])


@pytest.mark.parametrize("engine", ["MyISAM", "Aria"])
def test_a_table_without_transactions_that_is_swapped_away_and_back(
    engine: str, place: DatabaseServer
) -> None:
    if (place.vendor, engine) == ("mysql", "Aria"):
        pytest.skip("MySQL has no such engine")
    make(place, f"ENGINE={engine}")
    away = "RENAME TABLE swapping.t TO swapping.old, swapping.other TO swapping.t"
    back = "RENAME TABLE swapping.t TO swapping.other, swapping.old TO swapping.t"
    lost, named = read_between(place, [away], [back])
    assert lost == ""
    assert [one for one in named if "swapping.t " in one and "another table" in one]


def test_a_swap_that_waits_for_the_reader_comes_too_late(place: DatabaseServer) -> None:
    """It holds the other table already: whatever asked for that one would wait for it, or fail."""
    make(place)
    selection = Selection(databases=("swapping",))
    with source_at(place.url, LOCK_FREE).open_snapshot(1, selection) as snapshot:
        catalogue = snapshot.catalogue(selection)
        [table] = [one.definition for one in catalogue.tables if one.definition.name == "t"]
        batches = snapshot.readers()[0].read(table, RowRange())
        rows = [next(batches)]
        renaming = threading.Thread(
            target=place.execute,
            args=("RENAME TABLE swapping.t TO swapping.old, swapping.other TO swapping.t",),
        )
        renaming.start()
        wait_until_it_waits(place)
        rows += batches
        renaming.join()
        assert sum(len(batch.ends) for batch in rows) == 2
        with pytest.raises(SnapshotLostError, match="other"):
            snapshot.confirm(catalogue)


def wait_until_it_waits(server: DatabaseServer) -> None:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        while not cursor.execute(
            "SELECT 1 FROM information_schema.processlist "
            "WHERE info LIKE 'RENAME TABLE swapping%' AND state LIKE '%metadata lock%'"
        ):
            pass


def test_rows_of_another_table_are_not_called_misplaced(place: DatabaseServer) -> None:
    """Bounds that were found in the one say nothing of the other."""
    make(place)
    selection = Selection(databases=("swapping",))
    with source_at(place.url, LOCK_FREE).open_snapshot(1, selection) as snapshot:
        assert isinstance(snapshot, MysqlSnapshot)
        catalogue = snapshot.catalogue(selection)
        [table] = [one.definition for one in catalogue.tables if one.definition.name == "t"]
        swap(place)
        rows = RowRange(("1",), None, 1, (b"1",), None)
        with pytest.raises(SnapshotLostError, match="were swapped"):
            read_rows(snapshot.readers()[0], table, rows)
