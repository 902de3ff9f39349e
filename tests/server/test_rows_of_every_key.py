"""No row is missing, whatever the key and the number of connections."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.restore.verify.verify import equal_rows
from rowvault.scan import workers as workers_module
from rowvault.source.mysql import snapshot
from rowvault.source.mysql.keys import padding
from rowvault.source.mysql.reading.division import MysqlDivision
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import Selection
from rowvault.storage.location import open_storage
from support.copying import source_at
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import succeed
from support.server import DatabaseServer

ROWS = 30_000
_NOTE = "REPEAT(SHA2(seq, 256), 3)"
_FIRSTS = "ELT(seq % 5 + 1, 'a', 'a\\tb', '', '\\t', 'a b')"

NOPAD = ("utf8mb4_nopad_bin", "utf8mb4_general_nopad_ci", "latin1_swedish_nopad_ci")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are divided that would be read by one connection for their size alone."""
    monkeypatch.setattr(workers_module, "keeps_others_waiting", lambda size, rest, count: True)
    monkeypatch.setattr(workers_module, "SMALLEST_CHUNK_BYTES", 1 << 18)
    monkeypatch.setattr(workers_module, "LARGEST_CHUNK_BYTES", 1 << 18)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository.create(open_storage(str(tmp_path / "vault")), None) as opened:
        yield opened


def make_filled(server: MariaDBServer, database: str, collation: str) -> None:
    """A table whose index lies in another order than its key compares."""
    charset = collation.partition("_")[0]
    server.execute(
        f"USE {database}",
        f"CREATE TABLE t (a CHAR(10) CHARACTER SET {charset} COLLATE {collation}, b INT, "
        "note VARCHAR(200), PRIMARY KEY (a, b)) ENGINE=InnoDB",
        f"INSERT INTO t SELECT {_FIRSTS}, seq, {_NOTE} FROM seq_1_to_{ROWS}",
        "ANALYZE TABLE t",
    )


def back_up(repository: Repository, server: DatabaseServer, database: str) -> SilentMonitor:
    monitor = SilentMonitor()
    request = BackupRequest(Selection((database,)), 2)
    run_backup(repository, source_at(server.url), request, monitor)
    return monitor


def row_counts(repository: Repository) -> dict[str, int]:
    manifest = repository.manifest(repository.find("latest"))
    return {one.definition.name: one.root.sums.rows for one in manifest.tables()}


@pytest.mark.parametrize("collation", NOPAD)
@pytest.mark.usefixtures("small_chunks")
def test_characters_that_the_index_fills_with_spaces(
    collation: str, mariadb: MariaDBServer, database: str, repository: Repository
) -> None:
    make_filled(mariadb, database, collation)
    monitor = back_up(repository, mariadb, database)
    assert row_counts(repository) == {"t": ROWS}
    assert monitor.warnings == []


