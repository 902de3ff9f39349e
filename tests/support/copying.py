"""Carries databases from server to server through the source protocol, without a repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rowvault.codec.rows import RowBatch, Value, decode_row
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import SilentMonitor
from rowvault.source.address import open_source, open_target, parse_address
from rowvault.source.protocol import (
    DEFAULT_LOCKING,
    Catalogue,
    Locking,
    RowRange,
    RowReader,
    Selection,
    Source,
    SourceSnapshot,
    Target,
)
from rowvault.sqltext.mysql.deferred_indexes import DeferredIndexes
from rowvault.sqltext.order import post_data, pre_data


@dataclass(frozen=True, slots=True)
class Copy:
    """What was carried, and what was said about it."""

    catalogue: Catalogue
    warnings: list[str]


def source_at(url: str, locking: Locking = DEFAULT_LOCKING) -> Source:
    """The server behind a URL, to be read."""
    return open_source(parse_address(url), SilentMonitor(), locking=locking)


def target_at(url: str) -> Target:
    """The server behind a URL, to be written."""
    return open_target(parse_address(url), SilentMonitor())


def definition_of(snapshot: SourceSnapshot, database: str, name: str) -> TableDefinition:
    """One table's definition, read as a backup of this table alone reads it."""
    catalogue = snapshot.catalogue(Selection(tables=((database, name),)))
    return catalogue.tables[0].definition


def read_rows(
    reader: RowReader, table: TableDefinition, rows: RowRange | None = None
) -> list[list[Value]]:
    """All values of a row-chunk, in the order they come."""
    found = []
    for batch in reader.read(table, rows or RowRange()):
        position = 0
        for end in batch.ends:
            values, position = decode_row(batch.rows, position, len(table.columns))
            assert position == end
            found.append(values)
        assert position == len(batch.rows)
    return found


def read_raw(
    reader: RowReader, table: TableDefinition, rows: RowRange | None = None
) -> tuple[bytes, int]:
    """The bytes of a row-chunk, in the order they come, and how many rows they are."""
    batches = [
        (bytes(batch.rows), len(batch.ends)) for batch in reader.read(table, rows or RowRange())
    ]
    return b"".join(raw for raw, _ in batches), sum(count for _, count in batches)


def table_rows(url: str, database: str, name: str) -> list[list[Value]]:
    """All rows of one table, read by one connection."""
    with source_at(url).open_snapshot(1) as snapshot:
        table = definition_of(snapshot, database, name)
        return read_rows(snapshot.readers()[0], table)


def copy(source_url: str, target_url: str, databases: Sequence[str]) -> Copy:
    """Makes everything that the databases hold on the target again."""
    monitor = SilentMonitor()
    target = open_target(parse_address(target_url), monitor)
    loader = target.open_loader()
    with source_at(source_url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=tuple(databases)))
        for definition in pre_data(catalogue.objects):
            target.create(definition)
        for table in catalogue.tables:
            target.create(table.definition)
            for batch in snapshot.readers()[0].read(table.definition, RowRange()):
                loader.load(table.definition, RowBatch(batch.rows, batch.ends))
        for definition in post_data(catalogue.objects):
            target.create(definition)
        snapshot.confirm(catalogue)
    loader.close()
    target.finish()
    return Copy(catalogue, monitor.warnings)


def make_bare(source_url: str, target_url: str, databases: Sequence[str]) -> tuple[set[str], int]:
    """Makes all tables on the target, without rows, and their keys after them.

    Gives the labels of those that were bare in between, and how many should have been.
    """
    target = target_at(target_url)
    loader = target.open_loader()
    with source_at(source_url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=tuple(databases)))
    for definition in pre_data(catalogue.objects):
        target.create(definition)
    tables = [table.definition for table in catalogue.tables]
    bare = [table for table in tables if target.create_without_keys(table)]
    for table in bare:
        loader.add_keys(table)
    for table in bare:
        target.add_references(table)
    loader.close()
    target.close()
    return {table.label for table in bare}, sum(
        DeferredIndexes.of(table) is not None for table in tables
    )
