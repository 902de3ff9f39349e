"""Takes packs out of the index: each segment that lists one gives way to one that does not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Set

from rowvault.core.errors import RepositoryError
from rowvault.core.ids import PackName
from rowvault.repository import names
from rowvault.repository.index.index import BlockIndex, Segment, segment_name
from rowvault.repository.index.merge import file_memory
from rowvault.repository.index.seal import MAC_BYTES, SegmentSeal
from rowvault.repository.index.segment import RECORD_BYTES, complete, segment_head
from rowvault.storage.protocol import Storage

_PACK_AT, _PACK_END = 16, 20


def remove_packs(
    storage: Storage, index: BlockIndex, packs: Set[PackName], still_ours: Callable[[], None]
) -> int:
    """Replaces all segments that list any of the packs; the growth of the storage, below 0.

    `still_ours` raises RepositoryError once somebody else does this work; what was just added is
    taken back then. Raises StorageError.
    """
    grown = 0
    while True:
        index.refresh()
        affected = [one for one in index.segments if not packs.isdisjoint(one.packs)]
        if not affected:
            return grown
        for segment in affected:
            data = _without(segment, packs, index.seal if segment.is_sealed else None)
            if data is not None:
                grown += index.add(data)
            try:
                still_ours()
            except RepositoryError:
                if data is not None:
                    storage.delete(names.segment(segment_name(data)))
                raise
            storage.delete(names.segment(segment.name))
            grown -= segment.stored_bytes


def _without(segment: Segment, packs: Set[PackName], seal: SegmentSeal | None) -> memoryview | None:
    """The segment of the packs that stay, in their order; None where none does."""
    numbers: dict[bytes, bytes] = {}
    staying: list[PackName] = []
    for location, name in enumerate(segment.packs):
        if name not in packs:
            numbers[location.to_bytes(4, "little")] = len(staying).to_bytes(4, "little")
            staying.append(name)
    if not staying:
        return None
    at = head_bytes = len(segment_head(staying, 0))
    target = file_memory(head_bytes + RECORD_BYTES * len(segment) + MAC_BYTES)
    for _, block in itertools.groupby(segment.records(), key=lambda record: record[:_PACK_AT]):
        renumbered = [
            record[:_PACK_AT] + number + record[_PACK_END:]
            for record in block
            if (number := numbers.get(record[_PACK_AT:_PACK_END])) is not None
        ]
        for record in sorted(renumbered):  # by bytes, which is not the order of the numbers
            target[at : at + RECORD_BYTES] = record
            at += RECORD_BYTES
    count = (at - head_bytes) // RECORD_BYTES
    target[:head_bytes] = segment_head(staying, count, is_sealed=seal is not None)
    return complete(target, at, seal)
