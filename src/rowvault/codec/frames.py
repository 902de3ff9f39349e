"""Frames: how one block stands in a pack (docs/format.md, "Frames").

header | payload (stored_bytes) | tag (16 bytes)
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.compression import (
    NO_COMPRESSION,
    compress,
    compress_parts,
    decompress,
    decompress_at_most,
)
from rowvault.core.errors import CorruptError, TruncatedError, UnsupportedFormatError
from rowvault.core.ids import BlockId

FRAME_MAGIC = b"\xf5RvF"
TAG_BYTES = 16
MAXIMUM_RAW_BYTES = 1 << 30
_HEADER = struct.Struct("<4sBBBBII32s")
HEADER_BYTES = _HEADER.size
_DELTA_FILTERS = 0x80


class BlockType(enum.IntEnum):
    """What a block is. The numbers are stored; ids of different types never meet."""

    DATA = 1
    NODE = 2


class Filter(enum.IntEnum):
    """How the payload becomes the raw bytes. The numbers are stored.

    Numbers with the top bit set name a base block behind the header; none is defined.
    """

    RAW = 0
    ZSTD = 1
    COLUMNS = 2


_FILTERS = frozenset(Filter)


class FrameHeader(NamedTuple):
    """The clear part of a frame, bound to the payload by the tag."""

    type: BlockType
    filter: Filter
    depth: int
    """Length of the chain of bases below this frame; 0: it stands alone."""
    raw_bytes: int
    stored_bytes: int
    """Bytes of the payload, without header and tag."""
    id: BlockId

    @property
    def frame_bytes(self) -> int:
        """Bytes of header, payload and tag."""
        return HEADER_BYTES + self.stored_bytes + TAG_BYTES

    def encode(self) -> bytes:
        """The 48 bytes of the header."""
        return _HEADER.pack(
            FRAME_MAGIC,
            self.type,
            self.filter,
            self.depth,
            0,
            self.raw_bytes,
            self.stored_bytes,
            self.id,
        )


def decode_header(data: bytes | memoryview, position: int = 0) -> FrameHeader:
    """The header at `position`.

    Raises TruncatedError, CorruptError, and UnsupportedFormatError for an unknown filter.
    """
    if len(data) - position < HEADER_BYTES:
        raise TruncatedError("a frame ends inside its header")
    magic, kind, number, depth, reserved, raw_bytes, stored_bytes, block_id = _HEADER.unpack_from(
        data, position
    )
    if magic != FRAME_MAGIC:
        raise CorruptError("no frame starts here: the magic bytes are missing")
    if kind not in (BlockType.DATA, BlockType.NODE):
        raise CorruptError(f"a frame states block type {kind}, which does not exist")
    if number not in _FILTERS:
        kind_of_filter = "delta filter" if number & _DELTA_FILTERS else "filter"
        raise UnsupportedFormatError(
            f"a block uses {kind_of_filter} {number}, which this version does not know; "
            "use a newer version of rowvault"
        )
    if depth or reserved or raw_bytes > MAXIMUM_RAW_BYTES:
        raise CorruptError("a frame's header has values that are never written")
    return FrameHeader(
        BlockType(kind), Filter(number), depth, raw_bytes, stored_bytes, BlockId(block_id)
    )


def encode_payload(raw: bytes, level: int, column_count: int = 0) -> tuple[Filter, bytes]:
    """What is stored of a block: arranged by column, compressed, or as it is.

    `level` is zstd's, or NO_COMPRESSION. `column_count` is that of the whole rows that it consists
    of; 0: it is something else.
    """
    if level == NO_COMPRESSION:
        return Filter.RAW, raw
    arranged = arrange(raw, column_count) if column_count else None
    if arranged is None:
        coding, packed = Filter.ZSTD, compress(raw, level)
    else:
        coding, packed = Filter.COLUMNS, compress_parts(arranged.data, arranged.ends, level)
    return (coding, packed) if len(packed) < len(raw) else (Filter.RAW, raw)


def decode_payload(header: FrameHeader, payload: bytes) -> bytes:
    """The raw bytes. Raises CorruptError where they are not as long as the header says."""
    if header.filter is Filter.ZSTD:
        return decompress(payload, header.raw_bytes)
    if header.filter is Filter.COLUMNS:
        arranged = decompress_at_most(payload, header.raw_bytes)
        return restore_rows(arranged, header.raw_bytes)
    if len(payload) != header.raw_bytes:
        raise CorruptError(f"it holds {len(payload)} raw bytes where {header.raw_bytes} are due")
    return payload
