"""Lets go of dead blocks on which a single live one builds.

That one is stored anew on what lies below.
Where snapshots were thinned out, versions between those that stay are needed by nobody else. The
new frame is no larger than the two before, and less deep, so that all can build on it that did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from rowvault.codec.compression import DEFAULT_LEVEL
from rowvault.codec.frames import (
    FrameHeader,
    Lineage,
    decode_payload,
    encode_arranged,
    encode_delta,
)
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId
from rowvault.repository.blocks.bases import Proven
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.index.index import Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.upkeep.delta_base_marks import Finder
from rowvault.upkeep.live_blocks import LiveMarks

_BATCH = 1 << 14


class Frames(Protocol):
    """Takes frames that are stored anew: a session, or what counts them for a dry run."""

    def move_frame(self, header: FrameHeader, payload: bytes) -> None:
        """Stores a frame as it is."""
        ...

    def flush(self) -> None:
        """Makes what was put durable and listed."""
        ...


class _Link(NamedTuple):
    """A frame, and where it stands."""

    header: FrameHeader
    location: Location


class _Skip(NamedTuple):
    """A block that stays, the dead ones right below it, and what stays below those, if anything."""

    top: _Link
    dead: list[_Link]
    below: _Link | None

    @property
    def stored_bytes(self) -> int:
        """Of what would not be needed any more."""
        return sum(link.header.frame_bytes for link in (self.top, *self.dead))


class Rebase:
    """Stores blocks anew for a prune, and corrects its marks."""

    def __init__(
        self,
        marks: LiveMarks,
        index: Finder,
        blocks: BlockReader,
        frames: Frames,
        *,
        states_arrangements: bool,
    ) -> None:
        """`states_arrangements`: see DeltaMaker."""
        self._states_arrangements = states_arrangements
        self._marks = marks
        self._index = index
        self._blocks = blocks
        self._frames = frames
        self.blocks = 0
        """So many were stored anew."""
        self.stored_bytes = 0
        """Of their new frames."""

    def run(self, room: int | None) -> None:
        """Renews what saves space, at most `room` bytes of it.

        Raises DamageError where a live block cannot be read, StorageError; the marks then are as
        they were for what was not durable yet.
        """
        batch: dict[BlockId, _Skip] = {}
        for skip in self._skips():
            if skip.top.header.id in batch:
                continue  # two segments list it
            frame = self._renewed(skip)
            if frame is None or (
                room is not None and self.stored_bytes + frame[0].frame_bytes > room
            ):
                continue
            self._frames.move_frame(*frame)
            self.stored_bytes += frame[0].frame_bytes
            batch[skip.top.header.id] = skip
            if len(batch) == _BATCH:
                self._settle(batch)
        self._settle(batch)

    def _settle(self, batch: dict[BlockId, _Skip]) -> None:
        """Only when the new frames are durable and listed, the old ones are not needed."""
        if batch:
            self._frames.flush()
        self.blocks += len(batch)
        for skip in batch.values():
            self._marks.move(skip.top.header.type, skip.top.header.id)
            for link in skip.dead:
                self._marks.unmark(link.header.type, link.header.id)
        batch.clear()

    def _skips(self) -> Iterator[_Skip]:
        for record, segment in self._marks.referred(or_shared=True):
            location = segment.decode(record)
            if not location.depth:
                continue
            skip = self._skip(_Link(self._blocks.header(record[:PREFIX_BYTES], location), location))
            if skip is not None:
                yield skip

    def _skip(self, top: _Link) -> _Skip | None:
        if len(set(self._index.find(top.header.type, top.header.id))) != 1:
            return None  # other frames may build on the form that another copy has
        dead: list[_Link] = []
        link = top
        while True:
            if len(link.header.bases) > 1:
                return None
            if not link.header.bases:
                return _Skip(top, dead, None)
            base = link.header.bases[0]
            places = list(set(self._index.find(link.header.type, BlockId(base))))
            if len(places) != 1 or places[0].depth >= link.header.depth:
                return None
            link = _Link(self._blocks.header(base, places[0]), places[0])
            if not self._marks.serves_one(link.header.type, base):
                return _Skip(top, dead, link) if dead else None
            dead.append(link)

    def _renewed(self, skip: _Skip) -> tuple[FrameHeader, bytes] | None:
        """The frame that takes the place of all, of a block that its id proved.

        None where it would be no smaller, or something else might be taken for its base.
        """
        top = skip.top
        frame = self._blocks.frame(top.header.id, top.location)
        proven = self._blocks.bases.prove(*frame, top.location)
        made: tuple[FrameHeader, bytes] | None
        if skip.below is None:
            made = alone(top.header, proven)
        else:
            made = self._on(skip.below, top.header, proven)
        return made if made is not None and made[0].frame_bytes < skip.stored_bytes else None

    def _on(
        self, below: _Link, old: FrameHeader, proven: Proven
    ) -> tuple[FrameHeader, bytes] | None:
        base = self._blocks.bases.block(below.header.id, below.location)
        is_mixed = base.arrangement.is_by_column != proven.block.arrangement.is_by_column
        if is_mixed and not self._states_arrangements:
            return None
        lineage = Lineage((base,), (below.header.id,), below.header.depth + 1, old.version)
        made = encode_delta(
            old.id, proven.block, lineage, states_arrangements=self._states_arrangements
        )
        return made if self._blocks.bases.are_alike(made[0]) else None


def alone(old: FrameHeader, proven: Proven) -> tuple[FrameHeader, bytes]:
    """(header, payload) of a frame that builds on nothing. Raises CorruptError."""
    coding, payload = encode_arranged(proven.block, DEFAULT_LEVEL)
    made = FrameHeader(old.type, coding, 0, old.raw_bytes, len(payload), old.id)
    if decode_payload(made, payload) != proven.raw:
        raise CorruptError(f"block {old.id.hex()} does not come back from its new frame")
    return made, payload
