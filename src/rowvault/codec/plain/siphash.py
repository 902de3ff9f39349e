"""SipHash: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

U64: Final = (1 << 64) - 1


def _rotate(word: int, count: int) -> int:
    return (word << count | word >> (64 - count)) & U64


def _sip_rounds(v: list[int], count: int) -> None:
    v0, v1, v2, v3 = v
    for _ in range(count):
        v0 = (v0 + v1) & U64
        v1 = _rotate(v1, 13) ^ v0
        v0 = _rotate(v0, 32)
        v2 = (v2 + v3) & U64
        v3 = _rotate(v3, 16) ^ v2
        v0 = (v0 + v3) & U64
        v3 = _rotate(v3, 21) ^ v0
        v2 = (v2 + v1) & U64
        v1 = _rotate(v1, 17) ^ v2
        v2 = _rotate(v2, 32)
    v[:] = v0, v1, v2, v3


def _sip_absorb(key: bytes, data: bytes, rounds: int, tweak: int) -> list[int]:
    if len(key) != 16:
        raise ValueError("a SipHash key has 16 bytes")
    k0, k1 = struct.unpack("<QQ", key)
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D ^ tweak,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b"\0") + bytes((len(data) & 0xFF,))
    for (word,) in struct.iter_unpack("<Q", data[:whole] + last):
        v[3] ^= word
        _sip_rounds(v, rounds)
        v[0] ^= word
    return v


def siphash24(key: bytes, data: Buffer) -> int:
    """SipHash-2-4 of 64 bits under a key of 16 bytes. Raises ValueError."""
    v = _sip_absorb(key, take_bytes(data), 2, 0)
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def row_hash(key: bytes, data: Buffer) -> bytes:
    """32 bytes: SipHash-1-3 in its 128-bit form, squeezed twice as long. Raises ValueError."""
    v = _sip_absorb(key, take_bytes(data), 1, 0xEE)
    v[2] ^= 0xEE
    words = []
    for tweak in (0, 0xDD, 0xCC, 0xBB):
        v[1] ^= tweak
        _sip_rounds(v, 3)
        words.append(v[0] ^ v[1] ^ v[2] ^ v[3])
    return struct.pack("<4Q", *words)
