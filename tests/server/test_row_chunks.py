"""Row-chunks over several connections never show in what is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.scan import table as table_module
from rowvault.scan import workers as workers_module
from rowvault.source.address import open_source, parse_address
from rowvault.source.protocol import RowReader, Selection
from rowvault.storage.location import open_storage
from support.comparer import differences, fingerprint
from support.key_kinds import DIVISIBLE, ROWS, fill, kinds_of, number_statements
from support.mariadb import MariaDBServer
from support.rowvault import run_json, succeed
from support.server import DatabaseServer


@pytest.fixture
def chunk_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A label for each row-chunk that is read from now on; row-chunks are of 1 MiB.

    All tables are divided that can be, also where there are others to be read meanwhile.
    """
    monkeypatch.setattr(workers_module, "keeps_others_waiting", lambda size, rest, count: True)
    monkeypatch.setattr(workers_module, "SMALLEST_CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr(workers_module, "LARGEST_CHUNK_BYTES", 1 << 20)
    labels: list[str] = []
    real = table_module.TableScan.run

    def run(
        self: table_module.TableScan,
        index: int,
        reader: RowReader,
        advance: Callable[[int, int], None],
    ) -> None:
        labels.append(self.definition.name)
        real(self, index, reader, advance)

    monkeypatch.setattr(table_module.TableScan, "run", run)
    return labels


def test_any_number_of_workers_gives_the_same_trees(
    mariadb: MariaDBServer, database: str, tmp_path: Path, chunk_reads: list[str]
) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE even (id INT PRIMARY KEY, note VARCHAR(200))",
        "INSERT INTO even"
        " SELECT CAST(seq AS SIGNED) - 40000, REPEAT(MD5(seq), 5) FROM seq_1_to_100000",
        "CREATE TABLE gaps (id BIGINT UNSIGNED PRIMARY KEY, note VARCHAR(200))",
        "INSERT INTO gaps"
        " SELECT CAST(seq AS UNSIGNED) * seq * seq * seq, REPEAT(MD5(seq), 5) FROM seq_1_to_40000",
        "CREATE TABLE pair (a INT, b INT, note VARCHAR(200), PRIMARY KEY (a, b))",
        "INSERT INTO pair SELECT seq % 500, seq, REPEAT(MD5(seq), 5) FROM seq_1_to_40000",
        "CREATE TABLE versions (id INT PRIMARY KEY, note VARCHAR(200)) WITH SYSTEM VERSIONING",
        "SET system_versioning_insert_history = 1",
        "INSERT INTO versions (id, note, row_start, row_end)"
        " SELECT seq % 4000, REPEAT(MD5(seq), 5), '2020-01-01' + INTERVAL seq SECOND,"
        " '2020-01-01' + INTERVAL seq + 4000 SECOND FROM seq_1_to_40000",
        "ANALYZE TABLE even, gaps, pair, versions",
    )
    monitor = SilentMonitor()
    found = []
    with Repository.create(open_storage(str(tmp_path / "vault")), None) as repository:
        for worker_count in (1, 3, 8):
            chunk_reads.clear()
            source = open_source(parse_address(mariadb.socket_url), monitor)
            request = BackupRequest(Selection((database,)), worker_count)
            run_backup(repository, source, request, monitor)
            names = ("even", "gaps", "pair", "versions")
            for name in names:
                assert (chunk_reads.count(name) > 3) == (worker_count > 1)
            manifest = repository.manifest(repository.find("latest"))
            found.append([(one.root, one.row_sum) for one in manifest.tables()])
    assert found[0] == found[1] == found[2]
    assert [root.sums.rows for root, _ in found[0]] == [100_000, 40_000, 40_000, 40_000]


def test_keys_of_every_kind_give_the_same_trees(
    server: DatabaseServer,
    database: str,
    tmp_path: Path,
    chunk_reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Few pages each: the server's own estimate of the bytes is all the size that they have.
    monkeypatch.setattr(workers_module, "SMALLEST_CHUNK_BYTES", 30_000)
    monkeypatch.setattr(workers_module, "LARGEST_CHUNK_BYTES", 30_000)
    kinds = kinds_of(server.vendor)
    fill(server, database, kinds)
    monitor = SilentMonitor()
    found = []
    with Repository.create(open_storage(str(tmp_path / "vault")), None) as repository:
        for worker_count in (1, 2, 8):
            chunk_reads.clear()
            source = open_source(parse_address(server.url), monitor)
            run_backup(
                repository, source, BackupRequest(Selection((database,)), worker_count), monitor
            )
            divided = {name for name in chunk_reads if chunk_reads.count(name) > 3}
            divisible = {one.name for one in kinds if one in DIVISIBLE}
            expected = divisible if worker_count > 1 else set()
            assert divided == expected
            manifest = repository.manifest(repository.find("latest"))
            found.append(
                {one.definition.name: (one.root, one.row_sum) for one in manifest.tables()}
            )
    assert found[0] == found[1] == found[2]
    assert {root.sums.rows for root, _ in found[0].values()} == {ROWS}
    assert len(found[0]) == len(kinds)


def test_a_large_table_comes_back_whatever_the_number_of_workers(
    server: DatabaseServer, server_second: DatabaseServer, database: str, tmp_path: Path
) -> None:
    # Tenants of very different sizes, written in both cases, which the collation takes for equal.
    many = "i + 4000 * d"
    forty = ", ".join(f"({number})" for number in range(40))
    server.execute(
        f"USE {database}",
        *number_statements(),
        "CREATE TABLE orders (tenant VARCHAR(40), code VARCHAR(40), note VARCHAR(90),"
        " PRIMARY KEY (tenant, code)) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "CREATE TEMPORARY TABLE forty (d INT)",
        f"INSERT INTO forty VALUES {forty}",
        f"INSERT INTO orders SELECT CONCAT(IF(i % 2, 'Tenant ', 'tenant '), IF(d, 'x', i DIV 7)),"
        f" CONCAT('ORD-', HEX({many})), SHA2({many}, 256) FROM number, forty",
        "DROP TABLE number",
        "ANALYZE TABLE orders",
    )
    vaults = [str(tmp_path / "one"), str(tmp_path / "many")]
    succeed("init", "--no-encryption", "-r", vaults[0])
    succeed("init", "--no-encryption", "-r", vaults[1], "--from", vaults[0])
    made = [
        run_json("backup", server.url, "-d", database, "-j", workers, "-r", vault)
        for vault, workers in zip(vaults, ("1", "8"), strict=True)
    ]
    assert [one["rows"] for one in made] == [160_000, 160_000]
    assert sum(worker["rows"] for worker in made[1]["workers"]) == 160_000
    assert sum(worker["rows"] > 0 for worker in made[1]["workers"]) > 1
    roots = []
    for vault in vaults:
        with Repository.open(open_storage(vault), None) as repository:
            [table] = repository.manifest(repository.find("latest")).tables()
            roots.append((table.root, table.row_sum))
    assert roots[0] == roots[1]
    succeed("restore", "latest", server_second.url, "-d", database, "-r", vaults[1])
    expected = fingerprint(server, [database])
    assert differences(expected, fingerprint(server_second, [database])) == []
    server_second.execute(f"DROP DATABASE {database}")
