"""A table's rows alone, as comma-separated values or lines of JSON.

docs/reference/text-formats.md states both forms.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from functools import partial

from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import render_csv, render_json_lines
from rowvault.core.model import TableDefinition
from rowvault.render.table import read_rows, row_groups
from rowvault.repository import Repository, TableRecord


class RowFormat(enum.StrEnum):
    """How a row becomes a line."""

    CSV = "csv"
    JSONL = "jsonl"


def rows_text(
    repository: Repository, record: TableRecord, row_format: RowFormat
) -> Iterator[tuple[int, bytes]]:
    """(rows, text) piece by piece, in the order of the rows; a header comes with no rows.

    Raises DamageError.
    """
    definition = record.definition
    layout = RowLayout.of(definition)
    render = partial(render_csv, layout=layout)
    if row_format is RowFormat.CSV:
        yield 0, _csv_header(definition)
    else:
        render = partial(render_json_lines, layout=layout, names=_json_names(definition))
    for group in row_groups(repository.tree(record.root).entries()):
        yield sum(entry.row_count for entry in group), render(read_rows(repository, group))


def _csv_header(definition: TableDefinition) -> bytes:
    names = (column.name.replace('"', '""') for column in definition.columns)
    return ",".join(f'"{name}"' for name in names).encode() + b"\n"


def _json_names(definition: TableDefinition) -> tuple[bytes, ...]:
    return tuple(
        json.dumps(column.name, ensure_ascii=False).encode() + b":" for column in definition.columns
    )
