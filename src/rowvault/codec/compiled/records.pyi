"""Compiled; rowvault.codec.plain.records documents each name."""

from array import array
from collections.abc import Sequence

from _typeshed import ReadableBuffer as Buffer
from _typeshed import WriteableBuffer

from rowvault.codec.plain import Place

def make_places(
    records: Buffer,
    parts: array[int],
    names: Sequence[tuple[str, ...]],
    types: tuple[object, ...],
    kind: object,
    make: type[Place],
) -> list[Place]: ...
def merge_records(parts: Sequence[tuple[Buffer, Buffer]], target: WriteableBuffer) -> int: ...
