"""Reads documents by ranges: chunks are made once, kept a while, and ahead of whoever reads on.

State shared between threads: the cache, under its lock; a reader's run, under its own. Neither lock
is held while a chunk is made.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from rowvault.core.errors import RowvaultError
from rowvault.mount.decoders import SHARED_BYTES, SLOT_BYTES, Buffer
from rowvault.render.document import Chunk, Document, Fixed
from rowvault.render.table import Group, grouped

CACHE_BYTES = 64 << 20
SHARED_CACHE_BYTES = SHARED_BYTES * 3 // 4
"""Of texts in shared memory: slots are only as full as blocks fit, and some are being filled."""
FIRST_AHEAD_BYTES = 256 << 10
MOST_AHEAD_BYTES = 12 << 20
"""Made ahead of a sequential reader: what the kernel asks for, and some for each process."""
NEAR_BYTES = 8 << 20
"""The kernel asks for ranges of one file at once: they may come in another order.

It has up to two stretches under way, of 2 MiB each, or 4 MiB for a reader that says it reads on, as
`cat` does (POSIX_FADV_SEQUENTIAL). A range that lies before the run would begin a new one, and what
is being made would be made twice.
"""


class Claim(NamedTuple):
    """A chunk that one thread makes, or is going to; others wait for it."""

    chunk: Chunk
    made: Future[Buffer]


class _Kept:
    """Texts that were used last, so many bytes of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts: OrderedDict[tuple[object, ...], Buffer] = OrderedDict()
        self._held = 0
        self._large: tuple[tuple[object, ...], Buffer] | None = None
        """The one text too large to be kept beside others."""

    def find(self, identity: tuple[object, ...]) -> Buffer | None:
        known = self._texts.get(identity)
        if known is not None:
            self._texts.move_to_end(identity)
        elif self._large is not None and self._large[0] == identity:
            return self._large[1]
        return known

    def forget(self, identity: tuple[object, ...]) -> None:
        text = self._texts.pop(identity, None)
        if text is not None:
            self._held -= len(text)

    def keep(self, identity: tuple[object, ...], text: Buffer) -> None:
        if len(text) > self._limit // 4:
            self._large = (identity, text)
            return
        self._texts[identity] = text
        self._held += len(text)
        while self._held > self._limit:
            self._held -= len(self._texts.popitem(last=False)[1])


