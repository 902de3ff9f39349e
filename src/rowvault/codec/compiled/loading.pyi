"""Compiled; rowvault.codec.plain.loading documents each name."""

from _typeshed import ReadableBuffer as Buffer

def render_lines(rows: Buffer, column_count: int) -> bytes: ...
