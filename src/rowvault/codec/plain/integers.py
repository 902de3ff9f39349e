"""Runs of integers as planes of bytes (docs/format.md, "Column layout").

A run has a descriptor, which stands in the head, and planes: the lowest bytes of all integers, then
the second ones, as many as the largest needs. What changes in one row changes one byte of a plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rowvault.codec.plain.siphash import U64
from rowvault.codec.plain.streams import Streams

DIFFERENCES: Final = 0x80
WIDTH: Final = 0x0F
MAXIMUM_WIDTH: Final = 8
_SIGN = 1 << 63


def folded(value: int) -> int:
    """The sign moved to the lowest bit, so that small magnitudes are small."""
    return ((value << 1) ^ (value >> 63)) & U64


def unfolded(word: int) -> int:
    """The inverse of `folded`, as a signed integer of 64 bits."""
    return (word >> 1) ^ -(word & 1)


def prefers_differences(values: Sequence[int]) -> bool:
    """Whether neighbours are nearer to each other than values half of the run apart."""
    count = len(values)
    near = far = 0
    for i in range(1, count):
        near += abs(values[i] - values[i - 1]).bit_length()
        far += abs(values[i] - values[(i + count // 2) % count]).bit_length()
    return near * 8 < far * 7


def encode_run(values: Sequence[int]) -> tuple[bytes, list[bytes]]:
    """(descriptor, planes) of integers below 2^62 in magnitude; at least one."""
    if prefers_differences(values):
        mode = DIFFERENCES
        base = (values[0] & U64).to_bytes(8, "little")
        words = [0, *(folded(values[i] - values[i - 1]) for i in range(1, len(values)))]
    else:
        mode, base = 0, b""
        words = [folded(value) for value in values]
    width = (max(words).bit_length() + 7) // 8
    planes = [bytes(word >> 8 * plane & 0xFF for word in words) for plane in range(width)]
    return bytes((mode | width,)) + base, planes


@dataclass(frozen=True, slots=True)
class RunDescriptor:
    """What a run's head says."""

    width: int
    """Planes."""
    base: int | None
    """The first value, where differences follow."""


def signed(word: int) -> int:
    """The integer that these 64 bits stand for in two's complement."""
    word &= U64
    return word - (1 << 64) if word & _SIGN else word


def decode_run(descriptor: RunDescriptor, planes: bytes, count: int) -> list[int]:
    """The integers; sums wrap around at 64 bits."""
    values: list[int] = []
    previous = descriptor.base
    for i in range(count):
        word = 0
        for plane in range(descriptor.width):
            word |= planes[plane * count + i] << 8 * plane
        value = unfolded(word)
        if previous is not None:
            value = previous = signed(previous + value)
        values.append(value)
    return values


def read_run(streams: Streams) -> RunDescriptor:
    """How a run is written. Raises ValueError where it is none."""
    descriptor = streams.byte()
    width = descriptor & ~DIFFERENCES
    if width > MAXIMUM_WIDTH:
        raise ValueError("integers of more than eight bytes")
    base = None
    if descriptor & DIFFERENCES:
        base = signed(int.from_bytes(streams.take(8), "little"))
    return RunDescriptor(width, base)
