"""Reads blocks: finds their frames, follows the bases of deltas, verifies what comes out.

A frame that builds on a base needs any frame of that block whose depth is smaller than its own. So
however often a block was stored, and in whatever form, no two frames ever need each other.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from rowvault.codec.frames import (
    BlockType,
    FrameHeader,
    arranged_bytes,
    decode_payload,
)
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    ObjectMissingError,
    RowvaultError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName
from rowvault.repository.index import BlockIndex, Location
from rowvault.repository.pack import PackKeys, PackReader, PackSource, naming
from rowvault.repository.secrets import IdMaker

_log = logging.getLogger(__name__)

BAD = (DamageError, UnsupportedFormatError, StorageError)
_KEPT_PACK_READERS = 1024
_KEPT_BASE_BYTES = 16 << 20


class BlockReader:
    """Reads the blocks that an index lists. Used from any thread."""

    def __init__(
        self, storage: PackSource, keys: PackKeys, index: BlockIndex, make_id: IdMaker
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._index = index
        self._make_id = make_id
        self._lock = threading.Lock()
        self._packs: OrderedDict[PackName, PackReader] = OrderedDict()
        self._bases: OrderedDict[tuple[PackName, int], bytes] = OrderedDict()
        self._base_bytes = 0
        self._index_lock = threading.Lock()
        self._index_loaded = False

    def load_index(self) -> None:
        """Reads the index unless it was read before."""
        with self._index_lock:
            if not self._index_loaded:
                self._index.refresh()
                self._index_loaded = True

    def read(self, kind: BlockType, block_id: BlockId) -> bytes:
        """The raw bytes, from any place that holds them; the first failure where none does.

        A prune may have moved the block since the index was read, so that is looked at again.
        """
        try:
            return self._read_anywhere(kind, block_id)
        except (MissingError, ObjectMissingError):
            # Whether or not that finds a change: another thread may have found it meanwhile.
            self._index.refresh()
            return self._read_anywhere(kind, block_id)

    def read_at(self, kind: BlockType, block_id: BlockId, place: Location) -> bytes:
        """The raw bytes of the block from one place. Raises DamageError, StorageError."""
        return self._verified(kind, block_id, place, *self.frame(block_id, place))

    def read_near(
        self, kind: BlockType, block_ids: Sequence[BlockId]
    ) -> Iterator[bytes | RowvaultError]:
        """Of each block in turn what `read` gives or raises.

        Frames that stand one behind the other, as those of neighbours mostly do, are read in one
        go, and are then in memory at once, as they are stored.
        """
        places = self._first_places(kind, block_ids)
        for first, behind in _stretches(places):
            stored = self._stored(places[first], places[behind - 1])
            at = 0
            for block_id, place in zip(block_ids[first:behind], places[first:behind], strict=True):
                if place is None or stored is None:
                    yield self._alone(kind, block_id)
                    continue
                reader, data = stored
                frame = data[at : at + place.frame_bytes]
                at += place.frame_bytes
                yield self._of_stretch(kind, block_id, place, reader, frame)

    def _verified(
        self,
        kind: BlockType,
        block_id: BlockId,
        place: Location,
        header: FrameHeader,
        payload: bytes,
    ) -> bytes:
        raw = self.decode(header, payload, place)
        if header.id != block_id or self._make_id(kind, raw) != block_id:
            raise CorruptError(
                f"block {block_id.hex()} in pack {place.pack} at byte {place.offset} "
                "does not hold the bytes that make its id"
            )
        return raw

    def is_whole(self, prefix: bytes, place: Location) -> bool:
        """Whether the frame at that place, and what it builds on, give the block that it names."""
        try:
            header, payload = self.frame(prefix, place)
            raw = self.decode(header, payload, place)
        except BAD as error:
            _log.info("%s", error)
            return False
        return self._make_id(header.type, raw) == header.id

    def frame(self, prefix: bytes, place: Location) -> tuple[FrameHeader, bytes]:
        """(header, payload) at one place; `prefix`: half of the block's id, or all of it."""
        reader = self._pack_reader(place)
        return reader.read_frame(place.type, prefix, place.offset, place.frame_bytes, place.depth)

    def header(self, prefix: bytes, place: Location) -> FrameHeader:
        """The header at one place, which only the whole frame would authenticate."""
        reader = self._pack_reader(place)
        return reader.read_header(place.type, prefix, place.offset, place.frame_bytes, place.depth)

    def decode(self, header: FrameHeader, payload: bytes, place: Location) -> bytes:
        """The raw bytes of a frame; whether they make its id is still to be checked."""
        base = self.below(header, place)
        with naming(_name, header.id, place):
            return decode_payload(header, payload, base)

    def base_places(self, header: FrameHeader, base: bytes) -> Iterator[Location]:
        """Where one of a delta's bases stands in frames that it may build on."""
        for place in self._index.find(header.type, BlockId(base)):
            if place.depth < header.depth:
                yield place

    def base(self, prefix: bytes, place: Location) -> bytes:
        """The arranged bytes of a block on which deltas build; the last few are kept.

        Raises DamageError, StorageError.
        """
        key = place.pack, place.offset
        with self._lock:
            kept = self._bases.get(key)
            if kept is not None:
                self._bases.move_to_end(key)
                return kept
        header, payload = self.frame(prefix, place)
        below = self.below(header, place)
        with naming(_name, prefix, place):
            base = arranged_bytes(header, payload, below)
        self._keep(key, base)
        return base

    def below(self, header: FrameHeader, place: Location) -> bytes:
        """The arranged bytes of all bases, one behind the other; b"" for a frame without.

        Raises DamageError, StorageError.
        """
        if not header.bases:
            return b""
        return b"".join([self._base_of(header, base, place) for base in header.bases])

    def forget(self) -> None:
        """Lets go of what is kept."""
        with self._lock:
            self._packs.clear()
            self._bases.clear()
            self._base_bytes = 0

    def _base_of(self, header: FrameHeader, base: bytes, place: Location) -> bytes:
        failure: RowvaultError | None = None
        for below in self.base_places(header, base):
            try:
                return self.base(base, below)
            except BAD as error:
                failure = failure or error
        with naming("{} builds on block {}".format, _name(header.id, place), base.hex()):
            raise failure or MissingError(
                "it is in no pack that the index lists, or only where it builds on as many others"
                + self._index.advice()
            )

    def _keep(self, key: tuple[PackName, int], base: bytes) -> None:
        with self._lock:
            if key in self._bases:
                return
            self._bases[key] = base
            self._base_bytes += len(base)
            while self._base_bytes > _KEPT_BASE_BYTES and len(self._bases) > 1:
                self._base_bytes -= len(self._bases.popitem(last=False)[1])

    def _first_places(
        self, kind: BlockType, block_ids: Sequence[BlockId]
    ) -> Sequence[Location | None]:
        """Where to look first; None: how it fails is told when it is read alone."""
        try:
            self.load_index()
            found = self._index.find_all(kind, block_ids)
            return [places[0] if places else None for places in found]
        except BAD as error:
            _log.info("%s", error)
            return [None] * len(block_ids)

    def _stored(
        self, first: Location | None, last: Location | None
    ) -> tuple[PackReader, memoryview] | None:
        """A pack's bytes from one frame to another; None: each has to be read alone."""
        if first is None or last is None:
            return None
        length = last.offset + last.frame_bytes - first.offset
        try:
            reader = self._pack_reader(first)
            return reader, memoryview(reader.read(first.offset, length))
        except BAD as error:
            _log.info("%s", error)
            return None

    def _of_stretch(
        self,
        kind: BlockType,
        block_id: BlockId,
        place: Location,
        reader: PackReader,
        frame: memoryview,
    ) -> bytes | RowvaultError:
        try:
            opened = reader.frame_in(
                frame, place.type, block_id, place.offset, place.frame_bytes, place.depth
            )
            return self._verified(kind, block_id, place, *opened)
        except BAD as error:
            _log.info("%s", error)
            return self._alone(kind, block_id)

    def _alone(self, kind: BlockType, block_id: BlockId) -> bytes | RowvaultError:
        try:
            return self.read(kind, block_id)
        except BAD as error:
            return error

    def _read_anywhere(self, kind: BlockType, block_id: BlockId) -> bytes:
        failure: RowvaultError | None = None
        for place in self._locate(kind, block_id):
            try:
                return self.read_at(kind, block_id, place)
            except BAD as error:
                failure = failure or error
        raise failure or self._unlisted(kind, block_id)

    def _locate(self, kind: BlockType, block_id: BlockId) -> list[Location]:
        """Looks again after a refresh: another process may have written since."""
        self.load_index()
        found = self._index.find(kind, block_id)
        if not found:
            self._index.refresh()
            found = self._index.find(kind, block_id)
        return found

    def _unlisted(self, kind: BlockType, block_id: BlockId) -> DamageError:
        damaged = "".join(f"; {error}" for error in self._index.damage.values())
        return MissingError(
            f"{kind.name.lower()} block {block_id.hex()} is in no pack that the index lists"
            f"{damaged}{self._index.advice()} (a snapshot that is forgotten and pruned while it is "
            "read ends like this)"
        )

    def _pack_reader(self, place: Location) -> PackReader:
        with self._lock:
            reader = self._packs.get(place.pack)
            if reader is not None:
                self._packs.move_to_end(place.pack)
                return reader
        reader = PackReader(self._storage, self._keys, place.pack_type, place.pack)
        with self._lock:
            self._packs[place.pack] = reader
            if len(self._packs) > _KEPT_PACK_READERS:
                self._packs.popitem(last=False)
        return reader


def _stretches(places: Sequence[Location | None]) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of places that follow one another in a pack, in order."""
    first = 0
    for number in range(1, len(places) + 1):
        if number < len(places) and _follows(places[number - 1], places[number]):
            continue
        yield first, number
        first = number


def _follows(one: Location | None, other: Location | None) -> bool:
    if one is None or other is None:
        return False
    return one.pack == other.pack and one.offset + one.frame_bytes == other.offset


def _name(prefix: bytes, place: Location) -> str:
    return f"block {prefix.hex()} in pack {place.pack} at byte {place.offset}"
