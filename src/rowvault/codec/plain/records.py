"""Records of the block index, ascending (docs/format.md, "Index")."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rowvault.codec.plain.buffers import take_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from _typeshed import WriteableBuffer

_RECORD: Final = struct.Struct("<16sIIIBBBB")
"""Half of an id, pack number, offset, bytes of the frame, type, depth, pack type, reserved."""
RECORD: Final = 32
PREFIX: Final = 16
MOST_RECORDS: Final = (1 << 32) - 2

Place = TypeVar("Place", bound=tuple[Any, ...])


def make_places(
    records: Buffer,
    parts: array[int],
    names: Sequence[tuple[str, ...]],
    types: tuple[object, ...],
    kind: object,
    make: type[Place],
) -> list[Place]:
    """For each record what it says of a block's place, as `make`, a kind of tuple.

    (its pack's type out of `types`, which are numbered from 1, its pack's name out of those of its
    part, offset, bytes, `kind`, depth). Raises IndexError where there is no such type or name.
    """
    pieces = _pieces(records, RECORD)
    if len(pieces) != len(parts):
        raise ValueError("there are not as many parts as records")
    found = []
    for part, record in zip(parts, pieces, strict=True):
        _, number, offset, frame_bytes, _, depth, pack_type, _ = _RECORD.unpack(record)
        if not pack_type:
            raise IndexError(pack_type)
        place = types[pack_type - 1], names[part][number], offset, frame_bytes, kind, depth
        found.append(tuple.__new__(make, place))
    return found


def merge_records(parts: Sequence[tuple[Buffer, Buffer]], target: WriteableBuffer) -> int:
    """Merges sorted records into `target`, each once; the number of bytes written.

    `parts` holds (records, numbers): 4 bytes for each pack of that part, its new number. The
    target has room for the records of all parts. Raises ValueError.
    """
    merged: set[bytes] = set()
    total = 0
    for records, numbers in parts:
        renumbered = _pieces(numbers, 4)
        for record in _pieces(records, RECORD):
            number = int.from_bytes(record[PREFIX : PREFIX + 4], "little")
            if number >= len(renumbered):
                raise ValueError("a record names a pack that its part does not list")
            merged.add(record[:PREFIX] + renumbered[number] + record[PREFIX + 4 :])
            total += RECORD
    room = memoryview(target).cast("B")
    if room.readonly:
        raise BufferError("the target is read-only")
    if len(room) < total:
        raise ValueError("the target is too small")
    data = b"".join(sorted(merged))
    room[: len(data)] = data
    return len(data)


def _pieces(data: Buffer, size: int) -> list[bytes]:
    held = take_bytes(data)
    check_records(len(held), size)
    return [held[at : at + size] for at in range(0, len(held), size)]


def check_records(byte_count: int, size: int) -> None:
    """Raises ValueError unless so many bytes are whole records, and not too many."""
    if byte_count % size or byte_count // size > MOST_RECORDS:
        raise ValueError(f"not whole records of {size} bytes, or more than 2^32 - 2 of them")
