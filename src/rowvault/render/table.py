"""A table's rows as INSERT statements, one for each block, with the length known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import RENDERER_VERSION, render_block
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import UnsupportedFormatError
from rowvault.repository.manifest import TableRecord
from rowvault.repository.node import LeafEntry
from rowvault.repository.repository import Repository
from rowvault.sqltext.script import Script

_WHOLE = 0
_LAST_FRAGMENT = 3


class TableText:
    """The text of one table: its definition, its rows, its end."""

    def __init__(self, repository: Repository, record: TableRecord, script: Script) -> None:
        """Raises UnsupportedFormatError where the lengths are those of an unknown renderer."""
        if record.renderer != RENDERER_VERSION:
            raise UnsupportedFormatError(
                f"{record.definition.label} was measured by renderer {record.renderer}, which this "
                f"version does not have (it has {RENDERER_VERSION}); use a newer rowvault"
            )
        self._repository = repository
        self._record = record
        self._layout = RowLayout.of(record.definition)
        self._head = script.before_rows(record.definition)
        self._prefix = script.insert_prefix(record.definition)
        self._suffix = script.insert_suffix()
        self._tail = script.behind_rows(record.definition)
        self._largest_statement = 0

    @property
    def length(self) -> int:
        """In bytes; exact, and known without reading a row."""
        sums = self._record.root.sums
        framing = len(self._prefix) + len(self._suffix)
        return len(self._head) + sums.statements * framing + sums.rendered_bytes + len(self._tail)

    @property
    def largest_statement_bytes(self) -> int:
        """The longest INSERT that was given by `pieces` so far."""
        return self._largest_statement

    def pieces(self) -> Iterator[bytes]:
        """The text, a statement at a time. Raises DamageError."""
        yield self._head
        for group in row_groups(self._repository.tree(self._record.root).entries()):
            batch = read_group(self._repository, group, self._layout.column_count)
            statement = self._prefix + render_block(batch, self._layout) + self._suffix
            self._largest_statement = max(self._largest_statement, len(statement))
            yield statement
        yield self._tail


def row_groups(entries: Iterable[LeafEntry]) -> Iterator[list[LeafEntry]]:
    """Entries that together hold whole rows: one block, or all fragments of one row."""
    group: list[LeafEntry] = []
    for entry in entries:
        group.append(entry)
        if entry.fragment in (_WHOLE, _LAST_FRAGMENT):
            yield group
            group = []


def read_group(repository: Repository, group: Sequence[LeafEntry], column_count: int) -> RowBatch:
    """The rows of one group. Raises DamageError."""
    raw = b"".join(repository.read_data(entry.id) for entry in group)
    return RowBatch(raw, kernel.row_ends(raw, column_count))
