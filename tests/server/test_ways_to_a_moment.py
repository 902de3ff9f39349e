"""Which way to one moment is taken, by what the account may and the server has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pymysql
import pytest

from rowvault.core.errors import ConnectError, ConnectionLostError, SnapshotLostError
from rowvault.core.model import ConsistencyPoint
from rowvault.core.omission import texts_of
from rowvault.source.protocol import DEFAULT_LOCKING, Locking, RowRange, Selection
from support.accounts import make_account
from support.copying import read_rows, source_at
from support.mariadb import MariaDBServer
from support.proxy import TurningProxy
from support.server import DatabaseServer

LOCK_FREE = Locking(allowed=False)
IMPATIENT = Locking(longest_wait_s=1)
READERS = 3
BOTH = ["mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]


@pytest.fixture(scope="module")
def silent(
    mariadb: MariaDBServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MariaDBServer]:
    """MariaDB without a binary log."""
    with MariaDBServer(tmp_path_factory.mktemp("silent"), binlog=False) as server:
        yield server


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """The server that the parameter names, with tables `d.t`, `d.u`."""
    server: DatabaseServer = request.getfixturevalue(request.param)
    server.execute(
        "DROP DATABASE IF EXISTS d",
        "CREATE DATABASE d",
        "USE d",
        "CREATE TABLE t (id INT PRIMARY KEY)",
        "CREATE TABLE u (id INT PRIMARY KEY)",
        "INSERT INTO t VALUES (1), (2)",
        "INSERT INTO u VALUES (11)",
    )
    yield server
    server.execute("DROP DATABASE d")


D = Selection(databases=("d",))
READ = "SELECT ON *.*"
WAYS = [
    # server, grants, locking, method, definitions
    ("mariadb", ["ALL ON *.*"], DEFAULT_LOCKING, "binlog position", "backup stage"),
    ("mariadb", ["ALL ON *.*"], LOCK_FREE, "binlog position", "compared"),
    ("mariadb", [READ], DEFAULT_LOCKING, "binlog position", "metadata locks"),
    ("mariadb", [READ], LOCK_FREE, "binlog position", "unguarded"),
    ("silent", ["ALL ON *.*"], DEFAULT_LOCKING, "backup stage", "backup stage"),
    ("silent", ["SELECT, RELOAD ON *.*"], DEFAULT_LOCKING, "read lock", "backup stage"),
    ("silent", ["SELECT, LOCK TABLES ON d.*"], DEFAULT_LOCKING, "table locks", "metadata locks"),
    ("silent", [READ], DEFAULT_LOCKING, "one connection", "metadata locks"),
    ("silent", ["ALL ON *.*"], LOCK_FREE, "one connection", "compared"),
    ("mysql", ["ALL ON *.*"], DEFAULT_LOCKING, "read lock", "instance lock"),
    ("mysql", ["SELECT, RELOAD ON *.*"], DEFAULT_LOCKING, "read lock", "metadata locks"),
    ("mysql", ["SELECT, LOCK TABLES ON d.*"], DEFAULT_LOCKING, "table locks", "metadata locks"),
    (
        "mysql",
        ["SELECT ON d.*", "REPLICATION CLIENT ON *.*"],
        DEFAULT_LOCKING,
        "equal positions",
        "metadata locks",
    ),
    ("mysql", [READ], DEFAULT_LOCKING, "equal positions", "metadata locks"),
    ("mysql", ["ALL ON *.*"], LOCK_FREE, "equal positions", "compared"),
]


@pytest.mark.parametrize(
    ("place", "grants", "locking", "method", "definitions"),
    [pytest.param(*way, marks=pytest.mark.mysql if way[0] == "mysql" else ()) for way in WAYS],
    indirect=["place"],
)
def test_the_best_way_that_is_open_is_taken(
    place: DatabaseServer, grants: list[str], locking: Locking, method: str, definitions: str
) -> None:
    url = make_account(place, "way", *grants)
    with source_at(url, locking).open_snapshot(READERS, D) as snapshot:
        assert (snapshot.moment.method, snapshot.moment.definitions) == (method, definitions)
        assert len(snapshot.readers()) == (1 if method == "one connection" else READERS)
        catalogue = snapshot.catalogue(D)
        for reader in snapshot.readers():
            for table in catalogue.tables:
                assert len(read_rows(reader, table.definition)) in (1, 2)
        snapshot.confirm(catalogue)
        moment = snapshot.moment
    is_best = method == "binlog position"
    assert bool(moment.reason) is not is_best
    assert bool(moment.definitions_reason) is (definitions not in ("backup stage", "instance lock"))
    named = [one for one in texts_of(catalogue.omissions) if "swapped" in one]
    assert bool(named) is (definitions == "unguarded")
    assert_place_in_history(place, moment)
    assert moment.definitions == definitions


def assert_place_in_history(place: DatabaseServer, moment: ConsistencyPoint) -> None:
    """Position and GTID are the server's, which nobody writes to; what is unknown is said."""
    if not place.binlog:
        assert (moment.binlog_file, moment.gtid) == ("", "")
        return
    is_maria = place.vendor == "mariadb"
    with closing(place.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS" if is_maria else "SHOW BINARY LOG STATUS")
        row = cursor.fetchone()
        cursor.execute(f"SELECT @@GLOBAL.{'gtid_binlog_pos' if is_maria else 'gtid_executed'}")
        gtid = cursor.fetchone()
    assert row is not None
    assert gtid is not None
    if moment.binlog_file:
        assert (moment.binlog_file, moment.binlog_position) == row[:2]
    else:
        assert "its position in the binary log is not known" in moment.reason
    assert moment.gtid == gtid[0].replace("\n", "")


def test_commits_stop_while_a_long_statement_runs(silent: MariaDBServer) -> None:
    """It would keep a read lock away."""
    silent.execute(
        "CREATE OR REPLACE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY)",
        "INSERT INTO d.t VALUES (1)",
    )
    with (
        long_statement(silent, "SELECT SLEEP(60) FROM d.t"),
        source_at(silent.url, IMPATIENT).open_snapshot(READERS, D) as snapshot,
    ):
        assert snapshot.moment.method == "backup stage"


@pytest.mark.mysql
def test_a_read_lock_gives_way_to_a_long_statement(mysql: DatabaseServer, database: str) -> None:
    mysql.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)")
    url = make_account(mysql, "way", "SELECT, RELOAD, PROCESS ON *.*")
    with (
        long_statement(mysql, "SELECT SLEEP(60)"),
        source_at(url, IMPATIENT).open_snapshot(READERS, D) as snapshot,
    ):
        assert snapshot.moment.method == "equal positions"
        assert "runs a statement of" in snapshot.moment.reason


