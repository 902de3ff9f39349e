"""Proves that a target holds what the snapshot holds: reads it back as a backup would.

Its rows are read, cut and hashed by the ordinary path of a backup, with the secret
of the repository, and the trees are compared. Equal trees are equal rows in equal order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rowvault.codec.rows import decode_row
from rowvault.core.errors import RowvaultError
from rowvault.core.model import Column, TableDefinition, ValueKind
from rowvault.core.monitor import Monitor
from rowvault.repository.manifest import TableRecord
from rowvault.repository.node import LeafEntry
from rowvault.repository.repository import Repository
from rowvault.repository.tree import TreeReader
from rowvault.repository.tree_difference import differing
from rowvault.scan.sink import HashingSink
from rowvault.scan.table import ScannedTable
from rowvault.scan.workers import scan_tables
from rowvault.source.protocol import Selection, Source, SourceTable

_NAMED_RANGES = 5
"""Differing key ranges named per table; the rest is counted."""

_SHOWN_BYTES = 60


def find_mismatches(
    repository: Repository,
    records: Sequence[TableRecord],
    source: Source,
    worker_count: int,
    monitor: Monitor,
) -> list[str]:
    """One message for each table that is not as the snapshot has it; empty: all are equal.

    Raises SourceError when the target cannot be read.
    """
    if not records:
        return []
    names = tuple((one.definition.database, one.definition.name) for one in records)
    expected = dict(zip(names, records, strict=True))
    sink = HashingSink(repository)
    monitor.phase("verifying", sum(record.root.sums.rows for record in records))
    with source.open_snapshot(worker_count) as view:
        catalogue = view.catalogue(Selection(tables=names))
        found = {(one.definition.database, one.definition.name): one for one in catalogue.tables}
        messages = [
            f"{database}.{name}: not on the target"
            for database, name in names
            if (database, name) not in found
        ]
        same: list[SourceTable] = []
        for name, table in found.items():
            problem = _shape_problem(expected[name].definition, table.definition)
            if problem:
                messages.append(problem)
            else:
                same.append(table)
        scan = scan_tables(view, same, sink, repository, monitor)
        view.confirm(catalogue)
    for scanned in scan.tables:
        name = (scanned.definition.database, scanned.definition.name)
        messages += _row_problems(repository, expected[name], scanned, sink)
    return messages


def _shape_problem(expected: TableDefinition, found: TableDefinition) -> str | None:
    """Trees compare only between tables whose rows are written alike."""
    for old, new in zip(expected.columns, found.columns, strict=False):
        if (old.name, old.kind, old.introducer) != (new.name, new.kind, new.introducer):
            return (
                f"{expected.label}: column {old.name} {old.type} is {new.name} {new.type} "
                "on the target"
            )
    if len(expected.columns) != len(found.columns):
        return (
            f"{expected.label}: {len(found.columns)} columns on the target, "
            f"{len(expected.columns)} in the snapshot"
        )
    if expected.key != found.key:
        return f"{expected.label}: the key is another one on the target"
    return None


def _row_problems(
    repository: Repository, record: TableRecord, scanned: ScannedTable, sink: HashingSink
) -> Iterator[str]:
    if record.root.id == scanned.root.id:
        return
    expected_rows, found_rows = record.root.sums.rows, scanned.root.sums.rows
    unordered = not record.definition.key or not record.definition.key_is_ordered
    if unordered and record.row_sum == scanned.row_sum and expected_rows == found_rows:
        # The same rows in another order: a table without a key, or one whose collation sorts
        # otherwise on this server. The sum of the keyed row hashes proves the set.
        return
    ranges = _differing_ranges(repository, record, scanned, sink)
    yield (
        f"{record.definition.label}: rows differ ({expected_rows} in the snapshot, {found_rows} on "
        f"the target): {ranges}"
    )


def _differing_ranges(
    repository: Repository, record: TableRecord, scanned: ScannedTable, sink: HashingSink
) -> str:
    left = repository.tree(record.root)
    right = TreeReader(sink.read_node, scanned.root)
    named: list[str] = []
    count = 0
    for run in differing(left, right):
        if not run.left and not run.right:
            continue
        count += 1
        if count <= _NAMED_RANGES:
            named.append(_range_text(record.definition, run.left or run.right))
    if count > _NAMED_RANGES:
        named.append(f"and {count - _NAMED_RANGES} more")
    return "; ".join(named)


def _range_text(definition: TableDefinition, entries: Sequence[LeafEntry]) -> str:
    rows = sum(entry.row_count for entry in entries)
    first = key_text(definition, entries[0].first_key)
    return f"{rows} rows from key {first} on"


def key_text(definition: TableDefinition, first_key: bytes) -> str:
    """A stored key for people; a digest where the key itself is not kept."""
    if first_key[:1] != b"\x01":
        return f"with digest {first_key[1:].hex()}"
    columns = [definition.columns[index] for index in definition.key]
    try:
        values, _ = decode_row(first_key, 1, len(columns))
    except RowvaultError:
        return f"0x{first_key.hex()}"
    shown = [_value_text(column, value) for column, value in zip(columns, values, strict=True)]
    return "(" + ", ".join(shown) + ")"


def _value_text(column: Column, value: bytes | None) -> str:
    if value is None:
        return "NULL"
    if column.kind is ValueKind.DYNAMIC and value[:1] in (b"i", b"t"):
        value = value[1:]
    elif column.kind in (ValueKind.BYTES, ValueKind.DYNAMIC):
        return f"0x{value[:_SHOWN_BYTES].hex()}"
    text = value[:_SHOWN_BYTES].decode("utf-8", "replace")
    return f"{column.name}={text}"
