"""Compiled; rowvault.codec.plain.rendering documents each name."""

from _typeshed import ReadableBuffer as Buffer

def rendered_length(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> int: ...
def render_tuples(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> bytes: ...
def render_statement(
    rows: Buffer,
    kinds: bytes,
    introducers: tuple[bytes, ...],
    prefix: bytes,
    suffix: bytes,
    rendered_bytes: int,
) -> bytes: ...
