"""Compiled; rowvault.codec.plain.record_search documents each name."""

from array import array
from collections.abc import Sequence

from _typeshed import ReadableBuffer as Buffer

class RecordSearch:
    def __init__(self, parts: Sequence[Buffer]) -> None: ...
    def find(
        self, ids: Sequence[bytes], kind: int
    ) -> tuple[array[int], array[int], array[int], bytes]: ...
