"""What the parent snapshot had where a block stands: the base of its delta, if it changed.

A block's counterpart is the parent's block with the same first key, compared for equality alone,
so that the order of keys never matters. Where rows came or went a cut may have moved, and no first
key is the same until cuts meet again: from the last equal one on, bytes are counted on both sides.
A block that reaches across a cut of the parent has two counterparts.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from rowvault.codec.frames import BASE_BYTES, MOST_BASES
from rowvault.core.errors import DamageError, StorageError, UnsupportedFormatError
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository.trees.manifest import Manifest, TableRecord
from rowvault.repository.trees.tree import TreeReader, TreeRoot

MOST_BLOCKS = 1 << 21
"""Of a table whose counterparts are looked for, about 240 GB: 40 bytes of memory for each."""

_MOST_STEPS = 9
"""Cuts meet again within so many blocks at the 99th percentile."""

_LEAST_OVERLAP = 64
"""A counterpart holds at least so small a part of the block, in bytes; less may be a new row."""

_HASH_BITS = 32
_HASH_MASK = (1 << _HASH_BITS) - 1


class ParentTree:
    """The blocks of one tree by their first keys, in memory. Read only after it was made."""

    def __init__(self, reader: TreeReader) -> None:
        """Reads all leaves. Raises DamageError, StorageError."""
        self._ids = bytearray()
        count = reader.root.sums.entries
        self._mask = (1 << max(3, (2 * count).bit_length())) - 1
        self._slots = array("Q", bytes(8 * (self._mask + 1)))
        self._ends = array("Q")
        end = 0
        for ordinal, entry in enumerate(reader.entries()):
            end += entry.raw_bytes
            self._ends.append(end)
            self._ids += entry.id[:BASE_BYTES]
            self._put(entry.first_key, ordinal)

    def start(self, ordinal: int) -> int:
        """How many raw bytes stand before the n-th block."""
        return self._ends[ordinal - 1] if ordinal else 0

    def overlapping(self, start: int, length: int) -> list[bytes]:
        """Halves of the ids of at most two blocks that hold most of these bytes, the most first."""
        found: list[tuple[int, bytes]] = []
        ordinal = bisect_right(self._ends, start)
        while ordinal < len(self._ends) and self.start(ordinal) < start + length:
            shared = min(self._ends[ordinal], start + length) - max(self.start(ordinal), start)
            if shared * _LEAST_OVERLAP >= length:
                at = ordinal * BASE_BYTES
                found.append((shared, bytes(self._ids[at : at + BASE_BYTES])))
            ordinal += 1
        found.sort(key=lambda ranked: -ranked[0])
        return [block for _, block in found[:MOST_BASES]]

    def find(self, first_key: bytes) -> int | None:
        """Which block has this first key; a wrong answer, which does no harm, is one in 2^32."""
        hashed = hash(first_key)
        tag = (hashed >> _HASH_BITS) & _HASH_MASK
        at = hashed & self._mask
        while slot := self._slots[at]:
            if slot >> _HASH_BITS == tag:
                return (slot & _HASH_MASK) - 1
            at = (at + 1) & self._mask
        return None

    def _put(self, first_key: bytes, ordinal: int) -> None:
        hashed = hash(first_key)
        tag = (hashed >> _HASH_BITS) & _HASH_MASK
        at = hashed & self._mask
        while slot := self._slots[at]:
            if slot >> _HASH_BITS == tag:
                return  # fragments of one row have one key: the first of them counts
            at = (at + 1) & self._mask
        self._slots[at] = tag << _HASH_BITS | ordinal + 1


class ParentTable:
    """The parent's state of one table, read when it is first asked for. Used from any thread."""

    def __init__(self, open_tree: Callable[[], TreeReader | None], monitor: Monitor) -> None:
        self._open_tree = open_tree
        self._monitor = monitor
        self._lock = threading.Lock()
        self._is_read = False
        self._tree: ParentTree | None = None

    @property
    def tree(self) -> ParentTree | None:
        """None where there is none, or it is too large, or cannot be read."""
        with self._lock:
            if not self._is_read:
                self._is_read = True
                self._tree = self._read()
        return self._tree

    def walk(self) -> ParentWalk:
        """A way along it, for one thread."""
        return ParentWalk(self)

    def close(self) -> None:
        """Lets go of what was read; nothing is found from now on."""
        with self._lock:
            self._is_read = True
            self._tree = None

    def _read(self) -> ParentTree | None:
        try:
            reader = self._open_tree()
            if reader is None or not 0 < reader.root.sums.entries <= MOST_BLOCKS:
                return None
            return ParentTree(reader)
        except (DamageError, StorageError, UnsupportedFormatError) as error:
            self._monitor.warning(
                f"the earlier state of a table cannot be read ({error}), so what has changed of it "
                "is stored whole. `rowvault check` names what is damaged."
            )
            return None


