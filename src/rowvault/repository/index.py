"""The block index: block id -> pack, offset, length (docs/format.md, "Index").

segment  magic 8 | version u32 | pack count u32 | record count u32 | reserved 12
         | pack names, 32 bytes each | records, 32 bytes each, sorted by id prefix
record   id prefix 16 | pack u32 | offset u32 | frame bytes u32 | type 1 | depth 1 | pack type 1
         | reserved 1
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from blake3 import blake3

from rowvault.codec.frames import BlockType
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectExistsError,
    ObjectMissingError,
    TruncatedError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName
from rowvault.repository import names
from rowvault.repository.names import PackType
from rowvault.repository.pack import PackEntry
from rowvault.storage.protocol import Storage

MAGIC = b"ROWVINDX"
VERSION = 1
_HEADER = struct.Struct("<8sIII12x")
_RECORD = struct.Struct("<16sIIIBBBB")
_PACK_OF_RECORD = struct.Struct("<16xI10xBx")
HEADER_BYTES = _HEADER.size
RECORD_BYTES = _RECORD.size
PACK_NAME_BYTES = 32
PREFIX_BYTES = 16


class Location(NamedTuple):
    """Where a frame stands."""

    pack_type: PackType
    pack: PackName
    offset: int
    frame_bytes: int
    type: BlockType


StoredPack = tuple[PackType, PackName, Sequence[PackEntry]]


def encode_segment(packs: Sequence[StoredPack]) -> bytes:
    """A segment that lists all frames of these packs."""
    records = sorted(
        _RECORD.pack(
            entry.id[:PREFIX_BYTES],
            number,
            entry.offset,
            entry.frame_bytes,
            entry.type,
            entry.depth,
            kind,
            0,
        )
        for number, (kind, _, entries) in enumerate(packs)
        for entry in entries
    )
    header = _HEADER.pack(MAGIC, VERSION, len(packs), len(records))
    pack_names = b"".join(bytes.fromhex(name) for _, name, _ in packs)
    return b"".join((header, pack_names, *records))


def segment_name(data: bytes | memoryview) -> str:
    """64 hex digits: the BLAKE3-256 of the segment's bytes."""
    return blake3(data).hexdigest()


class Segment:
    """One immutable, sorted run of records, searched where it stands. Used from any thread."""

    def __init__(self, name: str, data: memoryview) -> None:
        """Raises TruncatedError, CorruptError, UnsupportedFormatError."""
        self.name = name
        self._data = data
        if len(data) < HEADER_BYTES:
            raise TruncatedError(f"index segment {name} has {len(data)} bytes, too few")
        magic, version, pack_count, count = _HEADER.unpack_from(data)
        if segment_name(data) != name or magic != MAGIC:
            raise CorruptError(f"index segment {name} does not hold the bytes that name it")
        if version != VERSION:
            raise UnsupportedFormatError(
                f"index segment {name} has version {version}; "
                f"this version of rowvault reads {VERSION}"
            )
        self._pack_count: int = pack_count
        self._count: int = count
        self._records_at = HEADER_BYTES + PACK_NAME_BYTES * self._pack_count
        if len(data) != self._records_at + RECORD_BYTES * self._count:
            raise CorruptError(f"index segment {name} is not as long as its header says")

    def __len__(self) -> int:
        return self._count

    def packs(self) -> Iterator[PackName]:
        """The packs whose frames it lists."""
        return (self._pack(number) for number in range(self._pack_count))

    def find(self, block_id: BlockId) -> Iterator[Location]:
        """Where this block stands, by the first half of its id."""
        prefix = block_id[:PREFIX_BYTES]
        index = self._first(prefix)
        while index < self._count:
            record = _RECORD.unpack_from(self._data, self._records_at + index * RECORD_BYTES)
            if record[0] != prefix:
                return
            yield self._location(record)
            index += 1

    def typed_packs(self) -> set[tuple[PackType, PackName]]:
        """The packs that its records name."""
        found = set(_PACK_OF_RECORD.iter_unpack(self._data[self._records_at :]))
        return {(PackType(kind), self._pack(number)) for number, kind in found}

    def record_counts(self) -> Counter[PackName]:
        """How many records each pack has."""
        records = _PACK_OF_RECORD.iter_unpack(self._data[self._records_at :])
        counts = Counter(number for number, _ in records)
        return Counter({self._pack(number): count for number, count in counts.items()})

    def locations(self, pack: PackName) -> Iterator[tuple[bytes, Location]]:
        """(id prefix, location) of one pack's records, in the order of their prefixes."""
        numbers = [n for n in range(self._pack_count) if self._pack(n) == pack]
        if not numbers:
            return
        for record in _RECORD.iter_unpack(self._data[self._records_at :]):
            if record[1] in numbers:
                yield record[0], self._location(record)

    def _first(self, prefix: bytes) -> int:
        """The first record with this prefix or a greater one."""
        data, start = self._data, self._records_at
        low, high = 0, self._count
        while low < high:
            middle = (low + high) >> 1
            at = start + middle * RECORD_BYTES
            if bytes(data[at : at + PREFIX_BYTES]) < prefix:
                low = middle + 1
            else:
                high = middle
        return low

    def _location(self, record: tuple[bytes, int, int, int, int, int, int, int]) -> Location:
        _, number, offset, frame_bytes, kind, _, pack_type, _ = record
        if number >= self._pack_count:
            raise CorruptError(f"index segment {self.name} names a pack that it does not list")
        return Location(
            PackType(pack_type), self._pack(number), offset, frame_bytes, BlockType(kind)
        )

    def _pack(self, number: int) -> PackName:
        at = HEADER_BYTES + number * PACK_NAME_BYTES
        return PackName(self._data[at : at + PACK_NAME_BYTES].hex())


