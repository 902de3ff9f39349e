"""JSON documents of MySQL that come back as what their text says.

A DECIMAL member reads `1.50`; loaded from this text it is a DOUBLE and reads `1.5`. The backup
named such rows. Here they are told from rows that are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rowvault.codec.rows import RowBatch, Value, decode_row
from rowvault.core.model import ServerInfo, TableDefinition
from rowvault.render.table import read_group, row_groups
from rowvault.repository import Repository, TableRecord
from rowvault.source.protocol import RowRange, RowReader

_LEAST, _GREATEST = -(1 << 63), (1 << 64) - 1


def document_columns(definition: TableDefinition, server: ServerInfo) -> list[int]:
    """Indices of the columns whose values the server takes apart when they are loaded."""
    if server.vendor != "mysql":
        return []
    return [at for at, column in enumerate(definition.columns) if column.type == "json"]


def renumbered_rows(
    repository: Repository, record: TableRecord, reader: RowReader, documents: Sequence[int]
) -> int | None:
    """How many rows differ in how numbers in documents are written, and in nothing else.

    None when the live table differs in any other way. Raises SourceError, DamageError.
    """
    count = 0
    stored = _stored_rows(repository, record)
    live = (
        row
        for batch in reader.read(record.definition, RowRange())
        for row in _rows(batch, len(record.definition.columns))
    )
    is_same = True
    # Read to the end in any case: a reader whose read is cut short serves no other.
    for left, right in zip_longest(stored, live):
        if left == right:
            continue
        if left is None or right is None or _as_read(left, documents) != _as_read(right, documents):
            is_same = False
        count += 1
    return count if is_same else None


def _stored_rows(repository: Repository, record: TableRecord) -> Iterator[list[Value]]:
    width = len(record.definition.columns)
    for group in row_groups(repository.tree(record.root).entries()):
        yield from _rows(read_group(repository, group, width), width)


def _rows(batch: RowBatch, width: int) -> Iterator[list[Value]]:
    position = 0
    for _ in batch.ends:
        values, position = decode_row(batch.rows, position, width)
        yield values


def _as_read(row: Sequence[Value], documents: Sequence[int]) -> list[object]:
    """The row, each document as what its text means to the server's parser."""
    return [
        repr(json.loads(value, parse_int=_number)) if at in documents and value else value
        for at, value in enumerate(row)
    ]


def _number(digits: str) -> int | float:
    value = int(digits)
    return value if _LEAST <= value <= _GREATEST else float(digits)
