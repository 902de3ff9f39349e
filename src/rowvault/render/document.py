"""Text of known length that is read from any offset: fixed parts, and parts made on demand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol


class Chunk(Protocol):
    """A stretch of a text that is made as a whole."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for chunks of equal text; a key for caches."""
        ...

    @property
    def length(self) -> int:
        """In bytes; exact, and known without making the text."""
        ...

    def text(self) -> bytes:
        """The bytes. Raises DamageError."""
        ...


class Part(Protocol):
    """One part of a document."""

    @property
    def length(self) -> int:
        """In bytes; exact, and known without making the text."""
        ...

    def chunks(self, offset: int) -> Iterator[tuple[int, Chunk]]:
        """(start, chunk) from the one that covers `offset` to the end. Raises DamageError."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text that is there already."""

    content: bytes
    omissions: tuple[str, ...] = ()
    """What a client that loads it will not make, or not exactly."""

    @property
    def identity(self) -> tuple[object, ...]:
        """The text itself."""
        return (self.content,)

    @property
    def length(self) -> int:
        """In bytes."""
        return len(self.content)

    def text(self) -> bytes:
        """The bytes."""
        return self.content

    def chunks(self, offset: int) -> Iterator[tuple[int, Chunk]]:
        """The whole text as one chunk."""
        if offset < len(self.content):
            yield 0, self


class Document:
    """Parts one after the other; a part itself."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = [part for part in parts if part.length]
        self._starts = list(accumulate((part.length for part in self.parts), initial=0))

    @property
    def length(self) -> int:
        """In bytes."""
        return self._starts[-1]

    def chunks(self, offset: int) -> Iterator[tuple[int, Chunk]]:
        """See Part.chunks."""
        first = bisect_right(self._starts, offset) - 1
        for number in range(first, len(self.parts)):
            start = self._starts[number]
            for inner, chunk in self.parts[number].chunks(max(0, offset - start)):
                yield start + inner, chunk
