"""One segment of the block index: its bytes, and what they list (docs/format.md, "Index").

segment  magic 8 | version u32 | pack count u32 | record count u32 | reserved 12
         | pack names, 32 bytes each | records, 32 bytes each, sorted by id prefix
         | with version 2: MAC 32
record   id prefix 16 | pack u32 | offset u32 | frame bytes u32 | type 1 | depth 1 | pack type 1
         | reserved 1
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from blake3 import blake3

from rowvault.codec.frames import BlockType
from rowvault.core.errors import CorruptError, TruncatedError
from rowvault.core.ids import PackName
from rowvault.core.versions import reader_of
from rowvault.repository.index.seal import MAC_BYTES, SegmentSeal
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackEntry

MAGIC = b"ROWVINDX"
UNSEALED, SEALED = 1, 2
"""The versions: without a MAC, and with one."""
_MAC_BYTES = {UNSEALED: 0, SEALED: MAC_BYTES}
"""Version -> bytes behind the records: the versions that are read."""
_HEADER = struct.Struct("<8sIII12x")
_RECORD = struct.Struct("<16sIIIBBBB")
_PACK_OF_RECORD = struct.Struct("<16xI10xBx")
_WHOLE_RECORD = struct.Struct(f"{_RECORD.size}s")
HEADER_BYTES = _HEADER.size
RECORD_BYTES = _RECORD.size
PACK_NAME_BYTES = 32
PREFIX_BYTES = 16
MOST_RECORDS = (1 << 27) - 1
"""In one segment: its records are less than 4 GiB."""


class Location(NamedTuple):
    """Where a frame stands."""

    pack_type: PackType
    pack: PackName
    offset: int
    frame_bytes: int
    type: BlockType
    depth: int = 0
    """Frames that this one builds on, one on the other; 0: it stands alone."""


StoredPack = tuple[PackType, PackName, Sequence[PackEntry]]


def encode_segment(packs: Sequence[StoredPack], seal: SegmentSeal | None = None) -> bytes:
    """A segment that lists all frames of these packs; without a seal anybody can have made it."""
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
    head = segment_head([name for _, name, _ in packs], len(records), is_sealed=seal is not None)
    body = head + b"".join(records)
    return body if seal is None else body + seal.mac(blake3(body).digest())


def segment_head(packs: Sequence[PackName], record_count: int, *, is_sealed: bool = False) -> bytes:
    """What stands in front of the records, which are sorted and number these packs."""
    version = SEALED if is_sealed else UNSEALED
    header = _HEADER.pack(MAGIC, version, len(packs), record_count)
    return b"".join((header, *map(bytes.fromhex, packs)))


def complete(target: memoryview, body_bytes: int, seal: SegmentSeal | None) -> memoryview:
    """The segment whose bytes but the MAC stand at the beginning of `target`."""
    if seal is None:
        return target[:body_bytes]
    end = body_bytes + MAC_BYTES
    target[body_bytes:end] = seal.mac(blake3(target[:body_bytes]).digest())
    return target[:end]


def segment_bytes(packs: int, records: int, *, is_sealed: bool) -> int:
    """The size of a segment of so many packs and records."""
    body = HEADER_BYTES + PACK_NAME_BYTES * packs + RECORD_BYTES * records
    return body + MAC_BYTES if is_sealed else body


def segment_name(data: bytes | memoryview) -> str:
    """64 hex digits: the BLAKE3-256 of the segment's bytes."""
    return blake3(data).hexdigest()


