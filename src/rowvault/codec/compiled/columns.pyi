"""Compiled; rowvault.codec.plain.columns documents each name."""

from array import array

from _typeshed import ReadableBuffer as Buffer

def arrange(rows: Buffer, column_count: int) -> tuple[bytes, array[int]] | None: ...
def restore_rows(arranged: Buffer, raw_bytes: int) -> bytes: ...
