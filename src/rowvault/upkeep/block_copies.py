"""Which copies of a block a prune keeps: those that were read, and gave the block."""

from __future__ import annotations

from collections.abc import Sequence

from blake3 import blake3

from rowvault.core.errors import CorruptError
from rowvault.repository.blocks.reader import BAD, BlockReader
from rowvault.repository.index.index import Location


class BlockCopies:
    """Proves copies of blocks. A copy counts only after its frame gave the block's id."""

    def __init__(self, blocks: BlockReader) -> None:
        self._blocks = blocks

    def kept(
        self, prefix: bytes, places: Sequence[Location], *, is_base: bool
    ) -> Sequence[Location]:
        """Places of which a prune keeps one or more; a single one is not read.

        The least deep that are whole: on them all can build that build on any of the others. Of a
        base these in each form in which it stands, for deltas are made of one form. Raises
        CorruptError where no copy is whole, or none of the least deep ones of a base.
        """
        if len(places) <= 1:
            return places
        kept = self._by_form(prefix, places) if is_base else self._least_deep(prefix, places)
        least = min(location.depth for location in places)
        if not kept or (is_base and min(location.depth for location in kept) > least):
            packs = ", ".join(sorted({location.pack for location in places}))
            raise CorruptError(
                f"block {prefix.hex()} stands in several places, and is damaged in those that "
                f"others build on (packs {packs})"
            )
        return kept

    def _least_deep(self, prefix: bytes, places: Sequence[Location]) -> list[Location]:
        for depth in sorted({location.depth for location in places}):
            equals = [location for location in places if location.depth == depth]
            whole = [location for location in equals if self.is_whole(prefix, location)]
            if whole:
                return whole
        return []

    def _by_form(self, prefix: bytes, places: Sequence[Location]) -> list[Location]:
        forms: dict[bytes, list[Location]] = {}
        for location in sorted(places, key=lambda location: location.depth):
            form = self.form(prefix, location)
            if form is not None:
                forms.setdefault(form, []).append(location)
        return [
            location
            for same in forms.values()
            for location in same
            if location.depth == same[0].depth
        ]

    def is_whole(self, prefix: bytes, location: Location) -> bool:
        """Whether the frame at that place, and what it builds on, give this very block."""
        return self._blocks.is_whole(prefix, location)

    def form(self, prefix: bytes, location: Location) -> bytes | None:
        """Equal where the arranged bytes of a block are; None where the copy is not whole."""
        if not self._blocks.is_whole(prefix, location):
            return None
        try:
            return blake3(self._blocks.bases.block(prefix, location).data).digest()
        except BAD:
            return None

    def is_cut_off(self, prefix: bytes, location: Location) -> bool:
        """Whether a copy is not whole only because what it builds on is gone."""
        try:
            header, _ = self._blocks.frame(prefix, location)
        except BAD:
            return False
        return not self._blocks.bases.are_readable(header, location)
