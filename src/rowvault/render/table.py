"""A table's rows as INSERT statements, one for each block, with the length known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import RENDERER_VERSION, render_statement
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import UnsupportedFormatError
from rowvault.core.ids import BlockId
from rowvault.render.document import Chunk, Fixed
from rowvault.render.large_row import LargeRow
from rowvault.repository.manifest import TableRecord
from rowvault.repository.node import LeafEntry, Sums
from rowvault.repository.repository import Repository
from rowvault.sqltext.counter import loadable
from rowvault.sqltext.script import Script

_WHOLE = 0
_LAST_FRAGMENT = 3
_KEPT_LARGE_ROWS = 16


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
        self.record = record
        definition = loadable(record.definition, record.root.sums.rows)
        remarks = b"".join(b"-- " + _one_line(note) + b"\n" for note in record.notes)
        self._head = remarks + script.before_rows(definition)
        self._prefix = script.insert_prefix(record.definition)
        self._suffix = script.insert_suffix()
        self._tail = script.behind_rows(record.definition)
        self._framing = len(self._prefix) + len(self._suffix)
        self._large_rows: dict[tuple[BlockId, ...], LargeRow] = {}

    @cached_property
    def rendering(self) -> tuple[object, ...]:
        """All that decides, besides a block's rows, what its statement reads."""
        return self._prefix, self._suffix, self._layout.kinds, self._layout.introducers

    @cached_property
    def _layout(self) -> RowLayout:
        return RowLayout.of(self.record.definition)

    @property
    def length(self) -> int:
        """In bytes; exact, and known without reading a row."""
        return len(self._head) + self._measure(self.record.root.sums) + len(self._tail)

    def chunks(self, offset: int) -> Iterator[tuple[int, Chunk]]:
        """(start, chunk) from the one that covers `offset` on: a block is one chunk.

        Reads one tree node per level to get there. Raises DamageError.
        """
        if offset < len(self._head):
            yield 0, Fixed(self._head)
        tree = self._repository.tree(self.record.root)
        group: list[LeafEntry] = []
        start = 0
        for before, entry in tree.seek(self._measure, max(0, offset - len(self._head))):
            if not group:
                start = len(self._head) + self._measure(before)
            group.append(entry)
            if entry.fragment == _WHOLE:
                yield start, Statement(self, entry)
                group = []
            elif entry.fragment == _LAST_FRAGMENT:
                row = self._large_row(group)
                for inner, chunk in row.chunks(max(0, offset - start)):
                    yield start + inner, chunk
                group = []
        if self._tail:
            yield self.length - len(self._tail), Fixed(self._tail)

    def statement(self, entry: LeafEntry) -> bytes:
        """The INSERT of a block that holds whole rows. Raises DamageError."""
        raw = self._repository.read_data(entry.id)
        return render_statement(raw, self._layout, self._prefix, self._suffix, entry.rendered_bytes)

    def statement_length(self, entry: LeafEntry) -> int:
        """Of that INSERT, in bytes; exact, and known without reading a row."""
        return self._framing + entry.rendered_bytes

    def _large_row(self, group: Sequence[LeafEntry]) -> LargeRow:
        """The row of these fragments; the last few are kept with what was found out of them."""
        ids = tuple(entry.id for entry in group)
        row = self._large_rows.get(ids)
        if row is None:
            frame = (self._prefix, self._suffix)
            row = LargeRow(self._repository.read_data, tuple(group), self._layout, frame)
            row = self._large_rows.setdefault(ids, row)
            while len(self._large_rows) > _KEPT_LARGE_ROWS:
                self._large_rows.pop(next(iter(self._large_rows)), None)
        return row

    def _measure(self, sums: Sums) -> int:
        """How long the statements of a subtree are."""
        return sums.statements * self._framing + sums.rendered_bytes


def _one_line(note: str) -> bytes:
    return " ".join(note.split()).encode()


@dataclass(frozen=True, slots=True)
class Statement:
    """One INSERT of a table's text: a block."""

    table: TableText
    entry: LeafEntry

    @property
    def identity(self) -> tuple[object, ...]:
        """The block, how its values read, and what stands around them."""
        return (self.table.rendering, self.entry.id)

    @property
    def length(self) -> int:
        """In bytes."""
        return self.table.statement_length(self.entry)

    @property
    def statement_length(self) -> int:
        """The same."""
        return self.length

    def text(self) -> bytes:
        """The bytes. Raises DamageError."""
        return self.table.statement(self.entry)


def row_groups(entries: Iterable[LeafEntry]) -> Iterator[list[LeafEntry]]:
    """Entries that together hold whole rows: one block, or all fragments of one row."""
    group: list[LeafEntry] = []
    for entry in entries:
        group.append(entry)
        if entry.fragment in (_WHOLE, _LAST_FRAGMENT):
            yield group
            group = []


def read_rows(repository: Repository, group: Sequence[LeafEntry]) -> bytes:
    """The bytes of the rows of one group. Raises DamageError."""
    if len(group) == 1:
        return repository.read_data(group[0].id)
    return b"".join(repository.read_data(entry.id) for entry in group)


def read_group(repository: Repository, group: Sequence[LeafEntry], column_count: int) -> RowBatch:
    """The rows of one group. Raises DamageError."""
    raw = read_rows(repository, group)
    return RowBatch(raw, kernel.row_ends(raw, column_count))