@contextmanager
def long_statement(server: DatabaseServer, statement: str) -> Iterator[None]:
    """Runs while the body does, for two seconds already when it begins."""
    worker = server.connect()

    def run() -> None:
        with suppress(pymysql.err.MySQLError):
            worker.query(statement)

    thread = threading.Thread(target=run)
    thread.start()
    number = worker.thread_id()
    try:
        with closing(server.connect()) as watcher, watcher.cursor() as cursor:
            while _seconds(cursor, number) < 2:
                assert thread.is_alive()
            yield
            cursor.execute(f"KILL {number}")
    finally:
        thread.join()
        worker.close()


def _seconds(cursor: pymysql.cursors.Cursor, number: int) -> int:
    cursor.execute("SHOW PROCESSLIST")
    found = {row[0]: row for row in cursor.fetchall()}
    return int(found[number][5] or 0) if found[number][4] == "Query" else 0


SWAP = ["USE d", "SET SESSION lock_wait_timeout = 1", "RENAME TABLE t TO old, u TO t, old TO u"]


@pytest.mark.parametrize("grant", ["ALL ON *.*", READ, "SELECT, PROCESS ON *.*"])
@pytest.mark.parametrize("place", BOTH, indirect=True)
def test_a_swap_before_the_first_read_waits(place: DatabaseServer, grant: str) -> None:
    """Whatever the account may: it waits, at least for some time."""
    url = make_account(place, "way", grant)
    with source_at(url).open_snapshot(1, D) as snapshot:
        catalogue = snapshot.catalogue(D)
        with pytest.raises(pymysql.err.OperationalError, match="Lock wait timeout"):
            place.execute(*SWAP)
        read = snapshot.readers()[0]
        assert read_rows(read, catalogue.tables[0].definition) == [[b"1"], [b"2"]]
        snapshot.confirm(catalogue)
        assert [one for one in texts_of(catalogue.omissions) if "swapped" in one] == []


