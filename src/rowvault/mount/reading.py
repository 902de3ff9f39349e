"""Reads documents by ranges: chunks are made once, kept a while, and ahead of whoever reads on.

State shared between threads: the cache, under its lock; a reader's run, under its own. Neither lock
is held while a chunk is made.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rowvault.core.errors import RowvaultError
from rowvault.render.document import Chunk, Document, Fixed

CACHE_BYTES = 64 << 20
FIRST_AHEAD_BYTES = 256 << 10
MOST_AHEAD_BYTES = 2 << 20
"""Made ahead of a sequential reader, by as many threads as there are processors."""
NEAR_BYTES = 1 << 20
"""The kernel asks for ranges of one file at once: they may come in another order."""

Buffer = bytes | memoryview


class ChunkCache:
    """Texts of chunks that were read last, so many bytes of them. Used from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._texts: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._being_made: dict[tuple[object, ...], Future[bytes]] = {}
        self._held = 0
        self._large: tuple[tuple[object, ...], bytes] | None = None
        """The one text too large to be kept beside others."""

    def at_hand(self, chunk: Chunk) -> bytes | None:
        """The chunk's text where nothing has to be done for it."""
        if isinstance(chunk, Fixed):
            return chunk.content
        with self._lock:
            return self._find(chunk.identity)

    def text(self, chunk: Chunk) -> bytes:
        """The chunk's text; several threads that want it wait for the one that makes it.

        Raises DamageError, StorageError.
        """
        if isinstance(chunk, Fixed):
            return chunk.content
        identity = chunk.identity
        with self._lock:
            known = self._find(identity)
            if known is not None:
                return known
            made = self._being_made.get(identity)
            is_ours = made is None
            if made is None:
                made = self._being_made[identity] = Future()
        if is_ours:
            self._make(chunk, identity, made)
        return made.result()

    def _make(self, chunk: Chunk, identity: tuple[object, ...], made: Future[bytes]) -> None:
        try:
            text = chunk.text()
            if len(text) != chunk.length:
                raise AssertionError("a chunk is not as long as its document says")
        except BaseException as error:
            # Not kept: what was damaged may be mended while the file is open.
            with self._lock:
                del self._being_made[identity]
            made.set_exception(error)
            return
        with self._lock:
            del self._being_made[identity]
            self._keep(identity, text)
        made.set_result(text)

    def _find(self, identity: tuple[object, ...]) -> bytes | None:
        known = self._texts.get(identity)
        if known is not None:
            self._texts.move_to_end(identity)
        elif self._large is not None and self._large[0] == identity:
            return self._large[1]
        return known

    def _keep(self, identity: tuple[object, ...], text: bytes) -> None:
        if len(text) > self._limit // 4:
            self._large = (identity, text)
            return
        self._texts[identity] = text
        self._held += len(text)
        while self._held > self._limit:
            self._held -= len(self._texts.popitem(last=False)[1])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk at its place."""

    start: int
    stop: int
    chunk: Chunk


class Reader:
    """One open file. Used from any thread; several reads may be under way."""

    def __init__(self, document: Document, cache: ChunkCache, pool: ThreadPoolExecutor) -> None:
        self._document = document
        self._cache = cache
        self._pool = pool
        self._lock = threading.Lock()
        self._run: list[_Piece] = []
        """Pieces without a gap, about where the file is being read."""
        self._rest: Iterator[tuple[int, Chunk]] = iter(())
        """What follows the run."""
        self._ahead_bytes = 0
        self._begun = 0
        """Where the first read of the run began."""
        self._farthest = 0
        """Up to where the run has been read."""
        self._is_extending = False

    def at_hand(self, offset: int, size: int) -> Buffer | None:
        """What `read` gives, where that takes no work and no waiting."""
        stop = min(offset + size, self._document.length)
        if offset >= stop:
            return b""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if not self._run or offset < self._run[0].start or stop > self._run[-1].stop:
                return None
            pieces = self._covering(offset, stop)
            texts = [self._cache.at_hand(piece.chunk) for piece in pieces]
            found = [text for text in texts if text is not None]
            if len(found) < len(texts):
                return None
            self._note(stop)
            self._extend_in_time(stop)
        finally:
            self._lock.release()
        return _joined(pieces, found, offset, stop)

    def read(self, offset: int, size: int) -> Buffer:
        """The bytes at this place, fewer only at the end. Raises DamageError, StorageError."""
        stop = min(offset + size, self._document.length)
        if offset >= stop:
            return b""
        with self._lock:
            self._move_to(offset)
            self._reach(stop)
            pieces = self._covering(offset, stop)
            self._note(stop)
            self._extend_in_time(stop)
        return _joined(pieces, [self._cache.text(piece.chunk) for piece in pieces], offset, stop)

    def _move_to(self, offset: int) -> None:
        """Begins a new run, unless the offset lies in this one or a little behind it."""
        run = self._run
        if run and run[0].start <= offset <= max(run[-1].stop, self._farthest + NEAR_BYTES):
            return
        self._begin_at(offset)
        self._ahead_bytes = 0
        self._begun = self._farthest = offset

    def _begin_at(self, offset: int) -> None:
        self._run = []
        self._rest = self._document.chunks(offset)

    def _reach(self, stop: int) -> None:
        """Makes the run so long. Raises DamageError where a tree's node is damaged."""
        if self._run and self._run[-1].stop < stop and not self._lengthen(stop):
            # It ended early, at a damaged node perhaps: here it is to be told.
            end = self._run[-1].stop
            kept = self._run
            self._begin_at(end)
            self._lengthen(stop)
            self._run = kept + self._run
        elif not self._run:
            self._lengthen(stop)
        if not self._run or self._run[-1].stop < stop:
            raise AssertionError("a document is shorter than it says")

    def _lengthen(self, stop: int) -> bool:
        """Adds what follows to the run; whether it now reaches so far."""
        while not self._run or self._run[-1].stop < stop:
            following = next(self._rest, None)
            if following is None:
                return False
            start, chunk = following
            self._run.append(_Piece(start, start + chunk.length, chunk))
        return True

    def _covering(self, offset: int, stop: int) -> list[_Piece]:
        first = bisect_right(self._run, offset, key=lambda piece: piece.start) - 1
        last = bisect_right(self._run, stop - 1, key=lambda piece: piece.start)
        return self._run[first:last]

    def _note(self, stop: int) -> None:
        """A reader that goes on is read ahead for, farther each time."""
        if stop > self._farthest:
            if self._ahead_bytes < MOST_AHEAD_BYTES and self._farthest > self._begun:
                self._ahead_bytes = max(FIRST_AHEAD_BYTES, 2 * self._ahead_bytes)
            self._farthest = stop
        behind = bisect_right(self._run, stop - NEAR_BYTES, key=lambda piece: piece.stop)
        if behind > 16:
            del self._run[:behind]

    def _extend_in_time(self, stop: int) -> None:
        """Has the run made longer when half of what was made ahead is read."""
        if not self._ahead_bytes or self._is_extending:
            return
        if self._run[-1].stop - stop < self._ahead_bytes // 2:
            self._is_extending = True
            self._pool.submit(self._extend)

    def _extend(self) -> None:
        with self._lock:
            known = len(self._run)
            try:
                if self._ahead_bytes:
                    self._lengthen(self._farthest + self._ahead_bytes)
            except RowvaultError:
                # Whoever reads that far is told.
                self._rest = iter(())
            added = self._run[known:]
            self._is_extending = False
        for piece in added:
            self._pool.submit(self._cache.text, piece.chunk)


def _joined(pieces: list[_Piece], texts: list[bytes], offset: int, stop: int) -> Buffer:
    """The range, copied at most once."""
    parts = [
        memoryview(text)[max(0, offset - piece.start) : stop - piece.start]
        for piece, text in zip(pieces, texts, strict=True)
    ]
    return parts[0] if len(parts) == 1 else b"".join(parts)
