"""What callers hand in: bytes in any buffer, and the ends of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

LIMIT: Final = (1 << 32) - 1
"""Offsets are 32 bits wide: a batch of rows, or one row, is no longer than this."""


def view_bytes(data: Buffer) -> memoryview:
    """Any contiguous buffer, not copied. Raises BufferError, ValueError."""
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("the buffer is not contiguous")
    if view.nbytes > LIMIT:
        raise ValueError("more than 4 GiB in one call")
    return view


def take_bytes(data: Buffer) -> bytes:
    """A copy of any contiguous buffer's bytes. Raises BufferError, ValueError."""
    return bytes(view_bytes(data))


def take_ends(ends: Buffer) -> list[int]:
    """The offsets in an array of type code 'I'. Raises BufferError, ValueError."""
    view = memoryview(ends)
    if view.format != "I" or view.ndim != 1:
        raise ValueError("ends must be an array of type code 'I'")
    if not view.c_contiguous:
        raise BufferError("the buffer is not contiguous")
    return [int(end) for end in view]