class ParentWalk:
    """Follows the blocks of a table in their order. Used by one thread at a time."""

    def __init__(self, table: ParentTable) -> None:
        self._table = table
        self._key: bytes | None = None
        self._length = 0
        self._before: bytes | None = None
        self._length_before = 0
        self._start: int | None = None
        """Where in the parent's bytes the last settled block begins."""
        self._found: list[bytes] = []
        self._steps = 0
        self._is_settled = self._was_settled = False
        """`_start` is that of the last step, or of the one before."""

    def step(self, first_key: bytes, length: int) -> None:
        """The next block of the table has this first key and so many raw bytes.

        It costs nothing until `blocks` is asked. Fragments of one row have one first key.
        """
        self._before, self._key = self._key, first_key
        self._length_before, self._length = self._length, length
        self._was_settled, self._is_settled = self._is_settled, False

    def blocks(self) -> list[bytes]:
        """Half of the ids of the block's counterparts, at most two, that with most of it first."""
        tree = self._table.tree
        if tree is None or self._key is None:
            return []
        if not self._is_settled:
            self._start = self._find(tree, self._key)
            self._is_settled = True
            self._found = [] if self._start is None else tree.overlapping(self._start, self._length)
        return self._found

    def _find(self, tree: ParentTree, key: bytes) -> int | None:
        is_fragment = key == self._before
        found = None if is_fragment else tree.find(key)
        if found is not None:
            self._steps = 0
            return tree.start(found)
        before = self._start
        if not self._was_settled:
            found = None if self._before is None else tree.find(self._before)
            before = None if found is None else tree.start(found)
            self._steps = 0
        if before is None or self._steps == _MOST_STEPS:
            return None
        self._steps += not is_fragment
        return before + self._length_before


class ParentTables:
    """The tables of the parent snapshot. Used by one thread; what it hands out, by any."""

    def __init__(
        self, manifest: Manifest, open_tree: Callable[[TreeRoot], TreeReader], monitor: Monitor
    ) -> None:
        self._manifest = manifest
        self._open_tree = open_tree
        self._monitor = monitor
        self._lock = threading.Lock()
        self._strays: dict[tuple[object, ...], list[TreeRoot]] | None = None

    def match(self, definitions: Iterable[TableDefinition]) -> Iterator[ParentTable]:
        """For each table, in order, what it was: of the same name, else renamed.

        A table of a new name is taken for one whose name is gone and whose columns are the same.
        """
        tables = list(definitions)
        names = {(one.database, one.name) for one in tables}
        for definition in tables:
            yield ParentTable(self._opener(definition, names), self._monitor)

    def _opener(
        self, definition: TableDefinition, names: set[tuple[str, str]]
    ) -> Callable[[], TreeReader | None]:
        def open_tree() -> TreeReader | None:
            record = self._manifest.table(definition.database, definition.name)
            root = self._stray(definition, names) if record is None else record.root
            return None if root is None else self._open_tree(root)

        return open_tree

    def _stray(self, definition: TableDefinition, names: set[tuple[str, str]]) -> TreeRoot | None:
        with self._lock:
            if self._strays is None:
                self._strays = _strays(self._manifest.tables(), names)
            roots = self._strays.get(_shape(definition))
            return roots.pop(0) if roots else None


def _strays(
    records: Iterable[TableRecord], names: set[tuple[str, str]]
) -> dict[tuple[object, ...], list[TreeRoot]]:
    found: dict[tuple[object, ...], list[TreeRoot]] = {}
    for record in records:
        one = record.definition
        if (one.database, one.name) not in names:
            found.setdefault(_shape(one), []).append(record.root)
    return found


def _shape(definition: TableDefinition) -> tuple[object, ...]:
    return (definition.columns, definition.key)
