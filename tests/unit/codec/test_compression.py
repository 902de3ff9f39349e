"""Compression never gives more than what was stated."""

from __future__ import annotations

import threading

import pytest
import zstandard

from rowvault.codec.compression import NO_COMPRESSION, compress, decompress
from rowvault.codec.frames import Filter, encode_payload
from rowvault.core.errors import CorruptError

RAW = b"0123456789" * 5000


@pytest.mark.parametrize("level", [1, 3, 9])
def test_round_trip(level: int) -> None:
    assert decompress(compress(RAW, level), len(RAW)) == RAW


@pytest.mark.parametrize("stated", [0, 1, len(RAW) - 1, len(RAW) + 1])
def test_another_length_is_damage(stated: int) -> None:
    with pytest.raises(CorruptError):
        decompress(compress(RAW), stated)


def test_a_bomb_is_not_unpacked() -> None:
    bombs = (
        zstandard.ZstdCompressor().compress(bytes(1 << 28)),
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 28)),
    )
    for bomb in bombs:
        with pytest.raises(CorruptError):
            decompress(bomb, 1000)


@pytest.mark.parametrize("stored", [b"", b"x", b"\x28\xb5\x2f\xfd", compress(RAW)[:-3]])
def test_what_is_not_zstd_is_damage(stored: bytes) -> None:
    with pytest.raises(CorruptError):
        decompress(stored, len(RAW))


def test_bytes_behind_the_frame_are_damage() -> None:
    with pytest.raises(CorruptError):
        decompress(compress(RAW) + b"more", len(RAW))


def test_what_does_not_shrink_is_kept_raw() -> None:
    assert encode_payload(b"", 1) == (Filter.RAW, b"")
    assert encode_payload(b"short", 1) == (Filter.RAW, b"short")
    assert encode_payload(RAW, 1)[0] is Filter.ZSTD


def test_without_compression_all_is_kept_raw() -> None:
    assert encode_payload(RAW, NO_COMPRESSION, 1) == (Filter.RAW, RAW)


def test_threads_compress_at_once() -> None:
    results: list[bytes] = []

    def work() -> None:
        for _ in range(20):
            results.append(decompress(compress(RAW), len(RAW)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [RAW] * 80
