"""Frames: how one block stands in a pack (docs/format.md, "Frames").

header | of a delta: lineage | payload (stored_bytes) | tag (16 bytes)

A delta builds on one or two bases, these perhaps on others, and so on down to frames that stand
alone. Bases serve in *arranged* form, which is undone once, at the top. Deltas of the newest kind
state in which arrangement they need each base; others need that which their writer found.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from rowvault.codec.arrangement import (
    ARRANGEMENT_BYTES,
    ArrangedBlock,
    Arrangement,
    arranged_block,
    decode_arrangement,
)
from rowvault.codec.columns import arrange
from rowvault.codec.compression import (
    NO_COMPRESSION,
    compress,
    compress_delta,
    compress_parts,
    decompress_at_most,
    decompress_delta,
)
from rowvault.core.errors import CorruptError, TruncatedError
from rowvault.core.ids import BlockId

FRAME_MAGIC = b"\xf5RvF"
TAG_BYTES = 16
MAXIMUM_RAW_BYTES = 1 << 30
MAXIMUM_DEPTH = 8
"""Of a chain of deltas: so many frames are read below the topmost one, at most."""
MAXIMUM_VERSION = (1 << 16) - 1
_HEADER = struct.Struct("<4sBBBBII32s")
_VERSION = struct.Struct("<H")
HEADER_BYTES = _HEADER.size
"""Without the lineage of a delta."""
BASE_BYTES = 16
"""Of a base's id: so much of it finds a frame, whose bytes then have to make the right block."""
MOST_BASES = 2
LARGEST_HEADER_BYTES = (
    _HEADER.size + _VERSION.size + ARRANGEMENT_BYTES + MOST_BASES * (BASE_BYTES + ARRANGEMENT_BYTES)
)
_DELTA_FILTERS = 0x80
_PHASES = 16


class BlockType(enum.IntEnum):
    """What a block is. The numbers are stored; ids of different types never meet."""

    DATA = 1
    NODE = 2


class Filter(enum.IntEnum):
    """How the payload becomes the raw bytes. The numbers are stored.

    Numbers with the top bit set are deltas, which name a base block behind the header.
    """

    RAW = 0
    ZSTD = 1
    COLUMNS = 2
    DELTA = 0x81
    DELTA_COLUMNS = 0x82
    DELTA_ARRANGED = 0x83

    @property
    def is_delta(self) -> bool:
        """Whether the payload says nothing without the base."""
        return bool(self & _DELTA_FILTERS)


_FILTERS = {one.value: one for one in Filter}
_BLOCK_TYPES = {one.value: one for one in BlockType}


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
    bases: tuple[bytes, ...] = ()
    """Of a delta: the first halves of its bases' ids."""
    stated_version: int = 0
    """Of a delta, see `version`."""
    arrangements: tuple[Arrangement, ...] = ()
    """Of a delta that states them: its own, then for each base the one that it needs."""

    @property
    def header_bytes(self) -> int:
        """Bytes of the header, with a delta's lineage."""
        if not self.bases:
            return HEADER_BYTES
        stated = len(self.arrangements) * ARRANGEMENT_BYTES
        return HEADER_BYTES + _VERSION.size + stated + BASE_BYTES * len(self.bases)

    @property
    def is_by_column(self) -> bool:
        """Whether the payload gives the rows by column."""
        if self.arrangements:
            return self.arrangements[0].is_by_column
        return self.filter in (Filter.COLUMNS, Filter.DELTA_COLUMNS)

    @property
    def frame_bytes(self) -> int:
        """Bytes of header, payload and tag."""
        return self.header_bytes + self.stored_bytes + TAG_BYTES

    @property
    def version(self) -> int:
        """The block's place in its line of descent.

        That of a frame which stands alone follows from its id, so that lines differ in phase: on
        no day do all blocks go back to an old base at once.
        """
        return self.stated_version if self.bases else first_version(self.id)

    def encode(self) -> bytes:
        """The header's bytes."""
        head = _HEADER.pack(
            FRAME_MAGIC,
            self.type,
            self.filter,
            self.depth,
            len(self.bases),
            self.raw_bytes,
            self.stored_bytes,
            self.id,
        )
        if not self.bases:
            return head
        lineage = [head, _VERSION.pack(self.stated_version)]
        if self.arrangements:
            own, *needed = (one.encode() for one in self.arrangements)
            lineage += [own, *map(bytes.__add__, self.bases, needed)]
        else:
            lineage += self.bases
        return b"".join(lineage)


