"""The records by which a prune goes: what packs themselves state, not what a segment claims.

A segment that is not sealed can be written by anybody. Of the packs that it lists the footers are
read, which only a holder of the key can have made; a record that disagrees with its pack's footer
is named, and believed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rowvault.codec.frames import BlockType
from rowvault.core.errors import CorruptError, DamageError, UnsupportedFormatError
from rowvault.core.ids import PackName
from rowvault.repository.index.adoption import adoptable
from rowvault.repository.index.index import BlockIndex
from rowvault.repository.index.merge import merged
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.index.segment import (
    PREFIX_BYTES,
    Location,
    Segment,
    StoredPack,
    encode_segment,
    segment_name,
)
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackKeys
from rowvault.storage.protocol import Storage


class ProvenIndex:
    """Sealed segments, and the footers of all packs that none of them lists."""

    def __init__(self, storage: Storage, keys: PackKeys, index: BlockIndex) -> None:
        self._storage = storage
        self._keys = keys
        self._index = index
        self._from_footers: list[Segment] = []
        self._read: set[PackName] = set()
        self._known: set[PackName] = set()
        self._search = IndexSearch(())
        self.unreadable: dict[PackName, DamageError] = {}
        """Packs whose footers cannot be read, and that no sealed segment lists."""

    @property
    def segments(self) -> list[Segment]:
        """All that can be gone by."""
        return [*self._index.sealed_segments, *self._from_footers]

    def refresh(self, stored: Mapping[PackName, PackType]) -> None:
        """Reads the footers of packs that are new; the index must have been refreshed before."""
        listed = {pack for one in self._index.sealed_segments for pack in one.packs}
        new = sorted(stored.keys() - listed - self._read)
        packs = [(stored[one], one) for one in new]
        read = adoptable(self._storage, self._keys, packs, (), self._unread)
        parts = [_segment(some) for some in read]
        if len(parts) > 1:
            data = merged(parts)
            parts = [Segment(segment_name(data), data)]
        self._read.update(new)
        self._known = self._read | listed
        self._from_footers += parts
        self._search = IndexSearch(self.segments)

    def _unread(self, name: PackName, error: DamageError | UnsupportedFormatError) -> None:
        if isinstance(error, UnsupportedFormatError):
            raise error
        self.unreadable[name] = error

    def find(self, kind: BlockType, block_id: bytes) -> Sequence[Location]:
        """All places of a block; none where it is not listed. Half of its id serves."""
        return self._search.find(kind, block_id)

    def false_claims(self, unsealed: Sequence[Segment]) -> Iterator[CorruptError]:
        """Of each of these that says of a pack what that does not hold."""
        if not unsealed or self._agree(unsealed):
            return
        for segment in unsealed:
            pack = self._misplaced(segment)
            if pack is not None:
                yield CorruptError(
                    f"index segment {segment.name} says of pack {pack} what that does not hold: "
                    "the segment is forged or damaged"
                )

    def _agree(self, unsealed: Sequence[Segment]) -> bool:
        """Whether they add no record to what is proven; quick, and mostly so."""
        try:
            return _distinct(self.segments) == _distinct([*self.segments, *unsealed])
        except CorruptError:
            return False

    def _misplaced(self, segment: Segment) -> PackName | None:
        """A pack of which the segment has a record that is false."""
        for record in segment.records():
            location = segment.decode(record)
            if location.pack in self.unreadable or location.pack not in self._known:
                continue  # what it holds nobody can tell
            if location not in self.find(location.type, record[:PREFIX_BYTES]):
                return location.pack
        return None


def _segment(packs: Sequence[StoredPack]) -> Segment:
    data = encode_segment(packs)
    return Segment(segment_name(data), memoryview(data))


def _distinct(segments: Sequence[Segment]) -> int:
    """How many records there are, each counted once."""
    data = merged(segments)
    return len(Segment(segment_name(data), data))
