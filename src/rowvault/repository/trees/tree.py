"""Trees: the content-addressed index of one table's blocks, written and read as streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from rowvault.core.errors import CorruptError
from rowvault.core.ids import BLOCK_ID_BYTES, BlockId
from rowvault.repository.trees.node import (
    MAXIMUM_LEVEL,
    Entry,
    InnerEntry,
    LeafEntry,
    Node,
    NodeRule,
    Sums,
    decode_node,
    encode_node,
)
from rowvault.repository.trees.node_cache import NodeCache

Measure = Callable[[Sums], int]
"""What is counted along a tree: rows, rendered bytes with their framing, ... Never falls."""

VERBATIM = 0x01
"""First byte of a first_key that holds the key's own bytes."""


class TreeRoot(msgspec.Struct, frozen=True):
    """Where a tree starts. Two tables hold the same row sequence if their root ids are equal."""

    id: BlockId
    level: int
    """0: the root is the only node."""
    sums: Sums

    def __post_init__(self) -> None:
        if len(self.id) != BLOCK_ID_BYTES or not 0 <= self.level <= MAXIMUM_LEVEL:
            raise CorruptError("a tree's root is not well-formed")


class TreeWriter:
    """Makes a tree of leaf entries in order; holds one unfinished node per level.

    The same entries give the same tree, whoever writes it. Used by one thread at a time.
    """

    def __init__(self, put_node: Callable[[bytes], BlockId], rule: NodeRule) -> None:
        self._put_node = put_node
        self._rule = rule
        self._open: list[list[Entry]] = [[]]
        self._closed: list[int] = [0]

    def add(self, entry: LeafEntry) -> None:
        """Appends the next block."""
        self._lift(0, entry)

    def finish(self) -> TreeRoot:
        """Writes what is open; the root is the node of the lowest level that has only one."""
        for level in range(MAXIMUM_LEVEL + 1):
            entries = self._open[level]
            if self._closed[level] == 0:
                entry = self._close(level)
                return TreeRoot(entry.id, level, entry.sums)
            if self._closed[level] == 1 and not entries:
                only = self._open[level + 1][0]
                return TreeRoot(only.id, level, only.sums)
            if entries:
                self._lift(level + 1, self._close(level))
        raise AssertionError("a tree of more levels than there can be blocks")

    def _lift(self, level: int, entry: Entry) -> None:
        """Appends to a level; the entry of a node that ends with it goes one level up."""
        if level == len(self._open):
            self._open.append([])
            self._closed.append(0)
        self._open[level].append(entry)
        if self._rule.ends(level, entry.first_key, len(self._open[level])):
            self._lift(level + 1, self._close(level))

    def _close(self, level: int) -> InnerEntry:
        entries = self._open[level]
        self._open[level] = []
        self._closed[level] += 1
        first_key = entries[0].first_key if entries else b""
        node_id = self._put_node(encode_node(level, entries))
        return InnerEntry(first_key, node_id, Node(level, tuple(entries)).sums, level + 1)


class TreeReader:
    """Walks a tree; a node is read when the walk gets there, and never one beside the way."""

    def __init__(
        self,
        read_node: Callable[[BlockId], bytes],
        root: TreeRoot,
        kept: NodeCache | None = None,
    ) -> None:
        """`read_node` gives verified bytes, or raises DamageError; `kept` may serve many trees."""
        self._read_node = read_node
        self._kept = kept
        self.root = root

    @property
    def root_entry(self) -> InnerEntry:
        """The root as an entry of a level above it."""
        return InnerEntry(b"", self.root.id, self.root.sums, self.root.level + 1)

    def children(self, entry: InnerEntry) -> tuple[Entry, ...]:
        """The entries of the node below. Raises DamageError, also where sums do not agree."""
        node = None if self._kept is None else self._kept.get(entry.id)
        if node is None:
            node = decode_node(self._read_node(entry.id))
            if self._kept is not None:
                self._kept.keep(entry.id, node)
        if node.level != entry.height - 1 or node.sums != entry.sums:
            raise CorruptError(
                f"the tree node {entry.id.hex()} is not the one that its parent describes"
            )
        return node.entries

    def entries(self) -> Iterator[LeafEntry]:
        """All leaf entries in order."""
        return self._leaves(self.root_entry)

    def seek(self, measure: Measure, target: int) -> Iterator[tuple[Sums, LeafEntry]]:
        """Leaf entries from the one in which the measure passes `target`, to the end.

        With each, the sums of all entries before it. Nothing where the tree ends earlier. Reads
        one node per level to get there.
        """
        return self._seek(self.root_entry, Sums(), measure, target)

    def covering(self, low: bytes, high: bytes) -> Iterator[LeafEntry]:
        """Leaf entries that may hold rows with key bytes in [low, high], in order.

        For trees whose rows are unique and in the byte order of their keys. First keys that are
        hashes decide nothing, so their blocks come too.
        """
        return self._covering(self.root_entry, low, high, None)

    def _leaves(self, entry: InnerEntry) -> Iterator[LeafEntry]:
        for child in self.children(entry):
            if isinstance(child, LeafEntry):
                yield child
            else:
                yield from self._leaves(child)

    def _seek(
        self, entry: InnerEntry, before: Sums, measure: Measure, target: int
    ) -> Iterator[tuple[Sums, LeafEntry]]:
        for child in self.children(entry):
            after = before + child.sums
            if measure(after) > target:
                if isinstance(child, LeafEntry):
                    yield before, child
                else:
                    yield from self._seek(child, before, measure, target)
            before = after

    def _covering(
        self, entry: InnerEntry, low: bytes, high: bytes, following: bytes | None
    ) -> Iterator[LeafEntry]:
        """`following`: the first key behind this subtree, where it is known."""
        children = self.children(entry)
        for index, child in enumerate(children):
            first = _verbatim(child.first_key)
            if first is not None and first > high:
                return
            behind = following
            if index + 1 < len(children):
                behind = _verbatim(children[index + 1].first_key)
            if behind is not None and behind < low:
                continue
            if isinstance(child, InnerEntry):
                yield from self._covering(child, low, high, behind)
            elif behind != low or first == low:  # fragments of one row share its key
                yield child


def _verbatim(first_key: bytes) -> bytes | None:
    """The key's own bytes, where the entry holds them."""
    return first_key[1:] if first_key[:1] == bytes((VERBATIM,)) else None
