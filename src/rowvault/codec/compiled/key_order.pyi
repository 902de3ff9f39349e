"""Compiled; rowvault.codec.plain.key_order documents each name."""

from collections.abc import Sequence

from _typeshed import ReadableBuffer as Buffer

from rowvault.codec.plain import OrderedPart

class KeyProof:
    def __init__(
        self,
        column_count: int,
        parts: Sequence[OrderedPart],
        low: tuple[bytes, ...] | None,
        high: tuple[bytes, ...] | None,
    ) -> None: ...
    @property
    def row_count(self) -> int: ...
    def feed(self, rows: Buffer, ends: Buffer) -> int: ...
