"""Compiled; rowvault.codec.plain.rows documents each name."""

from array import array

from _typeshed import ReadableBuffer as Buffer

def row_ends(rows: Buffer, column_count: int) -> array[int]: ...
def row_values(rows: Buffer, column_count: int) -> list[tuple[bytes | None, ...]]: ...
