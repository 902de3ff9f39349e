"""The rows of a live table, read again where its blocks are not those of a snapshot."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from rowvault.codec import kernel
from rowvault.codec.chunker import LAST_FRAGMENT, WHOLE_ROWS, Cutter, RawBlock
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.repository import LeafEntry, Repository, TreeReader
from rowvault.source.protocol import RowRange, RowReader


class RowsMovedError(SourceError):
    """The table holds other rows than when its tree was made; it has no transactions."""


class LiveRows:
    """One side of a comparison. Blocks were hashed and not kept, so the table is cut once more."""

    def __init__(
        self, repository: Repository, table: TableDefinition, reader: RowReader, tree: TreeReader
    ) -> None:
        """`tree`: as a scan in the same moment made it."""
        self.tree = tree
        self._repository = repository
        self._table = table
        self._layout = RowLayout.of(table)
        self._reader = reader
        self._blocks = self._cut()

    def read(self, entries: Sequence[LeafEntry]) -> Iterable[RowBatch]:
        """The rows of these blocks. Raises SourceError, RowsMovedError."""
        for entry in entries:
            raw = self._find(entry).raw
            yield RowBatch(raw, kernel.row_ends(raw, self._layout.column_count))

    def read_large(self, keys: set[bytes]) -> Iterable[RowBatch]:
        """Every large row of these keys. Raises SourceError."""
        self.close()
        pieces: list[bytes] = []
        for block in self._cut():
            if block.fragment == WHOLE_ROWS or block.first_key not in keys:
                continue
            pieces.append(block.raw)
            if block.fragment == LAST_FRAGMENT:
                row = b"".join(pieces)
                pieces = []
                yield RowBatch(row, array("I", [len(row)]))

    def close(self) -> None:
        """Reads to the end: a reader whose read is cut short serves no other."""
        for _ in self._blocks:
            pass

    def _find(self, entry: LeafEntry) -> RawBlock:
        for block in self._blocks:
            if (block.first_key, len(block.raw)) == (entry.first_key, entry.raw_bytes) and (
                self._repository.data_id(block.raw) == entry.id
            ):
                return block
        raise RowsMovedError(f"{self._table.label} was changed while it was compared")

    def _cut(self) -> Iterator[RawBlock]:
        cutter = Cutter(self._layout, self._repository.cut_rule)
        for batch in self._reader.read(self._table, RowRange()):
            yield from cutter.feed(batch)
        yield from cutter.finish()
