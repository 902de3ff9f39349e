"""Several workers on many tables: who is divided, and what happens when one of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.scan import workers
from rowvault.scan.workers import chunk_bytes, cost, keeps_others_waiting
from rowvault.source import protocol
from rowvault.source.protocol import RowRange, SourceTable
from rowvault.source.sqlite.snapshot import SqliteSource
from rowvault.storage.location import open_storage
from support.sqlite_file import make

MIB = 1 << 20


def table(rows: int, size_bytes: int) -> SourceTable:
    return SourceTable(TableDefinition("", "t", (), (), False, b""), rows, size_bytes)


@pytest.mark.parametrize(
    ("table_bytes", "all_bytes", "count", "expected"),
    [
        (100 * MIB, 100 * MIB, 2, 8 * MIB),
        (1 << 30, 1 << 30, 2, 16 * MIB),
        (1 << 30, 100 << 30, 4, 64 * MIB),
        (40 * MIB, 1 << 30, 2, 10 * MIB),
        (20 * MIB, 1 << 30, 2, 8 * MIB),
    ],
)
def test_row_chunks_are_a_small_part_of_each_share(
    table_bytes: int, all_bytes: int, count: int, expected: int
) -> None:
    assert chunk_bytes(table_bytes, all_bytes, count) == expected


def test_only_what_would_be_read_last_is_divided() -> None:
    assert keeps_others_waiting(100, 0, 2)
    assert keeps_others_waiting(100, 124, 2)
    assert not keeps_others_waiting(100, 125, 2)
    assert keeps_others_waiting(100, 374, 4)
    assert not keeps_others_waiting(100, 375, 4)


def test_many_short_rows_are_begun_before_few_long_ones() -> None:
    assert cost(table(2_000_000, 100 * MIB)) > cost(table(20_000, 200 * MIB))
    assert cost(table(1000, 2 * MIB)) > cost(table(1000, MIB))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of two tables, each of several row-chunks."""
    monkeypatch.setattr(workers, "SMALLEST_CHUNK_BYTES", 50_000)
    rows: list[tuple[str, tuple[object, ...]]] = [
        (f"INSERT INTO {name} VALUES(?, ?)", (key, b"%d" % key * 100))
        for name in ("t", "u")
        for key in range(2000)
    ]
    definition = "CREATE TABLE t(id INTEGER PRIMARY KEY, x); CREATE TABLE u(id INTEGER, x)"
    return make(tmp_path / "a.db", definition, rows)


def _back_up(path: Path, vault: Path, worker_count: int) -> None:
    monitor = SilentMonitor()
    with Repository.create(open_storage(str(vault)), None) as repository:
        request = BackupRequest(workers=worker_count)
        result = run_backup(repository, SqliteSource(path), request, monitor)
        assert result.rows == 4000
        assert sum(worker.rows for worker in result.workers) == 4000


def test_the_figures_of_all_workers_make_the_whole(path: Path, tmp_path: Path) -> None:
    for worker_count in (1, 2, 5):
        _back_up(path, tmp_path / f"vault {worker_count}", worker_count)


def test_a_division_that_fails_ends_the_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def more(self: protocol.KnownDivision, worker: int) -> Sequence[RowRange]:
        raise SourceError("the server has gone")

    monkeypatch.setattr(protocol.KnownDivision, "more", more)
    with pytest.raises(SourceError, match="has gone"):
        _back_up(path, tmp_path / "vault", 4)
