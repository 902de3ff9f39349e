"""Which blocks snapshots refer to: one bit for each record of the index.

A snapshot's trees are walked once however many snapshots share them: a node that is marked was
walked. Memory: one bit per record, and the ids of the manifests' blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rowvault.codec.chunker import FIRST_FRAGMENT, LAST_FRAGMENT, WHOLE_ROWS
from rowvault.codec.frames import BlockType
from rowvault.core.ids import BlockId
from rowvault.repository.index.index import Segment
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.trees.manifest import TableRecord, decode_record, split_rows
from rowvault.repository.trees.node import InnerEntry, LeafEntry, decode_node
from rowvault.repository.trees.tree import TreeReader, TreeRoot

Reader = Callable[[BlockId], bytes]
Visitor = Callable[[BlockType, Sequence[BlockId]], Sequence[bool]]
"""Told of blocks of one type that a snapshot refers to; for each False: it was there before."""


class LiveMarks:
    """A few bits for each record of some index segments, which stay as they are meanwhile.

    A block is *referred to* by snapshots, or *built on* by frames that are live; both are live.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments
        self._search = IndexSearch(segments)
        self._starts = []
        total = 0
        for segment in segments:
            self._starts.append(total)
            total += len(segment)
        self._referred = _Bits(total)
        self._built_on = _Bits(total)
        self._shared = _Bits(total)
        self._moved = _Bits(total)

    def mark(self, kind: BlockType, ids: Sequence[BlockId]) -> list[tuple[bool, bool]]:
        """(listed, referred to before) of each; marks every record of the blocks as referred to."""
        found = []
        for numbers in self._numbers_of(kind, ids):
            before = [self._referred.set(number) for number in numbers]
            found.append((bool(before), any(before)))
        return found

    def mark_base(self, kind: BlockType, block_id: bytes) -> tuple[bool, bool]:
        """(built on before, live before); marks every record of a block as built on."""
        built_on = live = False
        for number in self._numbers(kind, block_id):
            live |= self._referred.get(number)
            if self._built_on.set(number):
                self._shared.set(number)
                built_on = True
        return built_on, built_on or live

    def is_marked(self, kind: BlockType, block_id: bytes) -> bool:
        """Whether the block is live."""
        return any(self._is_live(number) for number in self._numbers(kind, block_id))

    def is_referred(self, kind: BlockType, block_id: bytes) -> bool:
        """Whether a snapshot refers to the block."""
        return any(self._referred.get(number) for number in self._numbers(kind, block_id))

    def is_built_on(self, kind: BlockType, block_id: bytes) -> bool:
        """Whether a live frame builds on the block."""
        return any(self._built_on.get(number) for number in self._numbers(kind, block_id))

    def serves_one(self, kind: BlockType, block_id: bytes) -> bool:
        """Whether nothing but one frame needs the block."""
        numbers = self._numbers(kind, block_id)
        return bool(numbers) and not any(
            self._referred.get(number) or self._shared.get(number) for number in numbers
        )

    def unmark(self, kind: BlockType, block_id: bytes) -> None:
        """Nothing needs the block any more."""
        for number in self._numbers(kind, block_id):
            for bits in (self._referred, self._built_on, self._shared):
                bits.clear(number)

    def move(self, kind: BlockType, block_id: bytes) -> None:
        """The block is needed as before, but none of the frames that are listed of it."""
        for number in self._numbers(kind, block_id):
            self._moved.set(number)

    def records(self, segment_number: int) -> Iterator[tuple[bytes, bool]]:
        """(record, is live) of one segment, in order."""
        start = self._starts[segment_number]
        for number, record in enumerate(self.segments[segment_number].records(), start):
            yield record, self._is_live(number)

    def referred(self, *, or_shared: bool = False) -> Iterator[tuple[bytes, Segment]]:
        """(record, its segment) of all that snapshots refer to, or also several frames build on."""
        for start, segment in zip(self._starts, self.segments, strict=True):
            for number, record in enumerate(segment.records(), start):
                if self._moved.get(number):
                    continue
                if self._referred.get(number) or (or_shared and self._shared.get(number)):
                    yield record, segment

    def _is_live(self, number: int) -> bool:
        is_needed = self._referred.get(number) or self._built_on.get(number)
        return is_needed and not self._moved.get(number)

    def _numbers(self, kind: BlockType, block_id: bytes) -> Sequence[int]:
        (numbers,) = self._numbers_of(kind, (block_id,))
        return numbers

    def _numbers_of(self, kind: BlockType, ids: Sequence[bytes]) -> Iterator[Sequence[int]]:
        """Of each block, its records counted through all segments."""
        ends, parts, numbers = self._search.numbers(kind, ids)
        places = [self._starts[part] + number for part, number in zip(parts, numbers, strict=True)]
        start = 0
        for end in ends:
            yield places[start:end]
            start = end


