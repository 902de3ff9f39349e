"""The block index: the union of all segments, searched as one (docs/format.md, "Index")."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from rowvault.codec.frames import BlockType
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectExistsError,
    ObjectMissingError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName
from rowvault.repository import names
from rowvault.repository.index_merge import merged, outgrown
from rowvault.repository.index_segment import (
    PREFIX_BYTES,
    RECORD_BYTES,
    Location,
    Segment,
    StoredPack,
    encode_segment,
    segment_name,
)
from rowvault.repository.names import PackType
from rowvault.storage.protocol import Storage

__all__ = [
    "PREFIX_BYTES",
    "BlockIndex",
    "Location",
    "Segment",
    "StoredPack",
    "encode_segment",
    "segment_name",
    "unlisted",
]

_log = logging.getLogger(__name__)

_FEW_SEGMENTS = 4
_GATHERED_RECORDS = 1 << 17
"""Records of small segments that are held in memory, about 80 bytes each."""


class SmallSegments:
    """The records of many small segments as one sorted list in memory, searched in one go."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._records = sorted(
            record + number.to_bytes(4, "little")
            for number, segment in enumerate(segments)
            for record in segment.records()
        )

    def find(self, block_id: BlockId) -> Iterator[Location]:
        """See Segment.find."""
        prefix = block_id[:PREFIX_BYTES]
        for index in range(bisect_left(self._records, prefix), len(self._records)):
            record = self._records[index]
            if not record.startswith(prefix):
                return
            segment = self._segments[int.from_bytes(record[RECORD_BYTES:], "little")]
            yield segment.decode(record[:RECORD_BYTES])


def _searchable(segments: Sequence[Segment]) -> list[Segment | SmallSegments]:
    """The same segments for searching: few, so that a lookup costs little."""
    by_size = sorted(segments, key=len)
    gathered = 0
    count = 0
    while count < len(by_size) and gathered + len(by_size[count]) <= _GATHERED_RECORDS:
        gathered += len(by_size[count])
        count += 1
    if count <= _FEW_SEGMENTS:
        return list(segments)
    return [*by_size[count:], SmallSegments(by_size[:count])]


class BlockIndex:
    """The union of all segments. Used from any thread; a refresh swaps the list as a whole.

    A damaged segment is left out and kept in `damage`: what it alone lists is then missing, all
    else stays readable, and the next session replaces it by what the packs say.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._segments: dict[str, Segment] = {}
        self._searched: list[Segment | SmallSegments] = []
        self.damage: dict[str, DamageError | UnsupportedFormatError] = {}

    @property
    def segments(self) -> list[Segment]:
        """All that could be opened."""
        return list(self._segments.values())

    def refresh(self) -> bool:
        """Opens segments that are new since the last time; whether there was any change."""
        listed: list[str] = []
        while True:
            listed, before = self._storage.list(names.INDEX), listed
            segments, vanished = self._open(listed)
            if not vanished or listed == before:
                break  # else what they held stands in a segment that is not in this list
        changed = segments.keys() != self._segments.keys()
        if changed:
            self._hold(segments)
        return changed

    def add(self, data: bytes | memoryview) -> int:
        """Stores a segment and searches it from now on; by how much the storage has grown."""
        name = segment_name(data)
        grown = len(data)
        try:
            self._storage.create(names.segment(name), data)
        except ObjectExistsError:
            grown = 0  # named by its bytes: the same segment is stored already
        segment = Segment(name, self._storage.view(names.segment(name)))
        if name not in self._segments:
            self._segments = {**self._segments, name: segment}
            self._searched = [*self._searched, segment]
        return grown

    def remove_damaged(self) -> int:
        """Removes segments whose bytes are not theirs, which help nobody; the growth, below 0.

        What they listed stands in the packs' footers. Raises StorageError.
        """
        grown = 0
        for name, error in list(self.damage.items()):
            if not isinstance(error, DamageError):
                continue  # of a newer version
            try:
                grown -= self._storage.size(names.segment(name))
                self._storage.delete(names.segment(name))
            except ObjectMissingError:
                pass  # somebody else removed it
            del self.damage[name]
        return grown

    def merge(self) -> int:
        """Makes one of segments that are of one size and many; the growth, mostly below 0.

        What is removed stands in a durable segment before, so a reader or another merge at the
        same time loses nothing. Raises StorageError, CorruptError.
        """
        grown = 0
        while chosen := outgrown(self._segments.values()):
            data = merged(chosen)
            grown += self.add(data)
            for segment in chosen:
                if segment.name != segment_name(data):
                    self._storage.delete(names.segment(segment.name))
                    grown -= segment.stored_bytes
            gone = {segment.name for segment in chosen} - {segment_name(data)}
            self._hold({name: one for name, one in self._segments.items() if name not in gone})
            _log.info("made one index segment of %d", len(chosen))
        return grown

    def find(self, kind: BlockType, block_id: BlockId) -> Iterator[Location]:
        """All places of a block; none where it is not listed."""
        for segment in self._searched:
            for location in segment.find(block_id):
                if location.type is kind:
                    yield location

    def missing(self, ids: Iterable[BlockId]) -> list[BlockId]:
        """Those of the ids that no segment lists, whatever their type; quicker than one by one."""
        # In order, a search lands beside the one before it, in memory that is at hand.
        left = sorted(ids)
        for segment in sorted(self._segments.values(), key=len, reverse=True):
            left = segment.absent(left)
        return left

    def _open(self, object_names: Iterable[str]) -> tuple[dict[str, Segment], bool]:
        """The segments that can be opened, and whether one has vanished since it was listed."""
        segments: dict[str, Segment] = {}
        damage: dict[str, DamageError | UnsupportedFormatError] = {}
        vanished = False
        for object_name in object_names:
            name = object_name.removeprefix(names.INDEX)
            try:
                known = self._segments.get(name)
                segments[name] = known or Segment(name, self._storage.view(object_name))
            except ObjectMissingError:
                vanished = True
            except (DamageError, UnsupportedFormatError) as error:
                damage[name] = error
        self.damage = damage
        return segments, vanished

    def _hold(self, segments: dict[str, Segment]) -> None:
        self._segments, self._searched = segments, _searchable(list(segments.values()))

    def packs(self) -> set[PackName]:
        """All packs that a segment lists."""
        return {pack for segment in self._segments.values() for pack in segment.packs()}

    def typed_packs(self) -> set[tuple[PackType, PackName]]:
        """All packs that a record of a segment names, with their types."""
        return {pack for segment in self._segments.values() for pack in segment.typed_packs()}

    def close(self) -> None:
        """Lets go of the mapped segments."""
        self._segments, self._searched = {}, []


def unlisted(objects: Iterable[str], listed: set[PackName]) -> list[tuple[PackType, PackName]]:
    """The packs among these object names that are not in `listed`."""
    found = []
    for object_name in objects:
        try:
            kind, name = names.split_pack(object_name)
        except CorruptError:
            continue  # not a pack; `check` names it
        if name not in listed:
            found.append((kind, name))
    return found
