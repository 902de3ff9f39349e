"""Blocks arranged by column, which zstd makes smaller and faster (docs/format.md, "Column layout").

Equal rows have equal bytes at nearby places of two arrangements, whatever stands around them.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from rowvault.codec import kernel
from rowvault.core.errors import CorruptError


class Arrangement(NamedTuple):
    """A block's rows by column; never more bytes than the rows have."""

    data: bytes
    ends: array[int]
    """Type code 'I': ends of the parts that compress best apart, ascending."""


def arrange(raw: bytes, column_count: int) -> Arrangement | None:
    """Whole rows of so many columns, arranged; None where that would take more bytes.

    A function of its arguments alone. Raises ValueError where the bytes are not such rows.
    """
    arranged = kernel.arrange(raw, column_count)
    return None if arranged is None else Arrangement(*arranged)


def restore_rows(arranged: bytes, raw_bytes: int) -> bytes:
    """The rows of an arrangement, `raw_bytes` bytes of them. Raises CorruptError."""
    try:
        return kernel.restore_rows(arranged, raw_bytes)
    except ValueError as error:
        raise CorruptError(f"its columns do not make rows: {error}") from error
