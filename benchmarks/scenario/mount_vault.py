"""A repository to mount: one large table like sysbench's, and a database of many small ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from rowvault.codec.rendering import RENDERER_VERSION
from rowvault.codec.rows import RowBatch, encode_batch
from rowvault.core.model import Column, ConsistencyPoint, ServerInfo, TableDefinition, ValueKind
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot, SnapshotDraft
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.repository.trees.manifest import ManifestWriter
from rowvault.repository.trees.tree import TreeRoot
from rowvault.scan.table import TableScan
from rowvault.source.protocol import RowRange

LARGE = ("bench", "sbtest1")
MANY = "many"
_SEED = 1
_BATCH_ROWS = 5000
_ROW_BYTES = 200
"""Of SQL, a little less than what a row renders to."""
_COLUMNS = (
    Column("id", "int(11)", ValueKind.NUMBER),
    Column("k", "int(11)", ValueKind.NUMBER),
    Column("c", "char(120)", ValueKind.TEXT),
    Column("pad", "char(60)", ValueKind.TEXT),
)


class _Rows:
    """Reads as a connection does; the same rows each time."""

    def __init__(self, count: int) -> None:
        self._count = count

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        """All rows in batches."""
        rng = random.Random(_SEED)
        noise = bytes(rng.choices(b"0123456789", k=200_000))
        for first in range(0, self._count, _BATCH_ROWS):
            yield encode_batch(
                _row(rng, noise, number)
                for number in range(first, min(first + _BATCH_ROWS, self._count))
            )


def _row(rng: random.Random, noise: bytes, number: int) -> tuple[bytes, ...]:
    at = int(rng.random() * 199_000)
    return (b"%d" % number, b"%d" % (at * 37), noise[at : at + 119], noise[at + 200 : at + 259])


def fill(repository: Repository, text_bytes: int, table_count: int) -> Snapshot:
    """Commits a snapshot whose large table has at least so many bytes of SQL."""
    with repository.begin("benchmark", SilentMonitor()) as session:
        manifest = ManifestWriter(session)
        rows = text_bytes // _ROW_BYTES + 1
        large = _scan(repository, session, _definition(*LARGE), rows)
        manifest.add_table(_definition(*LARGE), *large, RENDERER_VERSION)
        small = _scan(repository, session, _definition(MANY, ""), 3)
        for number in range(table_count):
            manifest.add_table(_definition(MANY, f"t{number:05}"), *small, RENDERER_VERSION)
        return session.commit(
            SnapshotDraft(
                time=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
                server=ServerInfo("mariadb", "11.8.0", "benchmark", "mysql://root@localhost/"),
                moment=ConsistencyPoint("binlog position"),
                manifest=manifest.finish(),
                tables=table_count + 1,
                rows=rows + 3 * table_count,
                raw_bytes=large[0].sums.raw_bytes,
                seconds=1.0,
            )
        )


def _definition(database: str, name: str) -> TableDefinition:
    columns = ", ".join(f"`{column.name}` {column.type} NOT NULL" for column in _COLUMNS)
    statement = f"CREATE TABLE `{name}` ({columns}, PRIMARY KEY (`id`))".encode()
    return TableDefinition(database, name, _COLUMNS, (0,), True, statement)


def _scan(
    repository: Repository, session: WriteSession, definition: TableDefinition, rows: int
) -> tuple[TreeRoot, bytes]:
    scan = TableScan(definition, session, repository.cut_rule, repository.node_rule)
    scan.run(scan.add(RowRange()), _Rows(rows), lambda rows, size: None)
    scan.close()
    assert scan.result is not None
    return scan.result.root, scan.result.row_sum
