"""Confirms records that are not sealed by the footers of packs, one pack at a time."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict

from rowvault.core.errors import DamageError, UnsupportedFormatError
from rowvault.core.ids import PackName
from rowvault.repository.index.segment import PREFIX_BYTES, Location
from rowvault.repository.packs.pack import PackKeys, PackReader
from rowvault.storage.protocol import Storage

_KEPT_PACKS = 8192
"""Eight bytes for each of their frames are kept."""


class FooterClaims:
    """Knows what the packs that were asked for last hold. Used from any thread."""

    def __init__(self, storage: Storage, keys: PackKeys) -> None:
        self._storage = storage
        self._keys = keys
        self._packs: OrderedDict[PackName, array[int]] = OrderedDict()
        self._lock = threading.Lock()

    def confirms(self, block_id: bytes, location: Location) -> bool:
        """Whether the pack's own footer puts this block there. Raises StorageError."""
        with self._lock:
            frames = self._packs.get(location.pack)
            if frames is not None:
                self._packs.move_to_end(location.pack)
        if frames is None:
            frames = self._read(location)
            with self._lock:
                self._packs[location.pack] = frames
                if len(self._packs) > _KEPT_PACKS:
                    self._packs.popitem(last=False)
        wanted = _hash(
            block_id, location.type, location.offset, location.frame_bytes, location.depth
        )
        at = bisect_left(frames, wanted)
        return at < len(frames) and frames[at] == wanted

    def _read(self, location: Location) -> array[int]:
        """Hashes of the frames, ascending; none where the footer cannot be read."""
        try:
            entries = PackReader(
                self._storage, self._keys, location.pack_type, location.pack
            ).footer()
        except (DamageError, UnsupportedFormatError):
            return array("q")  # its blocks are stored again; a check names the pack
        hashes = (
            _hash(one.id, one.type, one.offset, one.frame_bytes, one.depth) for one in entries
        )
        return array("q", sorted(hashes))


def _hash(block_id: bytes, kind: int, offset: int, frame_bytes: int, depth: int) -> int:
    """64 bits under a secret of this process: nobody can aim at another frame's."""
    return hash((block_id[:PREFIX_BYTES], int(kind), offset, frame_bytes, depth))
