"""Reads of packs in pieces larger than a frame, for who follows the frames of a table in order."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from rowvault.repository.packs.pack import PackSource

_LEAST_BYTES = 64 << 10
"""Where nothing was read near by: most frames fit, so their header and they are one read."""
_MOST_BYTES = 512 << 10
_KEPT_PIECES = 16


class _Piece(NamedTuple):
    name: str
    start: int
    data: bytes

    def holds(self, name: str, offset: int, length: int) -> bool:
        return (
            self.name == name
            and self.start <= offset
            and offset + length <= self.start + len(self.data)
        )

    def is_continued(self, name: str, offset: int) -> bool:
        """Frames that stand between, of what others store meanwhile, are no reason to stop."""
        behind = offset - self.start
        return self.name == name and 0 <= behind <= 2 * len(self.data)


class FrameReadAhead:
    """A storage whose packs are read ahead where reads follow one another. Used from any thread.

    A disk answers a large read about as soon as a small one. Packs never change, so what was read
    of one stays right.
    """

    def __init__(self, source: PackSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._pieces: deque[_Piece] = deque(maxlen=_KEPT_PIECES)
        """The one that was used last comes first."""

    def size(self, name: str) -> int:
        """See Storage.size."""
        return self._source.size(name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        piece = self._kept(name, offset, length)
        if piece is None:
            ahead = max(length, self._ahead(name, offset))
            piece = _Piece(name, offset, self._source.read_range(name, offset, ahead))
            with self._lock:
                self._pieces.appendleft(piece)
        at = offset - piece.start
        return piece.data[at : at + length]

    def _kept(self, name: str, offset: int, length: int) -> _Piece | None:
        with self._lock:
            for number, piece in enumerate(self._pieces):
                if piece.holds(name, offset, length):
                    if number:
                        del self._pieces[number]
                        self._pieces.appendleft(piece)
                    return piece
        return None

    def _ahead(self, name: str, offset: int) -> int:
        """Twice as much as the last piece, which is not needed any more."""
        with self._lock:
            for number, piece in enumerate(self._pieces):
                if piece.is_continued(name, offset):
                    del self._pieces[number]
                    return min(2 * len(piece.data), _MOST_BYTES)
        return _LEAST_BYTES
