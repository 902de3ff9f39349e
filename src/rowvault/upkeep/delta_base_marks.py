"""Marks what live frames build on, so that a prune keeps it (docs/format.md, "Prune")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rowvault.codec.frames import BlockType, FrameHeader
from rowvault.core.errors import DamageError, MissingError
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.index.index import Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.upkeep.block_copies import BlockCopies
from rowvault.upkeep.live_blocks import LiveMarks

NewBase = Callable[[bytes, Sequence[Location]], None]
"""Told of each base that was not live before: half of its id, and where it stands."""


class Finder(Protocol):
    """Finds the places of blocks."""

    def find(self, kind: BlockType, block_id: bytes) -> Sequence[Location]:
        """All places of a block; none where it is not listed. Half of its id serves."""
        ...


class BaseMarker:
    """Follows the bases of frames down to what is live already.

    Of a block in several frames those are followed that a prune keeps, see `BlockCopies.kept`.
    Frames of deltas and of bases are opened, for a header that nobody has authenticated may name
    another base, or bytes that are not those which the delta was made of.
    Raises StorageError, for what cannot be read now may be needed.
    """

    def __init__(self, marks: LiveMarks, index: Finder, blocks: BlockReader) -> None:
        self._marks = marks
        self._index = index
        self._blocks = blocks
        self._copies = BlockCopies(blocks)
        self.damage: list[DamageError] = []
        """Why chains cannot be followed; what these frames build on is not marked."""

    def mark_all(self) -> None:
        """Of all frames of blocks that snapshots refer to."""
        for record, segment in self._marks.referred():
            if segment.decode(record).depth:
                self.mark_below(record[:PREFIX_BYTES], _ignore)

    def mark_below(self, block_id: bytes, told: NewBase) -> None:
        """Of the frames of one data block; half of its id serves."""
        self._follow(block_id, self._places(BlockType.DATA, block_id), told, is_base=False)

    def _places(self, kind: BlockType, block_id: bytes) -> list[Location]:
        return list(dict.fromkeys(self._index.find(kind, block_id)))

    def _follow(
        self, prefix: bytes, places: list[Location], told: NewBase, *, is_base: bool
    ) -> None:
        try:
            kept = self._copies.kept(prefix, places, is_base=is_base)
        except DamageError as error:
            self.damage.append(error)
            return
        for location in kept:
            try:
                header = self._header(prefix, location, is_base=is_base)
            except DamageError as error:
                self.damage.append(error)
                continue
            if header is not None:
                for base in header.bases:
                    self._follow_base(header, base, told)

    def _header(self, prefix: bytes, location: Location, *, is_base: bool) -> FrameHeader | None:
        """Authenticated, of a delta and of a base; of what else stands alone nothing is asked."""
        return self._blocks.frame(prefix, location)[0] if location.depth or is_base else None

    def _follow_base(self, header: FrameHeader, base: bytes, told: NewBase) -> None:
        was_built_on, was_live = self._marks.mark_base(header.type, base)
        places = self._places(header.type, base)
        if not any(location.depth < header.depth for location in places):
            self.damage.append(
                MissingError(
                    f"block {header.id.hex()} builds on block {base.hex()}, which is in no pack "
                    "that the index lists, or only where it builds on as many others"
                )
            )
        if was_built_on or not places:
            return
        if not was_live:
            told(base, places)
        elif len(places) == 1 and places[0].depth:
            return  # it is followed as what a snapshot refers to
        self._follow(base, places, told, is_base=True)


def _ignore(base: bytes, places: Sequence[Location]) -> None:
    """Whoever marks everything looks at the marks."""
