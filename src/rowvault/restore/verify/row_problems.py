"""How the rows of a live table differ from a snapshot's: counted, and the first ones by key."""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import decode_row
from rowvault.core.errors import DamageError, RowvaultError
from rowvault.core.model import Column, TableDefinition, ValueKind
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import Repository, TableRecord, TreeReader
from rowvault.restore.verify.live_rows import LiveRows, RowsMovedError
from rowvault.scan.sink import HashingSink
from rowvault.scan.table import ScannedTable
from rowvault.source.protocol import RowReader
from rowvault.timeline.row_difference import RowCounts, StoredRows, count_rows

_NAMED_KEYS = 5
"""Of the rows that differ; the rest is counted."""

_SHOWN_BYTES = 60


def rows_are_equal(record: TableRecord, scanned: ScannedTable) -> bool:
    """The same rows; where the order is the server's own, in whichever order."""
    if record.root.id == scanned.root.id:
        return True
    # A table without a key, or one whose collation sorts otherwise on this server: the sum of the
    # keyed row hashes proves the set.
    unordered = not record.definition.key or not record.definition.key_is_ordered
    return (
        unordered
        and record.row_sum == scanned.row_sum
        and record.root.sums.rows == scanned.root.sums.rows
    )


def row_problem(
    repository: Repository,
    record: TableRecord,
    scanned: ScannedTable,
    sink: HashingSink,
    reader: RowReader,
) -> str:
    """How many rows differ, and in what, in one line; `sink` is where the table was scanned to.

    The table is read once more, in the same moment. Raises SourceError.
    """
    definition = record.definition
    tree = TreeReader(sink.read_node, scanned.root)
    live = LiveRows(repository, scanned.definition, reader, tree)
    try:
        counts = count_rows(
            StoredRows(repository, record, SilentMonitor()),
            live,
            RowLayout.of(definition),
            repository.cut_rule.row_key,
            in_key_order=definition.key_is_ordered,
            named_keys=_NAMED_KEYS,
        )
        told = _counts_text(definition, counts)
    except RowsMovedError as error:
        told = str(error)
    except DamageError as error:
        told = f"which ones cannot be told, because blocks of the snapshot are damaged: {error}"
    live.close()
    rows = record.root.sums.rows, scanned.root.sums.rows
    return (
        f"{definition.label}: rows differ ({rows[0]} in the snapshot, {rows[1]} on the target): "
        f"{told}"
    )


def _counts_text(definition: TableDefinition, counts: RowCounts) -> str:
    listed = [
        (counts.changed, "changed"),
        (counts.removed, "only in the snapshot"),
        (counts.added, "only on the target"),
    ]
    text = ", ".join(f"{count} {what}" for count, what in listed if count)
    if not text:
        return "the same ones come in another order"
    if not counts.keys:
        return text
    named = ", ".join(key_text(definition, key) for key in counts.keys)
    rest = counts.changed + counts.removed + counts.added - len(counts.keys)
    return f"{text}: {named}" + (f" and {rest} more" if rest > 0 else "")


def key_text(definition: TableDefinition, first_key: bytes) -> str:
    """A stored key for people; a digest where the key itself is not kept."""
    if first_key[:1] != b"\x01":
        return f"with digest {first_key[1:].hex()}"
    columns = [definition.columns[index] for index in definition.key]
    try:
        values, _ = decode_row(first_key, 1, len(columns))
    except RowvaultError:
        return f"0x{first_key.hex()}"
    return f"({_values_text(columns, values)})"


def _values_text(columns: Sequence[Column], values: Sequence[bytes | None]) -> str:
    return ", ".join(
        _value_text(column, value) for column, value in zip(columns, values, strict=True)
    )


def _value_text(column: Column, value: bytes | None) -> str:
    if value is None:
        return "NULL"
    if column.kind is ValueKind.DYNAMIC and value[:1] in (b"i", b"t"):
        value = value[1:]
    elif column.kind in (ValueKind.BYTES, ValueKind.DYNAMIC):
        return f"0x{value[:_SHOWN_BYTES].hex()}"
    text = value[:_SHOWN_BYTES].decode("utf-8", "replace")
    return f"{column.name}={text}"