@pytest.mark.parametrize("place", BOTH, indirect=True)
def test_a_swap_that_cannot_be_kept_away_is_found(place: DatabaseServer) -> None:
    """Twenty times; the shape of both tables is the same."""
    url = make_account(place, "way", "SELECT, PROCESS ON *.*")
    for _ in range(20):
        with source_at(url, LOCK_FREE).open_snapshot(2, D) as snapshot:
            catalogue = snapshot.catalogue(D)
            place.execute(*SWAP)
            for table in catalogue.tables:
                with suppress(SnapshotLostError):
                    read_rows(snapshot.readers()[0], table.definition)
            with pytest.raises(SnapshotLostError, match=r"d\.t, d\.u"):
                snapshot.confirm(catalogue)


@pytest.mark.parametrize("place", BOTH, indirect=True)
def test_who_keeps_single_tables_gives_way(place: DatabaseServer) -> None:
    """And says what may have happened since: the account may not compare either."""
    url = make_account(place, "way", READ)
    with source_at(url, IMPATIENT).open_snapshot(1, D) as snapshot:
        catalogue = snapshot.catalogue(D)
        assert snapshot.moment.definitions == "metadata locks"
        place.execute("USE d", "SET SESSION lock_wait_timeout = 60", *SWAP[2:])
        snapshot.confirm(catalogue)
        assert snapshot.moment.definitions == "unguarded"
        assert len([one for one in texts_of(catalogue.omissions) if "swapped" in one]) == 1


@pytest.mark.parametrize("place", BOTH, indirect=True)
def test_a_read_outlasts_the_keeper(place: DatabaseServer) -> None:
    """Somebody waits to alter the table, and the read behind that one, until the keeper goes."""
    url = make_account(place, "way", READ)
    with source_at(url, Locking(longest_wait_s=3)).open_snapshot(1, D) as snapshot:
        catalogue = snapshot.catalogue(D)
        other = threading.Thread(target=place.execute, args=("ALTER TABLE d.t ADD v INT",))
        other.start()
        with closing(place.connect()) as connection, connection.cursor() as cursor:
            states: set[str] = set()
            while not any("metadata lock" in state for state in states):
                cursor.execute("SHOW PROCESSLIST")
                states = {str(row[6]) for row in cursor.fetchall()}
        with suppress(SnapshotLostError):
            read_rows(snapshot.readers()[0], catalogue.tables[0].definition)
        other.join()
        with pytest.raises(SnapshotLostError, match=r"d\.t"):
            snapshot.confirm(catalogue)


