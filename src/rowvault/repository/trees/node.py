"""Tree nodes: their entries, their bytes, and where they end (docs/format.md, "Trees").

node   version 1 | level 1 | count | entries
leaf   first_key | block id 32 | raw_bytes | row_count | rendered_bytes | fragment 1
inner  first_key | node id 32 | entries | statements | rows | raw_bytes | rendered_bytes

Counts and sizes are length-encoded integers, first_key a length-encoded string (codec.rows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from blake3 import blake3

from rowvault.codec.rows import encode_length, read_length
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BLOCK_ID_BYTES, BlockId
from rowvault.core.versions import reader_of

VERSION = 1
MAXIMUM_LEVEL = 63


class Sums(msgspec.Struct, frozen=True):
    """What a subtree holds, added up."""

    entries: int = 0
    """Leaf entries: blocks, a block that is there twice counted twice."""
    statements: int = 0
    """Leaf entries that begin a statement: whole rows, or the first fragment of a row."""
    rows: int = 0
    raw_bytes: int = 0
    rendered_bytes: int = 0
    """The blocks' renderings, without the framing of the statements around them."""

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.entries + other.entries,
            self.statements + other.statements,
            self.rows + other.rows,
            self.raw_bytes + other.raw_bytes,
            self.rendered_bytes + other.rendered_bytes,
        )


class LeafEntry(msgspec.Struct, frozen=True):
    """One block of a table."""

    first_key: bytes
    """See codec.chunker.RawBlock."""
    id: BlockId
    raw_bytes: int
    row_count: int
    rendered_bytes: int
    fragment: int
    """0 whole rows, 1 the first, 2 a middle, 3 the last fragment of one row."""

    @property
    def height(self) -> int:
        """0: below it stand rows."""
        return 0

    @property
    def sums(self) -> Sums:
        """This block alone."""
        starts = 1 if self.fragment <= 1 else 0
        return Sums(1, starts, self.row_count, self.raw_bytes, self.rendered_bytes)

    def encode(self) -> bytes:
        """The entry's bytes."""
        return b"".join(
            (
                encode_length(len(self.first_key)),
                self.first_key,
                self.id,
                encode_length(self.raw_bytes),
                encode_length(self.row_count),
                encode_length(self.rendered_bytes),
                bytes((self.fragment,)),
            )
        )


class InnerEntry(msgspec.Struct, frozen=True):
    """One node of the level below."""

    first_key: bytes
    """That of the first leaf entry below."""
    id: BlockId
    sums: Sums
    height: int
    """The node's level + 1."""

    def encode(self) -> bytes:
        """The entry's bytes."""
        sums = self.sums
        figures = (sums.entries, sums.statements, sums.rows, sums.raw_bytes, sums.rendered_bytes)
        parts = [encode_length(len(self.first_key)), self.first_key, self.id]
        return b"".join(parts + [encode_length(figure) for figure in figures])


Entry = LeafEntry | InnerEntry


@dataclass(frozen=True)
class Node:
    """A node as it is read."""

    level: int
    """0: its entries are leaf entries."""
    entries: tuple[Entry, ...]

    @cached_property
    def sums(self) -> Sums:
        """Of all entries."""
        total = Sums()
        for entry in self.entries:
            total += entry.sums
        return total


class NodeRule(msgspec.Struct, frozen=True):
    """Where nodes end, by the keys of their entries alone; sizes in entries.

    The hazard of a Weibull distribution with shape 4: an entry ends its node, if it is the n-th of
    it, with probability (n^4 - (n-1)^4) / scale^4. What decides is the entry's first key, so that
    an update of a block's content never moves a node's end.
    """

    minimum: int
    scale: int
    maximum: int
    key: bytes
    """32 bytes."""

    def ends(self, level: int, first_key: bytes, count: int) -> bool:
        """Whether the `count`-th entry of a node of this level is its last."""
        if count < self.minimum:
            return False
        if count >= self.maximum:
            return True
        digest = blake3(bytes((level,)) + first_key, key=self.key).digest(length=4)
        draw = int.from_bytes(digest, "little")
        return draw * self.scale**4 < (count**4 - (count - 1) ** 4) << 32


def encode_node(level: int, entries: Sequence[Entry]) -> bytes:
    """A node's bytes."""
    head = bytes((VERSION, level)) + encode_length(len(entries))
    return head + b"".join(entry.encode() for entry in entries)


def decode_node(data: bytes) -> Node:
    """The node.

    Raises CorruptError unless the bytes are exactly what `encode_node` makes, and
    UnsupportedFormatError where a later version made them.
    """
    if len(data) < 2:
        raise CorruptError(f"a tree node has {len(data)} bytes, too few")
    return reader_of(_READERS, data[0], "a tree node")(data)


def _decode_first(data: bytes) -> Node:
    """Of version 1."""
    level = data[1]
    if level > MAXIMUM_LEVEL:
        raise CorruptError(f"a tree node states level {level}")
    reader = _FieldReader(data, 2)
    count = reader.number()
    if level and not count:
        raise CorruptError("an inner tree node has no entries")
    read = reader.inner_entry if level else reader.leaf_entry
    if count > len(data):
        raise CorruptError(f"a tree node states {count} entries in {len(data)} bytes")
    node = Node(level, tuple(read(level) for _ in range(count)))
    if reader.position != len(data) or encode_node(level, node.entries) != data:
        raise CorruptError("a tree node is not in its canonical form")
    return node


_READERS: dict[int, Callable[[bytes], Node]] = {1: _decode_first}
"""Version -> its reader; a new version is put beside the others."""


class _FieldReader:
    """Reads the fields of a node one behind the other. Raises CorruptError at the end."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def number(self) -> int:
        value, self.position = read_length(self._data, self.position)
        return value

    def take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self._data):
            raise CorruptError("a tree node ends inside an entry")
        field = self._data[self.position : end]
        self.position = end
        return field

    def leaf_entry(self, level: int) -> LeafEntry:
        entry = LeafEntry(
            first_key=self.take(self.number()),
            id=BlockId(self.take(BLOCK_ID_BYTES)),
            raw_bytes=self.number(),
            row_count=self.number(),
            rendered_bytes=self.number(),
            fragment=self.take(1)[0],
        )
        if entry.fragment > 3:
            raise CorruptError(f"a tree entry states fragment {entry.fragment}")
        return entry

    def inner_entry(self, level: int) -> InnerEntry:
        return InnerEntry(
            first_key=self.take(self.number()),
            id=BlockId(self.take(BLOCK_ID_BYTES)),
            sums=Sums(*(self.number() for _ in range(5))),
            height=level,
        )
