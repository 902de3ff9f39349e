"""A table's rows as INSERT statements, one for each block, with the length known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import RENDERERS
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import CorruptError, RowvaultError
from rowvault.core.ids import BlockId
from rowvault.core.versions import reader_of
from rowvault.render.document import Chunk, Fixed
from rowvault.render.large_row import LargeRowText
from rowvault.repository import LeafEntry, Repository, Sums, TableRecord
from rowvault.sqltext.mysql.auto_increment import loadable
from rowvault.sqltext.script import Script

Renderer = Callable[[bytes, RowLayout, bytes, bytes, int], bytes]
"""(raw, layout, prefix, suffix, rendered bytes) -> a statement; see codec.rendering."""

_WHOLE = 0
_LAST_FRAGMENT = 3
_KEPT_LARGE_ROWS = 16


@dataclass(frozen=True, slots=True)
class StatementForm:
    """All that decides, besides a block's rows, what its INSERT reads."""

    layout: RowLayout
    prefix: bytes
    suffix: bytes
    renderer: Renderer
    """That of the version in which `rendered_bytes` are counted."""

    def render(self, raw: bytes, rendered_bytes: int) -> bytes:
        """The INSERT of whole rows, whose tuples take so many bytes. Raises CorruptError."""
        return self.renderer(raw, self.layout, self.prefix, self.suffix, rendered_bytes)

    def length(self, rendered_bytes: int) -> int:
        """Of the INSERT, in bytes."""
        return len(self.prefix) + rendered_bytes + len(self.suffix)

    def render_blocks(
        self, repository: Repository, blocks: Sequence[tuple[BlockId, int]]
    ) -> Iterator[bytes | RowvaultError]:
        """Of each (block, its rendered bytes) in turn the INSERT, or why there is none."""
        found = repository.read_data_near([block_id for block_id, _ in blocks])
        for (_, rendered_bytes), raw in zip(blocks, found, strict=True):
            if isinstance(raw, RowvaultError):
                yield raw
                continue
            try:
                text: bytes | RowvaultError = self.render(raw, rendered_bytes)
            except CorruptError as error:
                text = error
            yield text


class TableText:
    """The text of one table: its definition, its rows, its end."""

    def __init__(self, repository: Repository, record: TableRecord, script: Script) -> None:
        """Raises UnsupportedFormatError where the lengths are those of an unknown renderer."""
        what = f"the renderer that measured {record.definition.label}"
        renderer = reader_of(RENDERERS, record.renderer, what)
        self._repository = repository
        self.record = record
        definition = loadable(record.definition, record.root.sums.rows)
        remarks = b"".join(b"-- " + _one_line(note) + b"\n" for note in record.notes)
        self._head = remarks + script.pre_data(definition)
        self.form = StatementForm(
            RowLayout.of(record.definition),
            script.insert_prefix(record.definition),
            script.insert_suffix(),
            renderer,
        )
        self._tail = script.post_data(record.definition)
        self._framing = len(self.form.prefix) + len(self.form.suffix)
        self._large_rows: dict[tuple[BlockId, ...], LargeRowText] = {}

    @cached_property
    def rendering(self) -> tuple[object, ...]:
        """The form as a key for caches."""
        form, layout = self.form, self.form.layout
        return form.renderer, form.prefix, form.suffix, layout.kinds, layout.introducers

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
        return self.form.render(self._repository.read_data(entry.id), entry.rendered_bytes)

    def statements(self, entries: Sequence[LeafEntry]) -> Iterator[bytes | RowvaultError]:
        """Of each block in turn what `statement` gives or raises; quicker for neighbours."""
        blocks = [(entry.id, entry.rendered_bytes) for entry in entries]
        return self.form.render_blocks(self._repository, blocks)

    def statement_length(self, entry: LeafEntry) -> int:
        """Of that INSERT, in bytes; exact, and known without reading a row."""
        return self._framing + entry.rendered_bytes

    def _large_row(self, group: Sequence[LeafEntry]) -> LargeRowText:
        """The row of these fragments; the last few are kept with what was found out of them."""
        ids = tuple(entry.id for entry in group)
        row = self._large_rows.get(ids)
        if row is None:
            frame = (self.form.prefix, self.form.suffix)
            row = LargeRowText(self._repository.read_data, tuple(group), self.form.layout, frame)
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


@dataclass(frozen=True)
class Group:
    """Statements of one table that follow one another, as one chunk: quicker to make."""

    chunks: tuple[Statement, ...]

    @property
    def table(self) -> TableText:
        """That of all of them."""
        return self.chunks[0].table

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """The blocks, how their values read, and what stands around them."""
        return (self.table.rendering, *(chunk.entry.id for chunk in self.chunks))

    @cached_property
    def length(self) -> int:
        """In bytes."""
        return sum(chunk.length for chunk in self.chunks)

    def text(self) -> bytes:
        """The bytes. Raises DamageError."""
        return b"".join(self.statements())

    def statements(self) -> Iterator[bytes]:
        """The bytes of each statement. Raises DamageError behind those before it."""
        for text in self.table.statements([chunk.entry for chunk in self.chunks]):
            if isinstance(text, RowvaultError):
                raise text
            yield text


def grouped(chunks: Iterable[Chunk], most_bytes: int) -> Iterator[Chunk]:
    """The same text in fewer chunks: statements of one table in groups of at most so many bytes.

    One that is longer is a group by itself.
    """
    gathered: list[Statement] = []
    length = 0
    for chunk in chunks:
        statement = chunk if isinstance(chunk, Statement) else None
        if gathered and (
            statement is None
            or statement.table is not gathered[0].table
            or length + statement.length > most_bytes
        ):
            yield Group(tuple(gathered))
            gathered, length = [], 0
        if statement is None:
            yield chunk
        else:
            gathered.append(statement)
            length += statement.length
    if gathered:
        yield Group(tuple(gathered))


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