@pytest.mark.parametrize("place", BOTH, indirect=True)
@pytest.mark.parametrize("engine", ["MyISAM", "MEMORY"])
def test_tables_without_transactions_stand_still_until_they_are_read(
    place: DatabaseServer, engine: str
) -> None:
    place.execute(f"CREATE TABLE d.m (id INT) ENGINE = {engine}", "INSERT INTO d.m VALUES (1)")
    insert = ["SET SESSION lock_wait_timeout = 1", "INSERT INTO d.m VALUES (2)"]
    url = make_account(place, "way", "SELECT, LOCK TABLES ON d.*")
    with source_at(url).open_snapshot(2, D) as snapshot:
        catalogue = snapshot.catalogue(D)
        tables = {one.definition.name: one for one in catalogue.tables}
        assert [name for name, one in tables.items() if one.is_urgent] == ["m"]
        assert snapshot.divide(tables["m"], 1).more(0) == [RowRange()]
        with pytest.raises(pymysql.err.OperationalError, match="Lock wait timeout"):
            place.execute(*insert)
        read = snapshot.readers()[0]
        assert read_rows(read, tables["m"].definition) == [[b"1"]]
        place.execute(*insert)
        for name in "tu":
            read_rows(read, tables[name].definition)
        snapshot.confirm(catalogue)
        assert [one for one in texts_of(catalogue.omissions) if "d.m" in one] == []


@pytest.mark.parametrize("place", BOTH, indirect=True)
def test_a_table_in_memory_that_cannot_be_locked_is_named(place: DatabaseServer) -> None:
    """Nobody tells when it was written."""
    place.execute("CREATE TABLE d.m (id INT) ENGINE = MEMORY")
    with source_at(make_account(place, "way", READ)).open_snapshot(1, D) as snapshot:
        catalogue = snapshot.catalogue(D)
        snapshot.confirm(catalogue)
        assert any(
            "d.m" in one and "another moment" in one for one in texts_of(catalogue.omissions)
        )


@pytest.mark.parametrize("place", BOTH, indirect=True)
@pytest.mark.parametrize("ordinal", range(4), ids=["control", "reader", "keeper", "table locks"])
def test_whichever_connection_is_killed_the_snapshot_is_lost(
    place: DatabaseServer, ordinal: int
) -> None:
    """Also those that only hold something."""
    place.execute("CREATE TABLE d.m (id INT) ENGINE = MyISAM")
    url = make_account(place, "way", "SELECT, LOCK TABLES ON d.*")
    with source_at(url).open_snapshot(1, D) as snapshot:
        with closing(place.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW PROCESSLIST")
            # Connections of a test before may still be ending; theirs are the lower numbers.
            own = sorted(row[0] for row in cursor.fetchall() if row[1] == "way")[-4:]
            assert len(own) == 4
            catalogue = snapshot.catalogue(D)
            cursor.execute(f"KILL {own[ordinal]}")
        with pytest.raises((SnapshotLostError, ConnectionLostError)):
            snapshot.confirm(catalogue)


@pytest.mark.parametrize(
    "option", ["--binlog-ignore-db=d", "--binlog-do-db=d"], ids=["ignored", "chosen"]
)
def test_positions_prove_nothing_when_the_log_is_not_whole(
    option: str, mariadb: MariaDBServer, tmp_path: Path
) -> None:
    with MariaDBServer(tmp_path, [option]) as server:
        server.execute("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)")
        with source_at(server.url).open_snapshot(READERS, D) as snapshot:
            assert snapshot.moment.method == "backup stage"
            assert "binlog_ignore_db" in snapshot.moment.reason


def test_connections_that_a_proxy_spreads_are_refused(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer
) -> None:
    with TurningProxy([mariadb.port, mariadb_second.port]) as proxy:
        url = f"mysql://test:test@127.0.0.1:{proxy.port}/"
        with pytest.raises(ConnectError, match="different servers"):
            source_at(url).open_snapshot(2)


def test_a_proxy_before_one_server_is_welcome(mariadb: MariaDBServer, database: str) -> None:
    with TurningProxy([mariadb.port]) as proxy:
        selection = Selection(databases=(database,))
        url = f"mysql://test:test@127.0.0.1:{proxy.port}/"
        with source_at(url).open_snapshot(2, selection) as snapshot:
            snapshot.confirm(snapshot.catalogue(selection))