@pytest.mark.usefixtures("small_chunks")
def test_rows_that_fall_between_ranges_are_counted_and_read_again(
    mariadb: MariaDBServer,
    database: str,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if that collation were not known for what it does."""
    make_filled(mariadb, database, NOPAD[0])
    monkeypatch.setattr(snapshot, "ignores_trailing_spaces", lambda connection, kind: True)
    monitor = back_up(repository, mariadb, database)
    assert row_counts(repository) == {"t": ROWS}
    [warning] = monitor.warnings
    assert f"{database}.t" in warning
    assert "read again" in warning


def test_who_ignores_trailing_spaces_is_asked(server: DatabaseServer, database: str) -> None:
    pads = {"utf8mb4_bin": True, "utf8mb4_unicode_ci": True, "ucs2_general_ci": True}
    if server.vendor == "mysql":
        pads |= {"utf8mb4_0900_ai_ci": False, "utf8mb4_0900_bin": False}
    else:
        pads |= dict.fromkeys(NOPAD, False) | {"ucs2_nopad_bin": False}
    columns = ", ".join(
        f"`{name}` CHAR(3) CHARACTER SET {name.partition('_')[0]} COLLATE {name}" for name in pads
    )
    server.execute(f"CREATE TABLE {database}.t ({columns})")
    with source_at(server.url).open_snapshot(1) as opened:
        connection = opened.readers()[0].connection  # type: ignore[attr-defined]
        kinds = padding.text_kinds(connection, database, "t")
        found = {name: padding.ignores_trailing_spaces(connection, kinds[name]) for name in pads}
        unknown = padding.TextKind("utf8mb4", "utf8mb4_klingon")
        assert not padding.ignores_trailing_spaces(connection, unknown)
    assert found == pads


@pytest.mark.usefixtures("small_chunks")
def test_rows_in_a_partition_where_they_do_not_belong(
    mysql: MySQLServer, repository: Repository
) -> None:
    """EXCHANGE PARTITION puts them there unseen; a range leaves that partition out."""
    mysql.execute(
        "DROP DATABASE IF EXISTS exchanged",
        "CREATE DATABASE exchanged",
        "USE exchanged",
        "SET cte_max_recursion_depth = 100000",
        "CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(200)) PARTITION BY RANGE (id) "
        "(PARTITION low VALUES LESS THAN (20000), PARTITION high VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE other (id INT PRIMARY KEY, note VARCHAR(200))",
        f"INSERT INTO t SELECT 2 * seq + 20000, {_NOTE} FROM {mysql.sequence(ROWS)}",
        f"INSERT INTO other SELECT 2 * seq + 1, {_NOTE} FROM {mysql.sequence(ROWS)}",
        "ALTER TABLE t EXCHANGE PARTITION low WITH TABLE other WITHOUT VALIDATION",
        "ANALYZE TABLE t",
    )
    monitor = back_up(repository, mysql, "exchanged")
    assert row_counts(repository)["t"] == 2 * ROWS
    assert [one for one in monitor.warnings if "exchanged.t" in one]
    mysql.execute("DROP DATABASE exchanged")


def _without_first(batch: RowBatch) -> RowBatch:
    first = batch.ends[0]
    return RowBatch(batch.rows[first:], array("I", [end - first for end in batch.ends[1:]]))


def _swapped(batch: RowBatch) -> RowBatch:
    first, second = batch.ends[:2]
    rows = batch.rows[first:second] + batch.rows[:first] + batch.rows[second:]
    return RowBatch(rows, array("I", [second - first, *batch.ends[1:]]))


@pytest.mark.parametrize("change", [_without_first, _swapped, None])
@pytest.mark.usefixtures("small_chunks")
def test_a_row_chunk_that_is_not_what_its_bounds_say_fails_the_backup(
    change: Callable[[RowBatch], RowBatch] | None,
    server: DatabaseServer,
    database: str,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.execute(
        f"USE {database}",
        "CREATE TABLE t (id BIGINT PRIMARY KEY, note VARCHAR(200))",
        *(["SET cte_max_recursion_depth = 100000"] if server.vendor == "mysql" else []),
        f"INSERT INTO t SELECT CAST(seq AS SIGNED) - 700, {_NOTE} FROM {server.sequence(ROWS)}",
        "ANALYZE TABLE t",
    )
    real = Connection.stream

    def stream(self: Connection, statement: str | bytes, task: str) -> Iterator[RowBatch]:
        is_range = "WHERE" in str(statement)
        for number, batch in enumerate(real(self, statement, task)):
            if is_range and number == 0:
                if change is not None:
                    yield change(batch)
            elif not is_range or change is not None:
                yield batch

    monkeypatch.setattr(Connection, "stream", stream)
    with pytest.raises(SourceError, match=rf"{database}\.t cannot be read in parts.*\(id\)"):
        back_up(repository, server, database)
    assert not list(repository.snapshots())


def test_at_its_natural_size_and_by_the_command(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str, tmp_path: Path
) -> None:
    make_filled(mariadb, database, NOPAD[0])
    mariadb.execute(f"INSERT INTO {database}.t SELECT a, b + {ROWS}, note FROM {database}.t")
    mariadb.execute(f"INSERT INTO {database}.t SELECT a, b + {2 * ROWS}, note FROM {database}.t")
    mariadb.execute(f"ANALYZE TABLE {database}.t")
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", mariadb.url, "-d", database, "-j", "4")
    succeed("-r", vault, "restore", "latest", mariadb_second.url, "-j", "4")
    with closing(mariadb_second.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {database}.t")
        assert cursor.fetchall() == ((4 * ROWS,),)
    mariadb_second.execute(f"DROP DATABASE {database}")


@pytest.mark.usefixtures("small_chunks")
def test_a_snapshot_that_lacks_rows_is_found_by_verify(
    mariadb: MariaDBServer, database: str, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an earlier version made it: verify read as blindly as that."""
    make_filled(mariadb, database, NOPAD[0])
    with monkeypatch.context() as patch:
        answer = {"raising": False}
        patch.setattr(snapshot, "ignores_trailing_spaces", lambda connection, kind: True, **answer)
        patch.setattr(MysqlDivision, "counted_rows", lambda self, worker: None, **answer)
        back_up(repository, mariadb, database)
    assert row_counts(repository)["t"] < ROWS
    records = list(repository.manifest(repository.find("latest")).tables())
    source = source_at(mariadb.url)
    assert equal_rows(repository, records, source, 2, SilentMonitor()) == set()
    back_up(repository, mariadb, database)
    records = list(repository.manifest(repository.find("latest")).tables())
    assert equal_rows(repository, records, source, 2, SilentMonitor()) == {(database, "t")}
