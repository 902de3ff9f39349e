"""Arranged bytes, read from the front."""

from __future__ import annotations

from rowvault.codec.rows import NULL


class Streams:
    """What is still to be read. All methods raise ValueError where the bytes end early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def is_at_end(self) -> bool:
        """Nothing is left."""
        return self._position == len(self._data)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        end = self._position + length
        if end > len(self._data):
            raise ValueError("the arranged bytes end early")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def prefix(self) -> tuple[bytes, int | None]:
        """(what stands before a field's value, the value's length or None for NULL)."""
        first = self.take(1)
        if first[0] == NULL:
            return first, None
        if first[0] < NULL:
            return first, first[0]
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first[0])
        if width is None:
            raise ValueError("not the start of a length")
        rest = self.take(width)
        length = int.from_bytes(rest, "little")
        if length < {2: 0xFB, 3: 1 << 16, 8: 1 << 24}[width]:
            raise ValueError("a length that is not in its shortest form")
        return first + rest, length

    def field(self) -> bytes:
        """A field as it stands in a row."""
        prefix, length = self.prefix()
        return prefix + self.take(length or 0)

    def length(self) -> int:
        """A length-encoded integer."""
        length = self.prefix()[1]
        if length is None:
            raise ValueError("not the start of a length")
        return length
