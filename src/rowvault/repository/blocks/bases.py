"""What deltas build on: finds the frames of their bases, and gives their bytes as they are needed.

A frame that builds on a base needs any frame of that block whose depth is smaller than its own. So
however often a block was stored, no two frames ever need each other.

A delta that states the arrangement of its bases gets them so, whatever their frames hold. One of
the older kinds gets what the first frame gives; if it then does not make the block of its id, a
search finds on what it was made. Only what is proven or cannot be ambiguous serves as base of
deltas that are made anew.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from rowvault.codec.arrangement import ArrangedBlock, Arrangement, arranged
from rowvault.codec.frames import FrameHeader, arranged_bytes, decode_arranged
from rowvault.core.errors import CorruptError, MissingError, RowvaultError
from rowvault.core.ids import BlockId, PackName
from rowvault.repository.blocks.base_search import BaseSearch
from rowvault.repository.blocks.frame_reader import BAD, FrameReader, frame_name
from rowvault.repository.crypto.secrets import IdMaker
from rowvault.repository.index.index import BlockIndex, Location
from rowvault.repository.packs.pack import error_context

_log = logging.getLogger(__name__)

_KEPT_BYTES = 16 << 20
_KEPT_ANSWERS = 1 << 16


class Proven(NamedTuple):
    """A block whose bytes make its id."""

    block: ArrangedBlock
    raw: bytes
    is_searched: bool
    """The first frames of its bases did not give it."""


class _Kept(NamedTuple):
    data: bytes
    block: ArrangedBlock | None
    """None where nothing proves the bytes: they serve only for a block that its id proves."""


class Bases:
    """The bases of all deltas of an index. Used from any thread."""

    def __init__(self, frames: FrameReader, index: BlockIndex, make_id: IdMaker) -> None:
        self._frames = frames
        self._index = index
        self._make_id = make_id
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[PackName, int], _Kept] = OrderedDict()
        self._kept_bytes = 0
        self._plain: dict[Location, bool] = {}
        self._plain_among: frozenset[str] = frozenset()
        """The index segments of which `_plain` is."""

    def places(self, header: FrameHeader, base: bytes) -> Iterator[Location]:
        """Where one of a delta's bases stands in frames that it may build on."""
        for location in self._index.find(header.type, BlockId(base)):
            if location.depth < header.depth:
                yield location

    def prove(self, header: FrameHeader, payload: bytes, location: Location) -> Proven:
        """The block of a frame, by whatever way its bases lead to it.

        Raises DamageError, StorageError, UnsupportedFormatError.
        """
        failure: RowvaultError
        try:
            base = self._below(header, location)
            with error_context(frame_name, header.id, location):
                block = decode_arranged(header, payload, base)
                raw = block.raw()
                if self._make_id(header.type, raw) == header.id:
                    return Proven(block, raw, is_searched=False)
                raise CorruptError("it does not hold the bytes that make its id")
        except BAD as error:
            failure = error
        if header.bases:
            search = BaseSearch(self._frames, self.places, self._make_id, self._keep_block)
            found = search.find(header, payload)
            if found is not None:
                return Proven(*found, is_searched=True)
            if search.was_cut_short:
                raise CorruptError(
                    f"{failure}; it may have been made of its bases in more ways than were tried"
                ) from failure
        raise failure

    def block(self, prefix: bytes, location: Location) -> ArrangedBlock:
        """A block on which deltas may be made, as its frame holds it; the last few are kept.

        It is proven, or builds on nothing that could be taken for something else. Raises
        DamageError, StorageError, UnsupportedFormatError.
        """
        kept = self._get(location)
        if kept is not None and kept.block is not None:
            return kept.block
        header, payload = self._frames.frame(prefix, location)
        if header.bases and not header.arrangements:
            block = self.prove(header, payload, location).block
        else:
            base = self._below(header, location)
            with error_context(frame_name, prefix, location):
                block = decode_arranged(header, payload, base)
        self._keep_block(location, block)
        return block

    def are_alike(self, header: FrameHeader) -> bool:
        """Whether it makes no difference which frames of its bases a reader takes first.

        So it is for a delta that states arrangements. One of the older kinds needs frames that all
        hold the bytes that it was made of, and so on down.
        """
        if header.arrangements:
            return True
        try:
            return all(self._are_alike(header, base) for base in header.bases)
        except BAD as error:
            _log.info("%s", error)
            return False

    def is_plain(self, prefix: bytes, location: Location) -> bool:
        """Whether a reader that searches nothing gets the block of a frame that can be read.

        Raises DamageError, StorageError, UnsupportedFormatError.
        """
        if not location.depth:
            return True
        self._forget_old_answers()
        is_plain = self._plain.get(location)
        if is_plain is None:
            header, payload = self._frames.frame(prefix, location)
            is_plain = self.are_alike(header) and not (
                self.prove(header, payload, location).is_searched
            )
            self._plain[location] = is_plain
        return is_plain

    def are_readable(self, header: FrameHeader, location: Location) -> bool:
        """Whether the bytes of all bases can be read, whatever block they then make."""
        try:
            self._below(header, location)
        except BAD as error:
            _log.info("%s", error)
            return False
        return True

    def forget(self) -> None:
        """Lets go of what is kept."""
        with self._lock:
            self._kept.clear()
            self._kept_bytes = 0

    def _are_alike(self, header: FrameHeader, base: bytes) -> bool:
        places = list(self.places(header, base))
        if not all(self.is_plain(base, location) for location in places):
            return False
        return len(places) == 1 or len({self.block(base, one).arrangement for one in places}) == 1

    def _forget_old_answers(self) -> None:
        """Another copy of a base may be listed since."""
        listed = frozenset(segment.name for segment in self._index.segments)
        if listed != self._plain_among or len(self._plain) >= _KEPT_ANSWERS:
            self._plain_among, self._plain = listed, {}

    def _below(self, header: FrameHeader, location: Location) -> bytes:
        """The arranged bytes of all bases, one behind the other; b"" for a frame without."""
        if not header.bases:
            return b""
        return b"".join([self._base(header, n, location) for n in range(len(header.bases))])

    def _base(self, header: FrameHeader, number: int, location: Location) -> bytes:
        base = header.bases[number]
        failure: RowvaultError | None = None
        for below in self.places(header, base):
            try:
                if header.arrangements:
                    return self._arranged(base, below, header.arrangements[1 + number])
                return self._unproven(base, below)
            except BAD as error:
                failure = failure or error
        with error_context(
            "{} builds on block {}".format, frame_name(header.id, location), base.hex()
        ):
            raise failure or MissingError(
                "it is in no pack that the index lists, or only where it builds on as many others"
                + self._index.advice()
            )

    def _arranged(self, prefix: bytes, location: Location, wanted: Arrangement) -> bytes:
        """The bytes of a base in one arrangement, made anew where its frame has another one."""
        block = self.block(prefix, location)
        if block.arrangement == wanted:
            return block.data
        with error_context(frame_name, prefix, location):
            raw = block.raw()
            if not self._make_id(location.type, raw).startswith(prefix):
                raise CorruptError("it does not hold the bytes that make its id")
            data = arranged(raw, wanted)
            if data is None:
                raise CorruptError(
                    f"it cannot be arranged as what builds on it needs it ({wanted.column_count} "
                    "columns)"
                )
        return data

    def _unproven(self, prefix: bytes, location: Location) -> bytes:
        """What a frame holds on the first frames of its bases, as readers always took it."""
        kept = self._get(location)
        if kept is not None:
            return kept.data
        header, payload = self._frames.frame(prefix, location)
        if not header.bases or header.arrangements:
            return self.block(prefix, location).data
        below = self._below(header, location)
        with error_context(frame_name, prefix, location):
            data = arranged_bytes(header, payload, below)
        self._keep(location, _Kept(data, None))
        return data

    def _get(self, location: Location) -> _Kept | None:
        key = location.pack, location.offset
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
        return kept

    def _keep_block(self, location: Location, block: ArrangedBlock) -> None:
        self._keep(location, _Kept(block.data, block))

    def _keep(self, location: Location, kept: _Kept) -> None:
        key = location.pack, location.offset
        with self._lock:
            before = self._kept.get(key)
            if before is not None:
                if kept.block is None:
                    return
                self._kept_bytes -= len(before.data)
            self._kept[key] = kept
            self._kept_bytes += len(kept.data)
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1].data)