class ChunkCache:
    """Texts of chunks that were read last, so many bytes of them. Used from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._lock = threading.Lock()
        self._own = _Kept(limit)
        self._shared = _Kept(SHARED_CACHE_BYTES)
        """Texts in memory that is shared with other processes, which has a bound of its own."""
        self._being_made: dict[tuple[object, ...], Future[Buffer]] = {}

    def known(self, chunk: Chunk) -> Buffer | Future[Buffer] | None:
        """The chunk's text, or who will have it; None where it would have to be made."""
        if isinstance(chunk, Fixed):
            return chunk.content
        identity = chunk.identity
        with self._lock:
            return self._find(identity) or self._being_made.get(identity)

    def claim(self, chunk: Chunk) -> Claim | None:
        """Unless somebody has made or claimed it; then the caller must `make` or `settle` it."""
        identity = chunk.identity
        with self._lock:
            if self._find(identity) is not None or identity in self._being_made:
                return None
            made = self._being_made[identity] = Future()
            return Claim(chunk, made)

    def forget(self, chunk: Chunk) -> None:
        """Lets go of a text that was made ahead and has been read."""
        with self._lock:
            self._shared.forget(chunk.identity)

    def text(self, chunk: Chunk) -> Buffer:
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
            self.make(Claim(chunk, made))
        return made.result()

    def make(self, claim: Claim) -> None:
        """Makes what was claimed."""
        try:
            text: Buffer | BaseException = claim.chunk.text()
        except BaseException as error:
            text = error
        self.settle(claim, text)

    def settle(self, claim: Claim, text: Buffer | BaseException) -> None:
        """Lets all who wait have the text, or the reason why there is none.

        That is not kept: what was damaged may be mended while the file is open.
        """
        identity = claim.chunk.identity
        if not isinstance(text, BaseException) and len(text) != claim.chunk.length:
            text = AssertionError("a chunk is not as long as its document says")
        with self._lock:
            del self._being_made[identity]
            if not isinstance(text, BaseException):
                kept = self._own if isinstance(text, bytes) else self._shared
                kept.keep(identity, text)
        if isinstance(text, BaseException):
            claim.made.set_exception(text)
        else:
            claim.made.set_result(text)

    def _find(self, identity: tuple[object, ...]) -> Buffer | None:
        known = self._shared.find(identity)
        return known if known is not None else self._own.find(identity)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk at its place."""

    start: int
    stop: int
    chunk: Chunk


class Found(NamedTuple):
    """A range whose texts are there, or are being made."""

    pieces: list[_Piece]
    texts: list[Buffer | Future[Buffer]]
    offset: int
    stop: int

    def pending(self) -> Future[Buffer] | None:
        """The last text that is still to be waited for; None: all are there."""
        for text in reversed(self.texts):
            if isinstance(text, Future) and not text.done():
                return text
        return None

    def parts(self) -> list[memoryview] | None:
        """The range in parts; waits for what is pending. None where a text could not be made."""
        parts = []
        for piece, text in zip(self.pieces, self.texts, strict=True):
            if isinstance(text, Future):
                if text.exception() is not None:
                    return None
                text = text.result()
            parts.append(
                memoryview(text)[max(0, self.offset - piece.start) : self.stop - piece.start]
            )
        return parts


class Reader:
    """One open file. Used from any thread; several reads may be under way."""

    def __init__(self, document: Document, cache: ChunkCache) -> None:
        self._document = document
        self._cache = cache
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
        self.is_due = False
        """Whether it is time for `extend`; may be looked at without the lock."""

    def at_hand(self, offset: int, size: int) -> Found | None:
        """What `read` gives, where nothing is to be done for it but to wait; does not block."""
        stop = min(offset + size, self._document.length)
        if offset >= stop:
            return Found([], [], offset, stop)
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if not self._run or offset < self._run[0].start or stop > self._run[-1].stop:
                return None
            pieces = self._covering(offset, stop)
            texts = [self._cache.known(piece.chunk) for piece in pieces]
            found = [text for text in texts if text is not None]
            if len(found) < len(texts):
                return None
            self._note(stop)
            self._extend_in_time(stop)
        finally:
            self._lock.release()
        return Found(pieces, found, offset, stop)

    def read(self, offset: int, size: int) -> list[memoryview]:
        """The bytes at this place in parts, fewer only at the end.

        Raises DamageError, StorageError.
        """
        stop = min(offset + size, self._document.length)
        if offset >= stop:
            return []
        with self._lock:
            self._move_to(offset)
            self._reach(stop)
            pieces = self._covering(offset, stop)
            self._note(stop)
            self._extend_in_time(stop)
        parts = []
        for piece in pieces:
            for start, text in self._texts_of(piece, offset, stop):
                parts.append(memoryview(text)[max(0, offset - start) : stop - start])
        return parts

    def extend(self) -> list[Claim]:
        """What is to be made ahead of the reader, in the order of the file; by one thread alone."""
        with self._lock:
            known = len(self._run)
            try:
                if self._ahead_bytes:
                    self._lengthen(self._farthest + self._ahead_bytes)
            except RowvaultError:
                # Whoever reads that far is told.
                self._rest = iter(())
            finally:
                self.is_due = False
            self._run[known:] = added = _grouped(self._run[known:])
        # Claimed at once: who wants it waits, for one more thread at work makes all slower.
        claims = [self._cache.claim(one.chunk) for one in added if not isinstance(one.chunk, Fixed)]
        return [claim for claim in claims if claim is not None]

    def _texts_of(self, piece: _Piece, offset: int, stop: int) -> Iterator[tuple[int, Buffer]]:
        """(start, text) of the piece, or of what of it lies in the range.

        A group of which a block is damaged cannot be had, but its other blocks can.
        """
        if not isinstance(piece.chunk, Group):
            yield piece.start, self._cache.text(piece.chunk)
            return
        known = self._cache.known(piece.chunk)
        if isinstance(known, Future):
            known = known.result() if known.exception() is None else None
        if known is not None:
            yield piece.start, known
            return
        start = piece.start
        for chunk in piece.chunk.chunks:
            if start < stop and start + chunk.length > offset:
                yield start, self._cache.text(chunk)
            start += chunk.length

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
        groups = [one.chunk for one in self._run[:behind] if isinstance(one.chunk, Group)]
        if groups or behind > 16:
            del self._run[:behind]
        for group in groups:
            # The kernel has it now, and its memory is to be used while the processor has that.
            self._cache.forget(group)

    def _extend_in_time(self, stop: int) -> None:
        """The run is due when there is room for a good part of what is made ahead."""
        end = self._run[-1].stop
        self.is_due = end - stop < self._ahead_bytes // 2 and end < self._document.length


def _grouped(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The same text in fewer pieces, each of which a process makes in one go."""
    found: list[_Piece] = []
    start = pieces[0].start if pieces else 0
    for chunk in grouped([piece.chunk for piece in pieces], SLOT_BYTES):
        found.append(_Piece(start, start + chunk.length, chunk))
        start += chunk.length
    return found
