"""The block index: the union of all segments, searched as one (docs/format.md, "Index")."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from rowvault.codec.frames import BlockType
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName
from rowvault.repository import names
from rowvault.repository.index.merge import merged, outgrown
from rowvault.repository.index.seal import SegmentSeal
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
from rowvault.repository.packs.pack import PackEntry
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


class BlockIndex:
    """The union of all segments. Used from any thread; a refresh swaps the list as a whole.

    A damaged segment is left out and kept in `damage`: what it alone lists is then missing, all
    else stays readable, and the next session replaces it by what the packs say.
    """

    def __init__(
        self, storage: Storage, seal: SegmentSeal | None = None, *, seals: bool = False
    ) -> None:
        """`seals`: writers seal the segments that they make, so those without a MAC are not theirs.

        Without a `seal` no MAC is verified, and every segment counts as made by anybody.
        """
        self._storage = storage
        self.seal = seal
        self.seals = seals and seal is not None
        self._segments: dict[str, Segment] = {}
        self._search = self._sealed_search = IndexSearch(())
        self._advice: str | None = None
        self.damage: dict[str, DamageError | UnsupportedFormatError] = {}

    @property
    def segments(self) -> list[Segment]:
        """All that could be opened."""
        return list(self._segments.values())

    @property
    def has_unsealed(self) -> bool:
        """Whether there is a segment that anybody can have made."""
        return self._sealed_search is not self._search

    @property
    def sealed_segments(self) -> list[Segment]:
        """Those that only a holder of the key can have made: all that they say is true."""
        return [one for one in self._segments.values() if one.is_sealed]

    @property
    def unsealed_segments(self) -> list[Segment]:
        """Those that anybody can have made: what they say is to be proven."""
        return [one for one in self._segments.values() if not one.is_sealed]

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

    def encode(self, packs: Sequence[StoredPack]) -> bytes:
        """A segment of these packs, as writers make it in this repository."""
        return encode_segment(packs, self.seal if self.seals else None)

    def add(self, data: bytes | memoryview) -> int:
        """Stores a segment and searches it from now on; by how much the storage has grown."""
        name = segment_name(data)
        grown = len(data)
        try:
            self._storage.create(names.segment(name), data)
        except ObjectExistsError:
            grown = 0  # named by its bytes: the same segment is stored already
        segment = Segment(name, self._storage.view(names.segment(name)), self.seal)
        if name not in self._segments:
            self._hold({**self._segments, name: segment})
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
        seal = self.seal if self.seals else None
        while chosen := outgrown(self.sealed_segments if seal else self.unsealed_segments):
            data = merged(chosen, seal)
            grown += self.add(data)
            for segment in chosen:
                if segment.name != segment_name(data):
                    self._storage.delete(names.segment(segment.name))
                    grown -= segment.stored_bytes
            gone = {segment.name for segment in chosen} - {segment_name(data)}
            self._hold({name: one for name, one in self._segments.items() if name not in gone})
            _log.info("made one index segment of %d", len(chosen))
        return grown

    def find(self, kind: BlockType, block_id: bytes) -> list[Location]:
        """All places of a block; none where it is not listed. Half of its id serves."""
        return self._search.find(kind, block_id)

    def find_sealed(self, kind: BlockType, block_id: bytes) -> list[Location]:
        """Those places of a block that a sealed segment states: there it stands."""
        return self._sealed_search.find(kind, block_id)

    def find_all(self, kind: BlockType, ids: Sequence[bytes]) -> Iterator[Sequence[Location]]:
        """For each of the blocks, all of its places; far quicker than one by one."""
        return self._search.find_all(kind, ids)

    def find_entries(
        self, entries: Sequence[PackEntry]
    ) -> Iterator[tuple[PackEntry, Sequence[Location]]]:
        """Entries of a pack's footer, by their types, with all places of their blocks."""
        for kind in BlockType:
            some = [entry for entry in entries if entry.type is kind]
            yield from zip(some, self.find_all(kind, [one.id for one in some]), strict=True)

    def _open(self, object_names: Iterable[str]) -> tuple[dict[str, Segment], bool]:
        """The segments that can be opened, and whether one has vanished since it was listed."""
        segments: dict[str, Segment] = {}
        damage: dict[str, DamageError | UnsupportedFormatError] = {}
        vanished = False
        for object_name in object_names:
            name = object_name.removeprefix(names.INDEX)
            try:
                known = self._segments.get(name)
                segments[name] = known or Segment(name, self._storage.view(object_name), self.seal)
            except ObjectMissingError:
                vanished = True
            except (DamageError, UnsupportedFormatError) as error:
                damage[name] = error
        self.damage = damage
        self._advice = None
        return segments, vanished

    def _hold(self, segments: dict[str, Segment]) -> None:
        sealed = [one for one in segments.values() if one.is_sealed]
        search = IndexSearch(segments.values())
        is_same = len(sealed) == len(segments)
        self._sealed_search = search if is_same else IndexSearch(sealed)
        self._segments, self._search = segments, search

    def packs(self) -> set[PackName]:
        """All packs that a segment lists."""
        return {pack for segment in self._segments.values() for pack in segment.packs}

    def typed_packs(self) -> set[tuple[PackType, PackName]]:
        """All packs that a record of a segment names, with their types."""
        return {pack for segment in self._segments.values() for pack in segment.typed_packs()}

    def advice(self) -> str:
        """What a message about a block that is not listed adds: packs that are not listed either.

        Empty where there are none, or where packs cannot be listed now.
        """
        if self._advice is None:
            self._advice = self._advise()
        return self._advice

    def _advise(self) -> str:
        try:
            count = len(unlisted(self._storage.list(names.PACKS), self.packs()))
        except StorageError as error:
            _log.info("%s", error)
            return ""
        if not count:
            return ""
        lie, them = ("1 pack lies", "it") if count == 1 else (f"{count} packs lie", "them")
        return (
            f"; {lie} there that the index does not list, as where an old index was copied beside "
            f"new packs: `rowvault repair` lists {them}, or copy index/ again"
        )

    def close(self) -> None:
        """Lets go of the mapped segments."""
        self._hold({})


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
