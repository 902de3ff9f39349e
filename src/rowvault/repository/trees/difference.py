"""Where two trees differ: a walk that skips equal subtrees without reading them.

Entries of equal height are aligned in a sliding window by their ids; what stays between two common
ids is opened and aligned one level further down. So an insertion of any size is stepped over at the
level where it is only a few entries, and memory is a window per level.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from rowvault.repository.trees.node import Entry, InnerEntry, LeafEntry
from rowvault.repository.trees.tree import TreeReader

LEAF_WINDOW = 64
INNER_WINDOW = 256
"""Entries on each side among which the next common one is looked for. Each inner entry stands for
dozens of blocks, so looking further there finds the far side of most insertions."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring blocks that the other tree does not have at this place."""

    left: list[LeafEntry]
    right: list[LeafEntry]
    synchronised: bool
    """Equal content (or the end) follows on both sides: what was seen so far can be settled."""


def differing(left: TreeReader, right: TreeReader) -> Iterator[Run]:
    """The runs between common blocks, in order; empty for equal trees.

    A row that is in both trees, but in blocks that are nowhere in the other one, is in a run on
    both sides between the same two synchronisation points, unless the trees order rows differently.
    Raises DamageError.
    """
    if left.root.id == right.root.id:
        return
    height = max(left.root_entry.height, right.root_entry.height)
    for run in _align(left, right, 0, height):
        yield Run(
            [entry for entry in run.left if isinstance(entry, LeafEntry)],
            [entry for entry in run.right if isinstance(entry, LeafEntry)],
            run.synchronised,
        )


@dataclass(slots=True)
class _Piece:
    """A run of entries of one height."""

    left: list[Entry]
    right: list[Entry]
    synchronised: bool


@dataclass(slots=True)
class _Side:
    """One tree at one height: entries in the window, and unopened entries above them."""

    reader: TreeReader
    limit: int
    """Entries that the window aims at."""
    window: deque[Entry] = field(default_factory=deque)
    unopened: deque[InnerEntry] = field(default_factory=deque)

    def fill(self) -> None:
        """Opens entries until the window is full or nothing is left to open."""
        while len(self.window) < self.limit and self.unopened:
            self.window.extend(self.reader.children(self.unopened.popleft()))

    @property
    def beyond_window(self) -> bool:
        """More than one window is left of what is known of the region."""
        return len(self.window) > self.limit or bool(self.unopened)

    def take(self, count: int) -> list[Entry]:
        """The first entries of the window, removed from it."""
        return [self.window.popleft() for _ in range(min(count, len(self.window)))]


@dataclass(slots=True)
class _Front:
    """Both trees at one height."""

    left: _Side
    right: _Side
    limit: int
    unsettled: bool = False
    """Something was yielded since the last synchronised piece."""

    def drain(self, *, region_ends: bool) -> Iterator[_Piece]:
        """Aligns what there is; short of the region's end, only while both windows are full."""
        while self._ready(region_ends):
            steps = _next_common(self.left.window, self.right.window, self.limit)
            if steps is None:
                yield self._unmatched(region_ends)
                continue
            piece = _Piece(self.left.take(steps[0]), self.right.take(steps[1]), True)
            if piece.left or piece.right or self.unsettled:
                yield piece
            self.unsettled = False
            self.left.take(1)
            self.right.take(1)
        if region_ends and self.unsettled:
            self.unsettled = False
            yield _Piece([], [], synchronised=True)

    def _ready(self, region_ends: bool) -> bool:
        self.left.fill()
        self.right.fill()
        lengths = len(self.left.window), len(self.right.window)
        return max(lengths) > 0 if region_ends else min(lengths) >= self.limit

    def _unmatched(self, region_ends: bool) -> _Piece:
        """All that is left of the region, or half a window: the rest may still meet its match."""
        last = region_ends and not (self.left.beyond_window or self.right.beyond_window)
        count = self.limit if last else self.limit // 2
        self.unsettled = not last
        return _Piece(self.left.take(count), self.right.take(count), synchronised=last)


def _align(left: TreeReader, right: TreeReader, height: int, top: int) -> Iterator[_Piece]:
    """Pieces of entries of this height; the last one is synchronised, if there is any."""
    limit = INNER_WINDOW if height else LEAF_WINDOW
    front = _Front(_Side(left, limit), _Side(right, limit), limit)
    for side in (front.left, front.right):
        if side.reader.root_entry.height == height:
            side.window.append(side.reader.root_entry)
    if height == top:
        yield from front.drain(region_ends=True)
        return
    for piece in _align(left, right, height + 1, top):
        front.left.unopened.extend(_inner(piece.left))
        front.right.unopened.extend(_inner(piece.right))
        yield from front.drain(region_ends=piece.synchronised)


def _inner(entries: list[Entry]) -> Iterator[InnerEntry]:
    return (entry for entry in entries if isinstance(entry, InnerEntry))


def _next_common(left: deque[Entry], right: deque[Entry], limit: int) -> tuple[int, int] | None:
    """(entries to skip left, right) to the nearest common one, the fewest in sum."""
    if left and right and _identity(left[0]) == _identity(right[0]):
        return 0, 0
    places: dict[tuple[bytes, int, bytes], int] = {}
    for index, entry in enumerate(right):
        if index >= limit:
            break
        places.setdefault(_identity(entry), index)
    best: tuple[int, int] | None = None
    for index, entry in enumerate(left):
        if index >= limit or (best is not None and index >= sum(best)):
            break
        place = places.get(_identity(entry))
        if place is not None and (best is None or index + place < sum(best)):
            best = (index, place)
    return best


def _identity(entry: Entry) -> tuple[bytes, int, bytes]:
    """Equal for entries below which everything is equal; fragments only as those of one row."""
    if isinstance(entry, LeafEntry) and entry.fragment:
        return entry.id, entry.fragment, entry.first_key
    return entry.id, 0, b""