def decode_header(data: bytes | memoryview, position: int = 0) -> FrameHeader:
    """The header at `position`.

    Raises TruncatedError and CorruptError; the latter also for an unknown filter: a repository with
    a new one has a feature of that name, without which nothing of it is read.
    """
    if len(data) - position < HEADER_BYTES:
        raise TruncatedError("a frame ends inside its header")
    magic, kind, number, depth, bases, raw_bytes, stored_bytes, block_id = _HEADER.unpack_from(
        data, position
    )
    if magic != FRAME_MAGIC:
        raise CorruptError("no frame starts here: the magic bytes are missing")
    if kind not in _BLOCK_TYPES:
        raise CorruptError(f"a frame states block type {kind}, which does not exist")
    coding = _FILTERS.get(number)
    if coding is None:
        raise CorruptError(f"a frame states filter {number}, which does not exist")
    if raw_bytes > MAXIMUM_RAW_BYTES or not _is_possible(coding, depth, bases):
        raise CorruptError("a frame's header has values that are never written")
    lineage = _lineage(data, position + HEADER_BYTES, bases, coding is Filter.DELTA_ARRANGED)
    return FrameHeader(
        _BLOCK_TYPES[kind],
        coding,
        depth,
        raw_bytes,
        stored_bytes,
        BlockId(block_id),
        *lineage,
    )


def first_version(block_id: BlockId) -> int:
    """The version with which a line of descent begins."""
    return block_id[-1] % _PHASES


def _is_possible(coding: Filter, depth: int, bases: int) -> bool:
    if coding.is_delta:
        return 1 <= depth <= MAXIMUM_DEPTH and 1 <= bases <= MOST_BASES
    return depth == bases == 0


def _lineage(
    data: bytes | memoryview, position: int, bases: int, states_arrangements: bool
) -> tuple[tuple[bytes, ...], int, tuple[Arrangement, ...]]:
    """(bases, version, arrangements)."""
    if not bases:
        return (), 0, ()
    stated = ARRANGEMENT_BYTES if states_arrangements else 0
    own = position + _VERSION.size
    places = [own + stated + number * (BASE_BYTES + stated) for number in range(bases)]
    if len(data) < places[-1] + BASE_BYTES + stated:
        raise TruncatedError("a frame ends inside its header")
    (version,) = _VERSION.unpack_from(data, position)
    found = tuple(bytes(data[at : at + BASE_BYTES]) for at in places)
    if not states_arrangements:
        return found, version, ()
    marks = (own, *(at + BASE_BYTES for at in places))
    return found, version, tuple(decode_arrangement(data, at) for at in marks)


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


def encode_arranged(block: ArrangedBlock, level: int) -> tuple[Filter, bytes]:
    """Bytes that are arranged already, compressed, to stand alone."""
    packed = compress(block.data, level)
    if block.arrangement.is_by_column:
        return Filter.COLUMNS, packed
    return (Filter.ZSTD, packed) if len(packed) < len(block.data) else (Filter.RAW, block.data)


class Lineage(NamedTuple):
    """On what a delta builds."""

    bases: tuple[ArrangedBlock, ...]
    ids: tuple[BlockId, ...]
    depth: int
    version: int


def encode_delta(
    block_id: BlockId, block: ArrangedBlock, lineage: Lineage, *, states_arrangements: bool
) -> tuple[FrameHeader, bytes]:
    """(header, payload) of what makes a data block of its bases.

    Without stated arrangements all of these must be arranged in one way, as the block is.
    Raises CorruptError where the bases do not give the block back.
    """
    needed = tuple(base.arrangement for base in lineage.bases)
    base = b"".join([base.data for base in lineage.bases])
    payload = compress_delta(block.data, base)
    if decompress_delta(payload, base, len(block.data)) != block.data:
        raise CorruptError(f"block {block_id.hex()} does not come back from its delta")
    coding = Filter.DELTA_COLUMNS if block.arrangement.is_by_column else Filter.DELTA
    header = FrameHeader(
        type=BlockType.DATA,
        filter=Filter.DELTA_ARRANGED if states_arrangements else coding,
        depth=lineage.depth,
        raw_bytes=block.raw_bytes,
        stored_bytes=len(payload),
        id=block_id,
        bases=tuple(one[:BASE_BYTES] for one in lineage.ids),
        stated_version=lineage.version,
        arrangements=(block.arrangement, *needed) if states_arrangements else (),
    )
    return header, payload


def arranged_bytes(header: FrameHeader, payload: bytes, base: bytes = b"") -> bytes:
    """What the payload holds, still arranged; `base`: the arranged bytes of a delta's bases.

    Never more than the raw bytes that the header states. Raises CorruptError.
    """
    if header.filter.is_delta:
        return decompress_delta(payload, base, header.raw_bytes)
    if header.filter is Filter.RAW:
        return payload
    return decompress_at_most(payload, header.raw_bytes)


def decode_arranged(header: FrameHeader, payload: bytes, base: bytes = b"") -> ArrangedBlock:
    """The block in the arrangement that the frame holds; `base`: see `arranged_bytes`.

    Raises CorruptError.
    """
    data = arranged_bytes(header, payload, base)
    block = arranged_block(data, is_by_column=header.is_by_column, raw_bytes=header.raw_bytes)
    if header.arrangements and block.arrangement != header.arrangements[0]:
        raise CorruptError("it holds rows of another number of columns than its header states")
    return block


def decode_payload(header: FrameHeader, payload: bytes, base: bytes = b"") -> bytes:
    """The raw bytes; `base`: see `arranged_bytes`. Raises CorruptError."""
    return decode_arranged(header, payload, base).raw()
