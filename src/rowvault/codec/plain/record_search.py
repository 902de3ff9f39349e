"""Records of the block index, found by the ids of blocks (docs/format.md, "Index")."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import view_bytes
from rowvault.codec.plain.records import PREFIX, RECORD, check_records

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    Found = tuple[array[int], array[int], array[int], bytes]
    """See RecordSearch.find."""

TYPE_AT: Final = 28


class RecordSearch:
    """Sorted records in several parts, searched as one. Used from any thread.

    Where a part is not sorted, some of its records are not found.
    """

    def __init__(self, parts: Sequence[Buffer]) -> None:
        """`parts`: buffers, which stay as they are. Raises ValueError."""
        self._parts = [view_bytes(part).cast("B") for part in parts]
        for part in self._parts:
            check_records(len(part), RECORD)

    def find(self, ids: Sequence[bytes], kind: int) -> Found:
        """All records of blocks of one type whose ids begin like these, by 16 bytes of each.

        (the end of those of each id in what follows, numbers of parts, numbers of records in them,
        the records themselves); of one id ascending. Raises ValueError for an id that is too short.
        """
        ends, parts, numbers = array("I"), array("I"), array("I")
        found = bytearray()
        for one in ids:
            if len(one) < PREFIX:
                raise ValueError(f"an id has at least {PREFIX} bytes")
            for part, records in enumerate(self._parts):
                for number, record in _matching(records, one[:PREFIX]):
                    if record[TYPE_AT] == kind:
                        parts.append(part)
                        numbers.append(number)
                        found += record
            ends.append(len(parts))
        return ends, parts, numbers, bytes(found)


def _matching(records: memoryview, prefix: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, record) of those that begin with the prefix."""
    count = len(records) // RECORD
    first = bisect_left(range(count), prefix, key=lambda at: _record(records, at)[:PREFIX])
    for number in range(first, count):
        record = _record(records, number)
        if not record.startswith(prefix):
            return
        yield number, record


def _record(records: memoryview, number: int) -> bytes:
    return bytes(records[number * RECORD : (number + 1) * RECORD])
