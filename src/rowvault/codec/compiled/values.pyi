"""Compiled; rowvault.codec.plain.values documents each name."""

from array import array
from collections.abc import Callable, Sequence

from _typeshed import ReadableBuffer as Buffer

def encode_values(rows: Sequence[tuple[object, ...]]) -> tuple[bytes, array[int]]: ...
def decode_values(
    rows: Buffer, ends: Buffer, column_count: int, text_type: Callable[[bytes], object]
) -> list[tuple[object, ...]]: ...
