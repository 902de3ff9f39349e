"""zstd for blocks: one compressor per thread and level, and output no larger than due.

A delta is what zstd makes of a block when it already knows another one, its base: nearly all of it
is then one long match after the other.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

import zstandard

from rowvault.core.errors import CorruptError

DEFAULT_LEVEL = 1
"""Measured on rows of several shapes: within 1 % of level 3, and 1.3 times as fast."""

NO_COMPRESSION = 0
"""In place of a level: blocks are stored as they are."""

MAXIMUM_LEVEL = zstandard.MAX_COMPRESSION_LEVEL

_SMALLEST_PART = 1024
"""Bytes below which tables of a part's own cost more than they save."""


_MAGIC = b"\x28\xb5\x2f\xfd"
"""RFC 8878, 3.1.1: how a frame starts; deltas are stored without."""
_DELTA_DESCRIPTOR = b"\0"
"""RFC 8878, 3.1.1.1.1: no content size, no checksum, no number of a dictionary."""
_DELTA_HASH_BITS_SAVED = 2
"""zstd notes every third position of a base. Half as large a table finds nothing any more, a larger
one takes longer to fill than it is worth."""
_DELTA_MATCH_BYTES = 7
"""Shorter matches cost more than the digits or letters that they stand for, in so much text."""
_LEAST_BASE_BYTES = 8
"""zstd looks for nothing in less."""


class _Compressors(threading.local):
    """A compressor's working memory is not shared between threads, but is between blocks."""

    def __init__(self) -> None:
        self.by_level: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor()


_compressors = _Compressors()


def compress(raw: bytes, level: int = DEFAULT_LEVEL) -> bytes:
    """One zstd frame without content size, which the block's own header states."""
    return _compressor(level).compress(raw)


def compress_parts(data: bytes, ends: Iterable[int], level: int = DEFAULT_LEVEL) -> bytes:
    """One zstd frame of `data`, whose parts up to each of `ends` get entropy tables of their own.

    Small parts share them. All parts find repetitions in each other.
    """
    frame = _compressor(level).compressobj(size=len(data))
    view = memoryview(data)
    pieces = []
    start = position = 0
    for end in ends:
        if position - start >= _SMALLEST_PART and end - position >= _SMALLEST_PART:
            pieces.append(frame.compress(view[start:position]))
            pieces.append(frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
            start = position
        position = end
    pieces.append(frame.compress(view[start:]))
    pieces.append(frame.flush())
    return b"".join(pieces)


def _compressor(level: int) -> zstandard.ZstdCompressor:
    compressor = _compressors.by_level.get(level)
    if compressor is None:
        compressor = zstandard.ZstdCompressor(level=level, write_content_size=False)
        _compressors.by_level[level] = compressor
    return compressor


def compress_delta(new: bytes, base: bytes) -> bytes:
    """What zstd needs to make the new bytes of those of a base: a frame without its magic number.

    The fast strategy with long matches; slower ones measured 1 % smaller and ten times as slow. The
    base is a prefix, of which zstd notes a third of what it would of a dictionary: it takes a sixth
    of the time, and as many bytes.
    """
    # Imported here because only backups over an earlier snapshot come here.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    parameter = zstd.CompressionParameter
    window_bits = (len(new) + len(base)).bit_length()
    hash_bits = len(base).bit_length() - _DELTA_HASH_BITS_SAVED
    options: dict[int, int] = {
        parameter.strategy: zstd.Strategy.fast,
        parameter.window_log: max(zstandard.WINDOWLOG_MIN, window_bits),
        parameter.hash_log: max(zstandard.HASHLOG_MIN, hash_bits),
        parameter.min_match: _DELTA_MATCH_BYTES,
        parameter.content_size_flag: False,
        parameter.checksum_flag: False,
        parameter.dict_id_flag: False,
    }
    known = len(base) >= _LEAST_BASE_BYTES
    prefix = zstd.ZstdDict(base, is_raw=True).as_prefix if known else None
    return zstd.compress(new, options=options, zstd_dict=prefix)[len(_MAGIC) :]


def decompress_delta(stored: bytes, base: bytes, raw_bytes: int) -> bytes:
    """Up to `raw_bytes` bytes, made of those of the base. Raises CorruptError."""
    if stored[:1] != _DELTA_DESCRIPTOR:  # else zstd would allocate what the frame states
        raise CorruptError("its delta does not begin as one does")
    dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    decompressor = zstandard.ZstdDecompressor(
        dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS
    )
    return _decompress(decompressor, stored, raw_bytes)


def decompress(stored: bytes, raw_bytes: int) -> bytes:
    """Exactly `raw_bytes` bytes; never allocates more. Raises CorruptError."""
    raw = decompress_at_most(stored, raw_bytes)
    if len(raw) != raw_bytes:
        raise CorruptError(f"it decompresses to {len(raw)} bytes where {raw_bytes} are due")
    return raw


def decompress_at_most(stored: bytes, raw_bytes: int) -> bytes:
    """Up to `raw_bytes` bytes; never allocates more. Raises CorruptError."""
    try:
        stated = zstandard.frame_content_size(stored)
        if stated > raw_bytes:
            raise CorruptError(f"zstd states {stated} raw bytes where {raw_bytes} are due")
    except zstandard.ZstdError as error:
        raise CorruptError(f"zstd cannot decompress it: {error}") from error
    return _decompress(_compressors.decompressor, stored, raw_bytes)


def _decompress(decompressor: zstandard.ZstdDecompressor, stored: bytes, raw_bytes: int) -> bytes:
    if not raw_bytes:  # zstd would take 0 for "no limit", and nothing empty is ever compressed
        raise CorruptError("it is compressed where no bytes at all are due")
    try:
        return decompressor.decompress(stored, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise CorruptError(f"zstd cannot decompress it: {error}") from error
