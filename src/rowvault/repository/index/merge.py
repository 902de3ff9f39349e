"""Which index segments are put together, and what they make (docs/format.md, "Index").

Segments are merged when there are several of one size, so each record is written again once per
factor of 8 by which the index grows, and a repository has a handful of segments per factor.
"""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Iterable, Sequence

from rowvault.codec import kernel
from rowvault.core.errors import CorruptError
from rowvault.repository.index.seal import MAC_BYTES, SegmentSeal
from rowvault.repository.index.segment import RECORD_BYTES, Segment, complete, segment_head

_SIZE_BITS = 3
"""Segments are of one size if their numbers of records are within 2 to this power."""
_ENOUGH = 8
_MOST_RECORDS = 1 << 22
"""Of a merged segment, 128 MiB; larger ones stay as they are."""


def outgrown(segments: Iterable[Segment]) -> list[Segment]:
    """Segments of one size that should become one; none while there are few of each."""
    sizes: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        sizes[len(segment).bit_length() // _SIZE_BITS].append(segment)
    for _, equals in sorted(sizes.items()):
        chosen = _fitting(equals)
        if len(chosen) >= _ENOUGH:
            return chosen
    return []


def merged(segments: Iterable[Segment], seal: SegmentSeal | None = None) -> memoryview:
    """A segment of all their records; the same bytes for the same records in any distribution.

    Only what is sealed may become part of what is sealed: a record is never proven by a merge.
    The bytes lie in a temporary file, not in this process's own memory. Raises CorruptError.
    """
    chosen = list(segments)
    packs = sorted({pack for segment in chosen for pack in segment.packs})
    numbers = {pack: number.to_bytes(4, "little") for number, pack in enumerate(packs)}
    parts = [
        (segment.records_view, b"".join(numbers[pack] for pack in segment.packs))
        for segment in chosen
    ]
    head_bytes = len(segment_head(packs, 0))
    room = sum(len(records) for records, _ in parts)
    target = file_memory(head_bytes + room + MAC_BYTES)
    try:
        record_bytes = kernel.merge_records(parts, target[head_bytes : head_bytes + room])
    except ValueError as error:
        raise CorruptError(f"index segments cannot be merged: {error}") from error
    count = record_bytes // RECORD_BYTES
    target[:head_bytes] = segment_head(packs, count, is_sealed=seal is not None)
    return complete(target, head_bytes + record_bytes, seal)


def file_memory(size: int) -> memoryview:
    """Room for a segment in a temporary file, which is gone with the view."""
    # Start-up time: few runs merge segments, and this loads three compressors with it.
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.truncate(max(size, 1))
        return memoryview(mmap.mmap(file.fileno(), max(size, 1)))[:size]


def _fitting(segments: Sequence[Segment]) -> list[Segment]:
    chosen: list[Segment] = []
    room = _MOST_RECORDS
    for segment in sorted(segments, key=lambda segment: (len(segment), segment.name)):
        room -= len(segment)
        if room < 0:
            break
        chosen.append(segment)
    return chosen
