"""Reads blocks: finds their frames, follows the bases of deltas, verifies what comes out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

from rowvault.codec.frames import BlockType, FrameHeader
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    ObjectMissingError,
    RowvaultError,
)
from rowvault.core.ids import BlockId
from rowvault.repository.blocks.bases import Bases
from rowvault.repository.blocks.frame_reader import BAD, FrameReader, frame_name
from rowvault.repository.crypto.secrets import IdMaker
from rowvault.repository.index.index import BlockIndex, Location
from rowvault.repository.packs.pack import PackKeys, PackReader, PackSource

__all__ = ["BAD", "BlockReader"]

_log = logging.getLogger(__name__)


class BlockReader:
    """Reads the blocks that an index lists. Used from any thread."""

    def __init__(
        self, storage: PackSource, keys: PackKeys, index: BlockIndex, make_id: IdMaker
    ) -> None:
        self._frames = FrameReader(storage, keys)
        self._index = index
        self.bases = Bases(self._frames, index, make_id)
        """What the deltas among them build on."""
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

    def read_at(self, kind: BlockType, block_id: BlockId, location: Location) -> bytes:
        """The raw bytes of the block from one place. Raises DamageError, StorageError."""
        return self._verified(kind, block_id, location, *self.frame(block_id, location))

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
            for block_id, location in zip(
                block_ids[first:behind], places[first:behind], strict=True
            ):
                if location is None or stored is None:
                    yield self._alone(kind, block_id)
                    continue
                reader, data = stored
                frame = data[at : at + location.frame_bytes]
                at += location.frame_bytes
                yield self._of_stretch(kind, block_id, location, reader, frame)

    def _verified(
        self,
        kind: BlockType,
        block_id: BlockId,
        location: Location,
        header: FrameHeader,
        payload: bytes,
    ) -> bytes:
        if header.type is not kind or header.id != block_id:
            raise CorruptError(f"{frame_name(block_id, location)} is another block")
        return self.bases.prove(header, payload, location).raw

    def is_whole(self, prefix: bytes, location: Location) -> bool:
        """Whether the frame at that place, and what it builds on, give the block that it names."""
        try:
            self.bases.prove(*self.frame(prefix, location), location)
        except BAD as error:
            _log.info("%s", error)
            return False
        return True

    def frame(self, prefix: bytes, location: Location) -> tuple[FrameHeader, bytes]:
        """See FrameReader.frame."""
        return self._frames.frame(prefix, location)

    def header(self, prefix: bytes, location: Location) -> FrameHeader:
        """See FrameReader.header."""
        return self._frames.header(prefix, location)

    def base_places(self, header: FrameHeader, base: bytes) -> Iterator[Location]:
        """See Bases.places."""
        return self.bases.places(header, base)

    def forget(self) -> None:
        """Lets go of what is kept."""
        self._frames.forget()
        self.bases.forget()

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
            reader = self._frames.pack(first)
            return reader, memoryview(reader.read(first.offset, length))
        except BAD as error:
            _log.info("%s", error)
            return None

    def _of_stretch(
        self,
        kind: BlockType,
        block_id: BlockId,
        location: Location,
        reader: PackReader,
        frame: memoryview,
    ) -> bytes | RowvaultError:
        try:
            opened = reader.frame_in(
                frame,
                location.type,
                block_id,
                location.offset,
                location.frame_bytes,
                location.depth,
            )
            return self._verified(kind, block_id, location, *opened)
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
        for location in self._locate(kind, block_id):
            try:
                return self.read_at(kind, block_id, location)
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


def _stretches(places: Sequence[Location | None]) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of places that follow one another in a pack, in order."""
    first = 0
    for number in range(1, len(places) + 1):
        if number < len(places) and _follows(places[number - 1], places[number]):
            continue
        yield first, number
        first = number


def _follows(location: Location | None, following: Location | None) -> bool:
    if location is None or following is None:
        return False
    return (
        location.pack == following.pack
        and location.offset + location.frame_bytes == following.offset
    )
