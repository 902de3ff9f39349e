"""A large table under a composite textual key whose collation ignores case: no row is lost or
doubled at an edge between row-chunks, and the server sorts nothing.

The server itself counts and hashes what it has; the snapshot's rows are counted and hashed as
`dump` gives them, by Python's hashlib. What the engine asked is read from the server's own log.

    ROWVAULT_TEST_ROWS=10000000 pytest tests/server/test_many_rows.py   (minutes, 3 GB of disk)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.repository.trees.manifest import TableRecord
from rowvault.scan import workers as workers_module
from rowvault.source.address import open_source, parse_address
from rowvault.source.protocol import Selection
from rowvault.storage.location import open_storage
from support.rowvault import start
from support.server import DatabaseServer
from support.tenants import fill_tenants

ROWS = int(os.environ.get("ROWVAULT_TEST_ROWS", "40000"))
LARGE = 1_000_000
"""From here on row-chunks are as large as always."""

LINE = """CONCAT('"', tenant, '","', code, '",', number)"""
HASH_DIGITS = 15
HASHES = (
    f"SELECT COUNT(*), SUM(CAST(CONV(LEFT(SHA2({LINE}, 256), {HASH_DIGITS}), 16, 10) AS UNSIGNED))"
    " FROM orders"
)


@pytest.fixture(autouse=True)
def _small_row_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    if ROWS < LARGE:
        monkeypatch.setattr(workers_module, "SMALLEST_CHUNK_BYTES", 100_000)
        monkeypatch.setattr(workers_module, "LARGEST_CHUNK_BYTES", 100_000)


def ask(server: DatabaseServer, database: str, query: str) -> list[tuple[object, ...]]:
    with closing(server.connect(database=database)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def back_up(
    repository: Repository, server: DatabaseServer, database: str, workers: int
) -> TableRecord:
    monitor = SilentMonitor()
    source = open_source(parse_address(server.socket_url), SilentMonitor())
    run_backup(repository, source, BackupRequest(Selection((database,)), workers), monitor)
    assert monitor.warnings == []
    [table] = repository.manifest(repository.find("latest")).tables()
    return table


def logged_reads(
    server: DatabaseServer, database: str, work: Callable[[], TableRecord]
) -> tuple[TableRecord, list[str]]:
    """What the work gives, and the queries of the table that the server received meanwhile."""
    server.execute(
        "SET GLOBAL log_output = 'TABLE'",
        "TRUNCATE mysql.general_log",
        "SET GLOBAL general_log = ON",
    )
    try:
        done = work()
    finally:
        server.execute("SET GLOBAL general_log = OFF", "SET GLOBAL log_output = 'FILE'")
    found = ask(
        server,
        database,
        "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        " WHERE argument LIKE 'SELECT%' AND argument LIKE '%orders%' AND argument LIKE '%code%'"
        " AND argument NOT LIKE '%information_schema%'",
    )
    return done, [str(query) for (query,) in found]


def dumped(place: Path, database: str) -> tuple[int, int]:
    """(rows, sum of their hashes) of the newest snapshot."""
    child = start("-r", place, "dump", "latest", f"{database}.orders", "--format", "csv")
    assert child.stdout is not None
    count = total = 0
    next(child.stdout)  # the names of the columns
    for line in child.stdout:
        count += 1
        total += int(sha256(line.rstrip(b"\r\n")).hexdigest()[:HASH_DIGITS], 16)
    _, errors = child.communicate()
    assert child.returncode == 0, errors.decode()
    return count, total


@pytest.mark.timeout(3600)
def test_no_row_is_lost_or_doubled_at_an_edge(
    server: DatabaseServer, database: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    fill_tenants(server, database, ROWS)
    [(count, hashes)] = ask(server, database, HASHES)
    assert count == ROWS
    place = tmp_path / "vault"
    with Repository.create(open_storage(str(place)), None) as repository:
        one = back_up(repository, server, database, 1)
        many, queries = logged_reads(
            server, database, lambda: back_up(repository, server, database, 8)
        )
    assert one.root.sums.rows == ROWS
    assert (one.root, one.row_sum) == (many.root, many.row_sum)
    assert dumped(place, database) == (count, hashes)
    assert len(queries) >= 8
    for query in queries:
        plan = ask(server, database, f"EXPLAIN {query}")
        assert "filesort" not in str(plan), query
    tell(
        f"{server.vendor}: {ROWS} rows, -j 1 = -j 8 = count and hash of the server; "
        f"{len(queries)} queries, none of which sorts"
    )
