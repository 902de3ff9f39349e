"""One table on its way from row-chunks to a tree.

Blocks are a pure function of the table's rows and the repository's secret, although several
workers read the table in row-chunks. Each row-chunk but the first begins to cut without knowing
the cuts in front of it. So the cutter that comes in from the row-chunk before is fed the first
rows of the next one, until both cut at the same row: from there on their cuts are the same, and
what the next one had cut before that row is discarded. Those first blocks, the head, wait in
memory until then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from rowvault.codec import kernel
from rowvault.codec.chunker import Cutter, RawBlock
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.repository import LeafEntry, NodeRule, ParentTable, ParentWalk, TreeRoot, TreeWriter
from rowvault.scan.sink import BlockSink
from rowvault.source.protocol import RowRange, RowReader

HEAD_BLOCKS = 16
"""Cuts meet after 2.6 blocks on average and 9 at the 99th percentile; sixteen nearly always do."""

HEAD_BYTES = 4 << 20
"""Bounds the head where rows are large; a row beyond the largest block forces a common cut."""

_SUM_MODULUS = 1 << 256
_WHOLE = 0
_FIRST = 1


class ScannedTable(msgspec.Struct, frozen=True):
    """A table as a tree."""

    definition: TableDefinition
    root: TreeRoot
    row_sum: bytes
    """32 bytes, little-endian: the sum of the keyed row hashes modulo 2^256."""


class _RowChunk(msgspec.Struct):
    """What one worker made of one row-chunk."""

    cutter: Cutter
    walk: ParentWalk | None
    head: list[RawBlock] = msgspec.field(default_factory=list)
    head_bytes: int = 0
    entries: list[LeafEntry] = msgspec.field(default_factory=list)
    row_sum: int = 0

    def takes_into_head(self, block: RawBlock) -> bool:
        """The head is open; it never ends between the fragments of a row."""
        if self.entries:
            return False
        if block.fragment > _FIRST:
            return True
        return len(self.head) < HEAD_BLOCKS and self.head_bytes < HEAD_BYTES


class TableScan:
    """Joins the row-chunks of one table, read by any number of workers in any order."""

    def __init__(
        self,
        definition: TableDefinition,
        sink: BlockSink,
        cut_rule: CutRule,
        node_rule: NodeRule,
        parent: ParentTable | None = None,
    ) -> None:
        """`parent`: what the table was, for blocks that changed."""
        self.definition = definition
        self._parent = parent
        self._layout = RowLayout.of(definition)
        self._cut_rule = cut_rule
        self._sink = sink
        self._node_rule = node_rule
        self._tree = TreeWriter(sink.put_node, node_rule)
        self._row_sum = 0
        self._lock = threading.Lock()
        self._ranges: list[RowRange] = []
        self._is_closed = False
        self._counted_rows: int | None = None
        self._is_short = False
        self._waiting: dict[int, _RowChunk] = {}
        self._next = 0
        self._chain = Cutter(self._layout, cut_rule)
        self._walk = self._new_walk()
        self.result: ScannedTable | None = None
        """Set when the last row-chunk has been joined."""

    def add(self, rows: RowRange) -> int:
        """Takes the row-chunk that follows the last one; its index."""
        with self._lock:
            self._ranges.append(rows)
            return len(self._ranges) - 1

    def close(self, counted_rows: int | None = None) -> None:
        """No row-chunk follows any more; `counted_rows` is None where each proves itself."""
        with self._lock:
            self._is_closed = True
            self._counted_rows = counted_rows
            self._finish_if_whole()

    def begins_again(self) -> bool:
        """Whether all row-chunks are read and hold other than the counted rows.

        The first caller alone is told so, and all rows are forgotten: the whole table is row-chunk
        0, which that one has to run.
        """
        with self._lock:
            if not self._is_short:
                return False
            self._is_short = False
            self._tree = TreeWriter(self._sink.put_node, self._node_rule)
            self._row_sum = 0
            self._ranges = [RowRange()]
            self._next = 0
            self._chain = Cutter(self._layout, self._cut_rule)
            self._walk = self._new_walk()
            return True

    def run(self, index: int, reader: RowReader, advance: Callable[[int, int], None]) -> None:
        """Reads row-chunk `index` to its end; `advance` hears of rows and raw bytes.

        `begins_again` must be asked behind it. Raises what the reader and the sink raise, and
        SourceError where the rows of the whole table are not as many as were counted; the scan is
        then of no further use.
        """
        chunk = _RowChunk(Cutter(self._layout, self._cut_rule), self._new_walk())
        for batch in reader.read(self.definition, self._ranges[index]):
            if index == 0:
                # Nothing comes before the first row-chunk: its cuts are final, so a table that
                # has only this one is never held as a list.
                self._store(self._chain.feed(batch))
            else:
                for block in chunk.cutter.feed(batch):
                    self._hold(chunk, block)
            advance(len(batch.ends), len(batch.rows))
        with self._lock:
            self._waiting[index] = chunk
            self._join_all(reader)

    def _hold(self, chunk: _RowChunk, block: RawBlock) -> None:
        if chunk.takes_into_head(block):
            chunk.head.append(block)
            chunk.head_bytes += len(block.raw)
        else:
            chunk.entries.append(self._put(block, chunk.walk))
            chunk.row_sum += int.from_bytes(block.row_sum, "little")

    def _join_all(self, reader: RowReader) -> None:
        while self._next in self._waiting:
            chunk = self._waiting.pop(self._next)
            if self._next > 0:
                self._join(chunk, self._ranges[self._next], reader)
            self._next += 1
        self._finish_if_whole()

    def _finish_if_whole(self) -> None:
        if not self._is_closed or self._next < len(self._ranges):
            return
        self._store(self._chain.finish())
        root = self._tree.finish()
        if self._counted_rows not in (None, root.sums.rows):
            if self._ranges != [RowRange()]:
                self._is_short = True
                return
            raise SourceError(
                f"{self.definition.label} was read whole by one connection, which gave "
                f"{root.sums.rows} rows where {self._counted_rows} are counted in the same moment: "
                "its indexes disagree. Look at it with CHECK TABLE."
            )
        row_sum = (self._row_sum % _SUM_MODULUS).to_bytes(32, "little")
        self.result = ScannedTable(self.definition, root, row_sum)
        if self._parent is not None:
            self._parent.close()

    def _join(self, chunk: _RowChunk, rows: RowRange, reader: RowReader) -> None:
        position = 0
        while position < len(chunk.head):
            if self._chain.pending_rows == 0:
                break
            count, batch = self._whole_rows(chunk.head, position)
            self._store(self._chain.feed(batch))
            position += count
        if self._chain.pending_rows == 0:
            self._adopt(chunk, position)
        elif chunk.entries:
            # No common cut in the head, which is rare: the rows behind it are stored already, in
            # blocks that nothing will refer to, and have to be read again.
            known = sum(block.row_count for block in chunk.head)
            for batch in _behind(known, reader.read(self.definition, rows)):
                self._store(self._chain.feed(batch))
        else:
            for rest in chunk.cutter.finish():
                self._store(self._chain.feed(self._whole_rows([rest], 0)[1]))

    def _adopt(self, chunk: _RowChunk, position: int) -> None:
        """From here on the row-chunk's own cuts are the table's."""
        self._store(chunk.head[position:])
        for entry in chunk.entries:
            self._tree.add(entry)
        self._row_sum += chunk.row_sum
        self._chain = chunk.cutter
        self._walk = chunk.walk

    def _store(self, blocks: Iterable[RawBlock]) -> None:
        for block in blocks:
            self._tree.add(self._put(block, self._walk))
            self._row_sum += int.from_bytes(block.row_sum, "little")

    def _put(self, block: RawBlock, walk: ParentWalk | None) -> LeafEntry:
        if walk is not None:
            walk.step(block.first_key, len(block.raw))
        columns = 0 if block.fragment else self._layout.column_count
        base = None if walk is None else walk.blocks
        return LeafEntry(
            first_key=block.first_key,
            id=self._sink.put_data(block.raw, columns, base),
            raw_bytes=len(block.raw),
            row_count=block.row_count,
            rendered_bytes=block.rendered_bytes,
            fragment=block.fragment,
        )

    def _new_walk(self) -> ParentWalk | None:
        return None if self._parent is None else self._parent.walk()

    def _whole_rows(self, blocks: Sequence[RawBlock], position: int) -> tuple[int, RowBatch]:
        """(number of blocks, their rows): one block, or all the fragments of one row."""
        count = 1
        if blocks[position].fragment != _WHOLE:
            while position + count < len(blocks) and blocks[position + count].fragment > _FIRST:
                count += 1
        raw = b"".join(block.raw for block in blocks[position : position + count])
        return count, RowBatch(raw, kernel.row_ends(raw, self._layout.column_count))


def _behind(row_count: int, batches: Iterator[RowBatch]) -> Iterator[RowBatch]:
    """The rows behind the first `row_count`."""
    for batch in batches:
        if row_count >= len(batch.ends):
            row_count -= len(batch.ends)
        elif row_count:
            start = batch.ends[row_count - 1]
            ends = batch.ends[row_count:]
            yield RowBatch(batch.rows[start:], type(ends)("I", [end - start for end in ends]))
            row_count = 0
        else:
            yield batch