class BlockIndex:
    """The union of all segments. Used from any thread; a refresh swaps the list as a whole.

    A damaged segment is left out and kept in `damage`: what it alone lists is then missing, all
    else stays readable, and the next session lists its packs again.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._segments: dict[str, Segment] = {}
        self.damage: dict[str, DamageError | UnsupportedFormatError] = {}

    @property
    def segments(self) -> list[Segment]:
        """All that could be opened."""
        return list(self._segments.values())

    def refresh(self) -> bool:
        """Opens segments that are new since the last time; whether there was any change."""
        segments: dict[str, Segment] = {}
        damage: dict[str, DamageError | UnsupportedFormatError] = {}
        for object_name in self._storage.list(names.INDEX):
            name = object_name.removeprefix(names.INDEX)
            known = self._segments.get(name)
            try:
                segments[name] = known or Segment(name, self._storage.view(object_name))
            except ObjectMissingError:
                continue  # removed since it was listed: what it held stands in a newer one
            except (DamageError, UnsupportedFormatError) as error:
                damage[name] = error
        changed = segments.keys() != self._segments.keys()
        self._segments, self.damage = segments, damage
        return changed

    def add(self, data: bytes) -> int:
        """Stores a segment and searches it from now on; its bytes."""
        name = segment_name(data)
        try:
            self._storage.create(names.segment(name), data)
        except ObjectExistsError:
            pass  # named by its bytes: the same segment is stored already
        segment = Segment(name, self._storage.view(names.segment(name)))
        self._segments = {**self._segments, name: segment}
        return len(data)

    def find(self, kind: BlockType, block_id: BlockId) -> Iterator[Location]:
        """All places of a block; none where it is not listed."""
        for segment in self._segments.values():
            for location in segment.find(block_id):
                if location.type is kind:
                    yield location

    def packs(self) -> set[PackName]:
        """All packs that a segment lists."""
        return {pack for segment in self._segments.values() for pack in segment.packs()}

    def typed_packs(self) -> set[tuple[PackType, PackName]]:
        """All packs that a record of a segment names, with their types."""
        return {pack for segment in self._segments.values() for pack in segment.typed_packs()}

    def close(self) -> None:
        """Lets go of the mapped segments."""
        self._segments = {}


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
