"""Stores blocks anew that a reader may take for something else which searches no bases.

Deltas of the older kinds do not state in which arrangement they need their bases. Where these stand
in several, or in another one than a delta was made of, programs of earlier versions fail, or read
the block only as long as the index happens to list the right copy first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from rowvault.core.errors import DamageError
from rowvault.core.ids import BlockId
from rowvault.repository.blocks.bases import Bases
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.index.index import BlockIndex, Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.session import WriteSession
from rowvault.upkeep.rebase import alone

_log = logging.getLogger(__name__)


def store_anew(index: BlockIndex, blocks: BlockReader, session: WriteSession) -> int:
    """Stores each such block once more, on its own; how many that were. Raises StorageError.

    They are durable and listed then. What is damaged is left as it is.
    """
    count = 0
    for prefix, location in _old_deltas(index, blocks):
        try:
            if _has_plain_frame(index, blocks.bases, prefix, location):
                continue
            header, payload = blocks.frame(prefix, location)
            frame = alone(header, blocks.bases.prove(header, payload, location))
        except DamageError as error:
            _log.info("%s", error)
            continue
        count += session.put_frame(*frame)
    if count:
        session.flush()
    return count


def _old_deltas(index: BlockIndex, blocks: BlockReader) -> Iterator[tuple[bytes, Location]]:
    """(half of the id, place) of all deltas that do not state arrangements."""
    for segment in index.segments:
        for record in segment.records():
            prefix, location = record[:PREFIX_BYTES], segment.decode(record)
            try:
                if location.depth and not blocks.header(prefix, location).arrangements:
                    yield prefix, location
            except DamageError as error:
                _log.info("%s", error)


def _has_plain_frame(index: BlockIndex, bases: Bases, prefix: bytes, location: Location) -> bool:
    def is_plain(location: Location) -> bool:
        try:
            return bases.is_plain(prefix, location)
        except DamageError as error:
            _log.info("%s", error)
            return False

    return any(is_plain(one) for one in index.find(location.type, BlockId(prefix)))