class Segment:
    """One immutable, sorted run of records, searched where it stands. Used from any thread."""

    def __init__(self, name: str, data: memoryview, seal: SegmentSeal | None = None) -> None:
        """Without a `seal` none is verified: it then counts as made by anybody.

        Raises TruncatedError, CorruptError, UnsupportedFormatError.
        """
        self.name = name
        self._data = data
        if len(data) < HEADER_BYTES:
            raise TruncatedError(f"index segment {name} has {len(data)} bytes, too few")
        magic, version, pack_count, count = _HEADER.unpack_from(data)
        mac_bytes = _MAC_BYTES.get(version, 0)
        hasher = blake3(data[: len(data) - mac_bytes])
        digest, mac = hasher.digest(), bytes(data[len(data) - mac_bytes :])
        if hasher.update(mac).hexdigest() != name or magic != MAGIC:
            raise CorruptError(f"index segment {name} does not hold the bytes that name it")
        reader_of(_MAC_BYTES, version, f"index segment {name}")
        self.is_sealed = version == SEALED and seal is not None
        """Whether only a holder of the repository's key can have made it."""
        if seal is not None and version == SEALED and not seal.is_mac(digest, mac):
            raise CorruptError(
                f"index segment {name} was made by somebody without the repository's key: its MAC "
                "is another one"
            )
        self._pack_count: int = pack_count
        self._count: int = count
        self._records_at = HEADER_BYTES + PACK_NAME_BYTES * self._pack_count
        end = self._records_at + RECORD_BYTES * self._count
        if len(data) != end + mac_bytes:
            raise CorruptError(f"index segment {name} is not as long as its header says")
        if self._count > MOST_RECORDS:
            raise CorruptError(f"index segment {name} has {self._count} records, too many for one")
        self.records_view = data[self._records_at : end]
        """All records as they are stored, in order."""

    def __len__(self) -> int:
        return self._count

    @property
    def stored_bytes(self) -> int:
        """Of the whole object."""
        return len(self._data)

    @cached_property
    def packs(self) -> tuple[PackName, ...]:
        """The packs whose frames it lists, as its records number them."""
        text = self._data[HEADER_BYTES : self._records_at].hex()
        digits = 2 * PACK_NAME_BYTES
        return tuple(PackName(text[at : at + digits]) for at in range(0, len(text), digits))

    def typed_packs(self) -> set[tuple[PackType, PackName]]:
        """The packs that its records name."""
        found = set(_PACK_OF_RECORD.iter_unpack(self.records_view))
        return {(self._pack_type(kind), self._pack(number)) for number, kind in found}

    def record_counts(self) -> Counter[PackName]:
        """How many records each pack has."""
        records = _PACK_OF_RECORD.iter_unpack(self.records_view)
        counts = Counter(number for number, _ in records)
        return Counter({self._pack(number): count for number, count in counts.items()})

    def locations(self, pack: PackName) -> Iterator[tuple[bytes, Location]]:
        """(id prefix, location) of one pack's records, in the order of their prefixes."""
        numbers = [number for number, one in enumerate(self.packs) if one == pack]
        if not numbers:
            return
        for record in _RECORD.iter_unpack(self.records_view):
            if record[1] in numbers:
                yield record[0], self._location(record)

    def records(self) -> Iterator[bytes]:
        """All records as they are stored, in order."""
        return (record for (record,) in _WHOLE_RECORD.iter_unpack(self.records_view))

    def decode(self, record: bytes) -> Location:
        """The location that one of this segment's records states."""
        return self._location(_RECORD.unpack(record))

    def _location(self, record: tuple[bytes, int, int, int, int, int, int, int]) -> Location:
        _, number, offset, frame_bytes, kind, depth, pack_type, _ = record
        if kind not in (BlockType.DATA, BlockType.NODE):
            raise CorruptError(f"index segment {self.name} states block type {kind}")
        return Location(
            self._pack_type(pack_type),
            self._pack(number),
            offset,
            frame_bytes,
            BlockType(kind),
            depth,
        )

    def _pack_type(self, number: int) -> PackType:
        if number not in (PackType.DATA, PackType.TREE):
            raise CorruptError(f"index segment {self.name} states pack type {number}")
        return PackType(number)

    def _pack(self, number: int) -> PackName:
        if number >= self._pack_count:
            raise self._unlisted_pack()
        return self.packs[number]

    def _unlisted_pack(self) -> CorruptError:
        return CorruptError(f"index segment {self.name} names a pack that it does not list")
