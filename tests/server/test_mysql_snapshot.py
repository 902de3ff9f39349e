"""One moment over several connections, and what ends it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from rowvault.core.errors import ConnectionLostError, SnapshotLostError
from rowvault.core.omission import texts_of
from rowvault.source.mysql.consistency.gtid import gtid_at_end
from rowvault.source.protocol import Locking, RowRange, Selection
from support.copying import definition_of, read_rows, source_at
from support.mariadb import MariaDBServer

pytestmark = pytest.mark.mariadb

READERS = 4
LOCK_FREE = Locking(allowed=False)


@pytest.fixture(scope="module")
def silent_server(
    mariadb: MariaDBServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MariaDBServer]:
    """Without a binary log. `mariadb` is asked for so that a missing server is told alike."""
    directory = tmp_path_factory.mktemp("silent")
    with MariaDBServer(directory, binlog=False) as server:
        server.execute("CREATE DATABASE d")
        yield server


@contextmanager
def transfers(server: MariaDBServer, database: str) -> Iterator[threading.Event]:
    """Moves money between two tables all the while; the sum never changes."""
    stop, moved = threading.Event(), threading.Event()

    def work() -> None:
        connection = server.connect(autocommit=False)
        while not stop.is_set():
            connection.query(f"UPDATE {database}.a SET v = v - 1")
            connection.query(f"UPDATE {database}.b SET v = v + 1")
            connection.commit()
            moved.set()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert moved.wait(30)
    try:
        yield moved
    finally:
        stop.set()
        thread.join()


def make_accounts(server: MariaDBServer, database: str) -> None:
    server.execute(
        f"USE {database}",
        *(f"CREATE OR REPLACE TABLE {name} (id INT PRIMARY KEY, v BIGINT)" for name in "ab"),
        "INSERT INTO a VALUES (1, 1000000)",
        "INSERT INTO b VALUES (1, 0)",
    )


def assert_one_moment(server: MariaDBServer, database: str, methods: set[str]) -> None:
    make_accounts(server, database)
    with transfers(server, database) as moved:
        for _ in range(5):
            with source_at(server.url).open_snapshot(READERS) as snapshot:
                assert snapshot.moment.method in methods
                tables = [definition_of(snapshot, database, name) for name in "ab"]
                sums = []
                for reader in snapshot.readers():
                    moved.clear()
                    assert moved.wait(30)
                    values = [read_rows(reader, table)[0][1] for table in tables]
                    sums.append([int(value or 0) for value in values])
            assert len(sums) == READERS
            assert all(one == sums[0] for one in sums)
            assert sum(sums[0]) == 1_000_000


def test_all_connections_see_one_moment_under_writers(
    mariadb: MariaDBServer, database: str
) -> None:
    assert_one_moment(mariadb, database, {"binlog position"})


def test_without_a_binary_log_stopped_commits_make_the_moment(silent_server: MariaDBServer) -> None:
    assert_one_moment(silent_server, "d", {"backup stage"})


def test_without_the_right_to_lock_one_connection_is_the_moment(
    silent_server: MariaDBServer,
) -> None:
    silent_server.execute(
        "CREATE OR REPLACE USER little@'%' IDENTIFIED BY 'p'", "GRANT SELECT ON d.* TO little@'%'"
    )
    url = f"mysql://little:p@127.0.0.1:{silent_server.port}/"
    with source_at(url).open_snapshot(READERS) as snapshot:
        assert len(snapshot.readers()) == 1
        assert snapshot.moment.method == "one connection"
        assert "read lock is not allowed" in snapshot.moment.reason


def test_a_lock_that_is_not_to_be_had_gives_way(silent_server: MariaDBServer) -> None:
    """Without the right PROCESS commits cannot be stopped: a swapped table would not show."""
    make_accounts(silent_server, "d")
    silent_server.execute(
        "CREATE OR REPLACE USER locker@'%' IDENTIFIED BY 'p'",
        "GRANT SELECT, RELOAD ON *.* TO locker@'%'",
    )
    url = f"mysql://locker:p@127.0.0.1:{silent_server.port}/"
    blocker = silent_server.connect()
    blocker.query("LOCK TABLES d.a WRITE")
    try:
        with source_at(url, Locking(longest_wait_s=2)).open_snapshot(2) as snapshot:
            assert snapshot.moment.method == "one connection"
            assert "others kept a read lock away for 2 s" in snapshot.moment.reason
    finally:
        blocker.close()


def test_the_position_and_the_gtid_are_known(mariadb: MariaDBServer, database: str) -> None:
    make_accounts(mariadb, database)
    with source_at(mariadb.url).open_snapshot(2) as snapshot:
        snapshot.confirm(snapshot.catalogue(Selection((database,))))
        moment = snapshot.moment
    assert (moment.method, moment.reason) == ("binlog position", "")
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS")
        row = cursor.fetchone()
        assert row is not None
        assert (moment.binlog_file, moment.binlog_position) == row[:2]
        cursor.execute("SELECT @@gtid_binlog_pos")
        assert cursor.fetchone() == (moment.gtid,)


def test_the_gtid_of_a_log_that_has_gone_on_is_found_too(
    mariadb: MariaDBServer, database: str
) -> None:
    """The log is asked where it ends; only where it has gone on since, it is searched."""
    mariadb.execute(
        f"CREATE TABLE {database}.log (id INT)",
        # No search passes an event that is larger than the server's max_allowed_packet.
        "FLUSH BINARY LOGS",
        f"INSERT INTO {database}.log VALUES (1)",
    )
    with (
        closing(mariadb.connect()) as connection,
        connection.cursor() as cursor,
        source_at(mariadb.url).open_snapshot(1) as snapshot,
    ):
        place = snapshot.moment.binlog_file, snapshot.moment.binlog_position
        control = snapshot._held.control
        cursor.execute("SELECT BINLOG_GTID_POS(%s, %s)", place)
        (searched,) = cursor.fetchone() or ()
        assert gtid_at_end(control, place) == searched != ""
        mariadb.execute(f"INSERT INTO {database}.log VALUES (2)")
        assert gtid_at_end(control, place) == ""
        selection = Selection(databases=(database,))
        catalogue = snapshot.catalogue(selection)
        snapshot.confirm(catalogue)
        assert snapshot.moment.gtid == searched


CHANGES = {
    "altered": ["ALTER TABLE t ADD COLUMN w INT"],
    "dropped": ["DROP TABLE t"],
    "truncated": ["TRUNCATE TABLE t"],
    "swapped": ["RENAME TABLE t TO old, other TO t"],
    "swapped beyond ASCII": ["RENAME TABLE `é` TO old, `è` TO `é`"],
    "view changed": ["CREATE OR REPLACE VIEW seen AS SELECT 2 AS one"],
    "trigger added to it": ["DROP TRIGGER fired"],
}


@pytest.mark.parametrize("change", CHANGES)
def test_definitions_that_change_meanwhile_lose_the_snapshot(
    change: str, mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY)",
        "CREATE TABLE other LIKE t",
        "SET NAMES utf8mb4",
        "CREATE TABLE `é` LIKE t",
        "CREATE TABLE `è` LIKE t",
        "CREATE VIEW seen AS SELECT 1 AS one",
        "CREATE TRIGGER fired BEFORE INSERT ON t FOR EACH ROW SET @x = 1",
    )
    with source_at(mariadb.url, LOCK_FREE).open_snapshot(2) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
        snapshot.confirm(catalogue)
        mariadb.execute(f"USE {database}", "SET NAMES utf8mb4", *CHANGES[change])
        with pytest.raises(SnapshotLostError):
            snapshot.confirm(catalogue)


def test_counters_and_new_tables_do_not_lose_it(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)",
        "CREATE SEQUENCE s",
    )
    with source_at(mariadb.url, LOCK_FREE).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
        mariadb.execute(
            f"USE {database}", "INSERT INTO t VALUES ()", "DO NEXTVAL(s)", "CREATE TABLE u (a INT)"
        )
        snapshot.confirm(catalogue)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN w INT, ALGORITHM = COPY",
        "ALTER TABLE t DROP COLUMN v",
        "ALTER TABLE t DROP PRIMARY KEY",
        "DROP TABLE t",
    ],
)
def test_a_table_altered_before_its_read_loses_the_snapshot(
    change: str, mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v INT)")
    with source_at(mariadb.url, LOCK_FREE).open_snapshot(1) as snapshot:
        table = definition_of(snapshot, database, "t")
        mariadb.execute(f"USE {database}", change)
        with pytest.raises(SnapshotLostError, match="altered or truncated"):
            list(snapshot.readers()[0].read(table, RowRange()))


@pytest.mark.parametrize("kind", ["mariadb", "silent_server"])
def test_a_table_that_was_read_may_be_altered_without_waiting(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """With a binary log and without one."""
    server: MariaDBServer = request.getfixturevalue(kind)
    server.execute("CREATE OR REPLACE DATABASE seen", "CREATE TABLE seen.t (id INT PRIMARY KEY)")
    with source_at(server.url, LOCK_FREE).open_snapshot(1) as snapshot:
        read_rows(snapshot.readers()[0], definition_of(snapshot, "seen", "t"))
        server.execute("SET SESSION lock_wait_timeout = 5", "ALTER TABLE seen.t ADD COLUMN w INT")
    server.execute("DROP DATABASE seen")


def test_a_killed_reader_cannot_be_confirmed(mariadb: MariaDBServer, database: str) -> None:
    with source_at(mariadb.url).open_snapshot(2) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
        connection_id = snapshot.readers()[1].connection.connection_id  # type: ignore[attr-defined]
        mariadb.execute(f"KILL CONNECTION {connection_id}")
        with pytest.raises((SnapshotLostError, ConnectionLostError)):
            snapshot.confirm(catalogue)


def test_a_table_without_transactions_is_named_only_when_it_was_written(
    mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT) ENGINE = MyISAM",
        "INSERT INTO t VALUES (1)",
    )
    with source_at(mariadb.url, LOCK_FREE).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
        snapshot.confirm(catalogue)
        assert texts_of(catalogue.omissions) == []
        mariadb.execute(f"INSERT INTO {database}.t VALUES (2)")
        snapshot.confirm(catalogue)
        assert len(texts_of(catalogue.omissions)) == 1
        assert f"{database}.t" in texts_of(catalogue.omissions)[0]
