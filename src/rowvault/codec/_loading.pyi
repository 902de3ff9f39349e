"""The compiled kernel's rendering for LOAD DATA; rowvault.codec.plain documents it."""

from _typeshed import ReadableBuffer as Buffer

def render_lines(rows: Buffer, column_count: int) -> bytes: ...
