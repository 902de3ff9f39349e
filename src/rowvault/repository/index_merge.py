"""Which index segments are put together, and what they make (docs/format.md, "Index").

Segments are merged when there are several of one size, so each record is written again once per
factor of 8 by which the index grows, and a repository has a handful of segments per factor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rowvault.repository.index_segment import Segment, pack_segment

_SIZE_BITS = 3
"""Segments are of one size if their numbers of records are within 2 to this power."""
_ENOUGH = 8
_MOST_RECORDS = 1 << 19
"""Merged in memory at once, about 100 bytes each; larger segments stay as they are."""


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


def merged(segments: Iterable[Segment]) -> bytes:
    """A segment of all their records; the same bytes for the same records in any distribution."""
    chosen = list(segments)
    packs = sorted({pack for segment in chosen for pack in segment.packs()})
    numbers = {pack: number.to_bytes(4, "little") for number, pack in enumerate(packs)}
    records: set[bytes] = set()
    for segment in chosen:
        renumbered = [numbers[pack] for pack in segment.packs()]
        records.update(segment.renumbered_records(renumbered))
    return pack_segment(packs, sorted(records))


def _fitting(segments: Sequence[Segment]) -> list[Segment]:
    chosen: list[Segment] = []
    room = _MOST_RECORDS
    for segment in sorted(segments, key=lambda one: (len(one), one.name)):
        room -= len(segment)
        if room < 0:
            break
        chosen.append(segment)
    return chosen
