"""Reads single frames of packs, whose readers are kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict

from rowvault.codec.frames import FrameHeader
from rowvault.core.errors import DamageError, StorageError, UnsupportedFormatError
from rowvault.core.ids import PackName
from rowvault.repository.index.index import Location
from rowvault.repository.packs.pack import PackKeys, PackReader, PackSource

BAD = (DamageError, UnsupportedFormatError, StorageError)
"""What says that a frame cannot be read."""
_KEPT_PACK_READERS = 1024


class FrameReader:
    """The frames of all packs. Used from any thread; all methods raise what is in `BAD`."""

    def __init__(self, storage: PackSource, keys: PackKeys) -> None:
        self._storage = storage
        self._keys = keys
        self._lock = threading.Lock()
        self._packs: OrderedDict[PackName, PackReader] = OrderedDict()

    def frame(self, prefix: bytes, location: Location) -> tuple[FrameHeader, bytes]:
        """(header, payload) at one place; `prefix`: half of the block's id, or all of it."""
        reader = self.pack(location)
        return reader.read_frame(
            location.type, prefix, location.offset, location.frame_bytes, location.depth
        )

    def header(self, prefix: bytes, location: Location) -> FrameHeader:
        """The header at one place, which only the whole frame would authenticate."""
        reader = self.pack(location)
        return reader.read_header(
            location.type, prefix, location.offset, location.frame_bytes, location.depth
        )

    def pack(self, location: Location) -> PackReader:
        """The pack of a place."""
        with self._lock:
            reader = self._packs.get(location.pack)
            if reader is not None:
                self._packs.move_to_end(location.pack)
                return reader
        reader = PackReader(self._storage, self._keys, location.pack_type, location.pack)
        with self._lock:
            self._packs[location.pack] = reader
            if len(self._packs) > _KEPT_PACK_READERS:
                self._packs.popitem(last=False)
        return reader

    def forget(self) -> None:
        """Lets go of what is kept."""
        with self._lock:
            self._packs.clear()


def frame_name(prefix: bytes, location: Location) -> str:
    """A frame as messages name it."""
    return f"block {prefix.hex()} in pack {location.pack} at byte {location.offset}"