class _Bits:
    """So many bits, all clear at first."""

    def __init__(self, count: int) -> None:
        self._bytes = bytearray(count // 8 + 1)

    def get(self, number: int) -> bool:
        return bool(self._bytes[number >> 3] >> (number & 7) & 1)

    def set(self, number: int) -> bool:
        """Whether it was set before."""
        before = self.get(number)
        self._bytes[number >> 3] |= 1 << (number & 7)
        return before

    def clear(self, number: int) -> None:
        self._bytes[number >> 3] &= ~(1 << (number & 7)) & 0xFF


class SnapshotWalk:
    """Shows all blocks of snapshots to a visitor. Raises DamageError where a node is unreadable."""

    def __init__(self, read_data: Reader, read_node: Reader) -> None:
        self._read_data = read_data
        self._read_node = read_node
        self._manifest_blocks: set[BlockId] = set()
        """Their tables were walked. Marks do not tell: a table may hold the same rows."""
        self._manifest_nodes: set[BlockId] = set()

    def walk(self, snapshot: Snapshot, visit: Visitor) -> None:
        """Everything that one snapshot refers to, but what was walked before."""
        parts: list[bytes] = []
        for entry in self._manifest_leaves(snapshot.manifest, visit):
            visit(BlockType.DATA, [entry.id])
            if entry.fragment == WHOLE_ROWS:
                if entry.id in self._manifest_blocks:
                    continue
                self._manifest_blocks.add(entry.id)
            if entry.fragment <= FIRST_FRAGMENT:
                parts = []
            parts.append(self._read_data(entry.id))
            if entry.fragment in (WHOLE_ROWS, LAST_FRAGMENT):
                self._walk_tables(b"".join(parts), visit)

    def _manifest_leaves(self, root: TreeRoot, visit: Visitor) -> Iterator[LeafEntry]:
        reader = TreeReader(self._read_node, root)
        waiting = [reader.root_entry]
        while waiting:
            entry = waiting.pop()
            visit(BlockType.NODE, [entry.id])
            if entry.id in self._manifest_nodes:
                continue
            children = reader.children(entry)
            leaves = [child for child in children if isinstance(child, LeafEntry)]
            if leaves and all(leaf.fragment == WHOLE_ROWS for leaf in leaves):
                self._manifest_nodes.add(entry.id)  # else a row of it may end in another node
            yield from leaves
            waiting += [child for child in reversed(children) if isinstance(child, InnerEntry)]

    def _walk_tables(self, raw: bytes, visit: Visitor) -> None:
        for row in split_rows(raw):
            record = decode_record(row)
            if isinstance(record, TableRecord):
                self._walk_tree(record.root.id, visit)

    def _walk_tree(self, root: BlockId, visit: Visitor) -> None:
        """Told of all children of a node at once, of which there are dozens."""
        waiting = _new([root], visit(BlockType.NODE, [root]))
        while waiting:
            entries = decode_node(self._read_node(waiting.pop())).entries
            blocks = [entry.id for entry in entries if isinstance(entry, LeafEntry)]
            nodes = [entry.id for entry in entries if not isinstance(entry, LeafEntry)]
            visit(BlockType.DATA, blocks)
            waiting += _new(nodes, visit(BlockType.NODE, nodes))


def _new(ids: Sequence[BlockId], are_new: Sequence[bool]) -> list[BlockId]:
    return [one for one, is_new in zip(ids, are_new, strict=True) if is_new]
