"""Records of the block index, ascending: 16 bytes of an id, 4 of a pack's number, 12 more."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from _typeshed import WriteableBuffer

RECORD: Final = 32
PREFIX: Final = 16
NO_RECORD: Final = (1 << 32) - 1


def search_records(records: Buffer, wanted: Buffer) -> array[int]:
    """For each prefix in `wanted`, 16 bytes each, the number of the first record that begins with
    it; 2^32 - 1 where there is none. Raises ValueError."""
    held = _pieces(records, RECORD)
    found = array("I")
    for prefix in _pieces(wanted, PREFIX):
        at = bisect_left(held, prefix)
        is_there = at < len(held) and held[at].startswith(prefix)
        found.append(at if is_there else NO_RECORD)
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
    if len(held) % size or len(held) // size >= NO_RECORD:
        raise ValueError(f"not whole records of {size} bytes, or more than 2^32 - 2 of them")
    return [held[at : at + size] for at in range(0, len(held), size)]
