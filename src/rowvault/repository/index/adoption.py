"""What a session does about the index when it begins: lists packs that no segment lists.

Where writers seal segments, one without a MAC lists nothing: older programs have made it, or
somebody without a key. Its packs are listed anew, from their footers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from rowvault.core.errors import DamageError, UnsupportedFormatError
from rowvault.core.ids import PackName, SessionId
from rowvault.repository.index.index import BlockIndex, Segment, StoredPack
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackKeys, PackReader
from rowvault.storage.protocol import Storage

SEGMENT_RECORDS = 1 << 17
"""A segment that packs are listed in need not have more."""


def listed_packs(index: BlockIndex) -> set[PackName]:
    """Packs that need not be listed anew."""
    return {
        pack
        for segment in index.segments
        if segment.is_sealed or not index.seals
        for pack in segment.packs
    }


def superseded(index: BlockIndex, adopted: Collection[PackName] = ()) -> list[Segment]:
    """Segments that are not sealed, although writers seal, and whose packs sealed ones list.

    `adopted`: packs that are about to be listed.
    """
    if not index.seals:
        return []
    listed = listed_packs(index).union(adopted)
    return [one for one in index.unsealed_segments if listed.issuperset(one.packs)]


def adoptable(
    storage: Storage,
    keys: PackKeys,
    packs: Iterable[tuple[PackType, PackName]],
    live: Collection[SessionId],
    told: Callable[[PackName, DamageError | UnsupportedFormatError], None],
) -> Iterator[list[StoredPack]]:
    """These packs with their frames, but those of sessions at work, as many as make a segment.

    `told`: of one that cannot be read. Raises StorageError.
    """
    some: list[StoredPack] = []
    count = 0
    for kind, name in packs:
        try:
            pack = PackReader(storage, keys, kind, name)
            if pack.header.session in live:
                continue
            some.append((kind, name, pack.footer()))
        except (DamageError, UnsupportedFormatError) as error:
            told(name, error)
            continue
        count += len(some[-1][2])
        if count >= SEGMENT_RECORDS:
            yield some
            some, count = [], 0
    if some:
        yield some
