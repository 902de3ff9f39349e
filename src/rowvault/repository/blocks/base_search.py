"""Finds on which bytes a delta was made, where those of the first frames make another block.

Deltas of the older kinds do not state the arrangement of their bases: by row or by column, and of
how many columns. Where a base was stored more than once, or a prune kept another copy than the one
that a delta was made of, each copy in each arrangement that it may have is tried, until the delta
gives the block of its id. A base is proven by its own id first. Only then bytes are tried that make
no known block: a writer of the older kind may have taken them for the base.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rowvault.codec.arrangement import (
    AS_ROWS,
    ArrangedBlock,
    arranged,
    arranged_block,
    possible_arrangements,
)
from rowvault.codec.frames import FrameHeader, arranged_bytes
from rowvault.core.errors import CorruptError
from rowvault.repository.blocks.frame_reader import BAD, FrameReader
from rowvault.repository.crypto.secrets import IdMaker
from rowvault.repository.index.index import Location

_log = logging.getLogger(__name__)

MOST_TRIED_BYTES = 256 << 20
"""Raw bytes of all attempts for one block: thousands of ways for blocks of the usual size."""

Places = Callable[[FrameHeader, bytes], Iterable[Location]]
"""Where one of a delta's bases stands in frames that it may build on."""
Told = Callable[[Location, ArrangedBlock], None]
"""Told of each base that was proven, and where."""


class Found(NamedTuple):
    """A block that was proven by its id."""

    block: ArrangedBlock
    raw: bytes


class BaseSearch:
    """The search for one block's sake. Used by one thread."""

    def __init__(self, frames: FrameReader, places: Places, make_id: IdMaker, told: Told) -> None:
        self._frames = frames
        self._places = places
        self._make_id = make_id
        self._told = told
        self._left = MOST_TRIED_BYTES
        self._made: dict[Location, _Remembered] = {}
        self._proven: dict[Location, Found | None] = {}

    @property
    def was_cut_short(self) -> bool:
        """Whether there are more ways than were tried."""
        return self._left < 0

    def find(self, header: FrameHeader, payload: bytes) -> Found | None:
        """The block of a delta; None where no way leads to its id."""
        for data in self._make(header, payload):
            found = self._proof(header, data)
            if found is not None:
                return found
        return None

    def _make(self, header: FrameHeader, payload: bytes) -> Iterator[bytes]:
        """What the payload gives on each of the bytes that its bases may have, still arranged."""
        for base in self._below(header):
            self._left -= header.raw_bytes
            if self.was_cut_short:
                return
            try:
                yield arranged_bytes(header, payload, base)
            except CorruptError as error:
                _log.debug("%s", error)

    def _below(self, header: FrameHeader) -> Iterator[bytes]:
        if not header.bases:
            yield b""
            return
        first, *others = (
            self._needed(header, number) if header.arrangements else self._possible(header, number)
            for number in range(len(header.bases))
        )
        if not others:
            yield from first
            return
        second = _Remembered(others[0])
        for one in first:
            for other in second:
                yield one + other

    def _needed(self, header: FrameHeader, number: int) -> Iterator[bytes]:
        """Of a base the only bytes that a delta can mean which states the arrangement."""
        for found in self._copies(header, header.bases[number]):
            data = arranged(found.raw, header.arrangements[1 + number])
            if data is not None:
                yield data
                return

    def _possible(self, header: FrameHeader, number: int) -> Iterator[bytes]:
        seen: set[bytes] = set()
        for data in self._likeliest_first(header, header.bases[number]):
            if data not in seen:
                seen.add(data)
                yield data

    def _likeliest_first(self, header: FrameHeader, base: bytes) -> Iterator[bytes]:
        """In the arrangement of a copy, else made anew; what is no known block comes last."""
        copies = list(self._copies(header, base))
        for same_kind in (True, False):
            is_by_column = header.is_by_column is same_kind
            for found in copies:
                if found.block.arrangement.is_by_column is is_by_column:
                    yield found.block.data
            if copies:
                yield from _arranged_anew(copies[0].raw, is_by_column=is_by_column)
        for location in self._places(header, base):
            yield from self._made_at(base, location)

    def _copies(self, header: FrameHeader, base: bytes) -> Iterator[Found]:
        """The base as each of its frames gives it, of those that can be proven."""
        for location in self._places(header, base):
            if location not in self._proven:
                self._proven[location] = self._prove(base, location)
            found = self._proven[location]
            if found is not None:
                yield found

    def _prove(self, prefix: bytes, location: Location) -> Found | None:
        try:
            header = self._frames.header(prefix, location)
        except BAD as error:
            _log.info("%s", error)
            return None
        for data in self._made_at(prefix, location):
            found = self._proof(header, data)
            if found is not None:
                self._told(location, found.block)
                return found
        return None

    def _made_at(self, prefix: bytes, location: Location) -> Iterable[bytes]:
        made = self._made.get(location)
        if made is None:
            try:
                made = _Remembered(self._make(*self._frames.frame(prefix, location)))
            except BAD as error:
                _log.info("%s", error)
                made = _Remembered(iter(()))
            self._made[location] = made
        return made

    def _proof(self, header: FrameHeader, data: bytes) -> Found | None:
        try:
            block = arranged_block(
                data, is_by_column=header.is_by_column, raw_bytes=header.raw_bytes
            )
            raw = block.raw()
        except CorruptError as error:
            _log.debug("%s", error)
            return None
        return Found(block, raw) if self._make_id(header.type, raw) == header.id else None


def _arranged_anew(raw: bytes, *, is_by_column: bool) -> Iterator[bytes]:
    for arrangement in possible_arrangements(raw) if is_by_column else (AS_ROWS,):
        data = arranged(raw, arrangement)
        if data is not None:
            yield data


class _Remembered:
    """An iterator that can be gone through many times, also by one who is not at its end yet."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._seen: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        number = 0
        while True:
            if number == len(self._seen):
                try:
                    self._seen.append(next(self._source))
                except StopIteration:
                    return
            yield self._seen[number]
            number += 1
