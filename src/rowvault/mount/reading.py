"""Reads documents by ranges: chunks are made once, kept a while, and ahead of whoever reads on.

State shared between threads: a reader's chunks, under its lock; the cache, under its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rowvault.render.document import Chunk, Document

CACHE_BYTES = 48 << 20
AHEAD_CHUNKS = 6
"""Made ahead of a sequential reader, by as many threads as there are processors."""


class ChunkCache:
    """Texts of chunks that were read last, so many bytes of them. Used from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._texts: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._held = 0

    def text(self, chunk: Chunk) -> bytes:
        """The chunk's text. Raises DamageError."""
        identity = chunk.identity
        with self._lock:
            known = self._texts.get(identity)
            if known is not None:
                self._texts.move_to_end(identity)
                return known
        text = chunk.text()
        with self._lock:
            if identity not in self._texts and len(text) <= self._limit // 4:
                self._texts[identity] = text
                self._held += len(text)
            while self._held > self._limit:
                self._held -= len(self._texts.popitem(last=False)[1])
        return text


@dataclass(slots=True)
class _Piece:
    """A chunk at its place, made or being made."""

    start: int
    text: Future[bytes]

    @property
    def stop(self) -> int:
        return self.start + len(self.text.result())


class Reader:
    """One open file. Used from any thread; reads of one file wait for each other."""

    def __init__(self, document: Document, cache: ChunkCache, pool: ThreadPoolExecutor) -> None:
        self._document = document
        self._cache = cache
        self._pool = pool
        self._lock = threading.Lock()
        self._pieces: deque[_Piece] = deque()
        self._rest: Iterator[tuple[int, Chunk]] = iter(())
        self._expected = -1
        """Where the next read begins if it goes on from the last."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes at this place, fewer only at the end. Raises DamageError, StorageError."""
        stop = min(offset + size, self._document.length)
        if offset >= stop:
            return b""
        with self._lock:
            return self._read(offset, stop)

    def _read(self, offset: int, stop: int) -> bytes:
        goes_on = offset == self._expected
        self._move_to(offset)
        parts: list[bytes] = []
        position = offset
        while position < stop:
            piece = self._pieces[0] if self._pieces else self._next()
            if goes_on:
                self._run_ahead()
            try:
                text = piece.text.result()
            except BaseException:
                # What was damaged may be mended while the file is open.
                self._forget()
                raise
            part = text[position - piece.start : stop - piece.start]
            parts.append(part)
            position += len(part)
            if position >= piece.start + len(text):
                self._pieces.popleft()
            elif not part:
                raise AssertionError("a chunk is shorter than its document says")
        self._expected = stop
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _move_to(self, offset: int) -> None:
        """Makes the first piece the one that covers the offset, keeping what is at hand."""
        while self._pieces and offset >= self._pieces[0].start:
            first = self._pieces[0]
            beyond = self._pieces[1].start <= offset if len(self._pieces) > 1 else False
            if not beyond and (len(self._pieces) > 1 or offset < self._end_of(first)):
                return
            self._pieces.popleft()
        if self._pieces or offset != self._expected:
            self._forget()
            self._rest = self._document.chunks(offset)
        # Else the reader stands exactly between two chunks, and `_rest` goes on with the next.

    def _end_of(self, piece: _Piece) -> int:
        return piece.stop if piece.text.exception() is None else piece.start

    def _next(self) -> _Piece:
        start, chunk = next(self._rest)
        made: Future[bytes] = Future()
        try:
            made.set_result(self._cache.text(chunk))
        except Exception as error:
            made.set_exception(error)
        self._pieces.append(_Piece(start, made))
        return self._pieces[-1]

    def _run_ahead(self) -> None:
        while len(self._pieces) < AHEAD_CHUNKS:
            following = next(self._rest, None)
            if following is None:
                return
            start, chunk = following
            self._pieces.append(_Piece(start, self._pool.submit(self._cache.text, chunk)))

    def _forget(self) -> None:
        for piece in self._pieces:
            piece.text.cancel()
        self._pieces.clear()
        self._rest = iter(())
        self._expected = -1
