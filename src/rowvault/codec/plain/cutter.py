"""Rows in, blocks out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Protocol

from rowvault.codec.plain.buffers import take_bytes, take_ends
from rowvault.codec.plain.rendering import render_row
from rowvault.codec.plain.rows import Layout, Row, check_key, check_layout, split_rows
from rowvault.codec.plain.siphash import U64, row_hash, siphash24

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MAX_BLOCK_BYTES: Final = 1 << 22
"""Bound of a rule's scale and maximum: its fourth power times 2^32 then fits into 128 bits."""

LONGEST_PLAIN_KEY: Final = 512
"""A block's first key is kept as it is up to this many bytes, and as a hash beyond."""

RawTuple = tuple[bytes, int, int, bytes, bytes, int]


class Rule(Protocol):
    """What is read of codec.layout.CutRule."""

    @property
    def minimum(self) -> int: ...

    @property
    def scale(self) -> int: ...

    @property
    def maximum(self) -> int: ...

    @property
    def cut_key(self) -> bytes: ...

    @property
    def row_key(self) -> bytes: ...

    @property
    def gear_key(self) -> bytes: ...


def _check_rule(rule: Rule) -> None:
    if not 0 < rule.minimum <= rule.maximum <= MAX_BLOCK_BYTES:
        raise ValueError("a rule needs 0 < minimum <= maximum <= 4194304")
    if not 0 < rule.scale <= MAX_BLOCK_BYTES:
        raise ValueError("a rule needs 0 < scale <= 4194304")
    if (len(rule.cut_key), len(rule.row_key), len(rule.gear_key)) != (16, 16, 32):
        raise ValueError("a rule's keys have 16, 16 and 32 bytes")


class Cutter:
    """Cuts rows into blocks: (raw, row_count, rendered_bytes, first_key, row_sum, fragment).

    Where a block ends depends on its rows alone, never on how they were fed.
    """

    def __init__(self, layout: Layout, rule: Rule) -> None:
        check_layout(layout.kinds, layout.introducers)
        check_key(layout.key, len(layout.kinds))
        _check_rule(rule)
        self._layout = layout
        self._rule = rule
        halves = rule.gear_key[:16], rule.gear_key[16:]
        self._gear = [
            siphash24(halves[0], bytes((i,))) ^ siphash24(halves[1], bytes((i,)))
            for i in range(256)
        ]
        self._failed = False
        self._forget()

    def _forget(self) -> None:
        self._rows: list[bytes] = []
        self.pending_bytes = 0
        self._rendered_bytes = 0
        self._first_key = b""
        self._row_sum = 0

    @property
    def pending_rows(self) -> int:
        """Rows that are not in a block yet."""
        return len(self._rows)

    def feed(self, rows: Buffer, ends: Buffer) -> list[RawTuple]:
        """The blocks that these rows complete, in order.

        Raises ValueError, naming row and byte; the cutter cannot be used any further then.
        """
        if self._failed:
            raise ValueError("the cutter has met malformed rows before")
        blocks: list[RawTuple] = []
        try:
            for row in split_rows(take_bytes(rows), take_ends(ends), len(self._layout.kinds)):
                self._add(row, blocks)
        except ValueError:
            self._failed = True
            raise
        return blocks

    def finish(self) -> list[RawTuple]:
        """The last block, if rows are pending; the cutter is as new then."""
        if self._failed:
            raise ValueError("the cutter has met malformed rows before")
        blocks: list[RawTuple] = []
        self._close(blocks)
        return blocks

    def _add(self, row: Row, blocks: list[RawTuple]) -> None:
        rendered = len(render_row(row, self._layout.kinds, self._layout.introducers))
        key = row.key(self._layout.key)
        if self.pending_bytes + len(row.raw) > self._rule.maximum:
            self._close(blocks)
        if len(row.raw) > self._rule.maximum:
            self._cut_by_bytes(row.raw, rendered, key, blocks)
            return
        if not self._rows:
            self._first_key = self._shorten(key)
        before = self.pending_bytes
        self._rendered_bytes += rendered + (2 if self._rows else 0)
        self._row_sum += self._hash(row.raw)
        self._rows.append(row.raw)
        self.pending_bytes += len(row.raw)
        if self._ends_block(before, self.pending_bytes, key):
            self._close(blocks)

    def _ends_block(self, before: int, after: int, key: bytes) -> bool:
        """The hazard of a Weibull distribution of shape 4, as Dolt's splitter has it.

        In integers, so that every platform cuts alike: chance (after^4 - before^4) / scale^4.
        """
        if after < self._rule.minimum:
            return False
        chance = siphash24(self._rule.cut_key, key) >> 32
        return chance * self._rule.scale**4 < (after**4 - before**4) << 32

    def _hash(self, raw: bytes) -> int:
        return int.from_bytes(row_hash(self._rule.row_key, raw), "little")

    def _shorten(self, key: bytes) -> bytes:
        if self._layout.key and len(key) <= LONGEST_PLAIN_KEY:
            return b"\x01" + key
        return b"\x00" + row_hash(self._rule.row_key, key)[:16]

    def _close(self, blocks: list[RawTuple]) -> None:
        if self._rows:
            blocks.append(
                (
                    b"".join(self._rows),
                    len(self._rows),
                    self._rendered_bytes,
                    self._first_key,
                    (self._row_sum % (1 << 256)).to_bytes(32, "little"),
                    0,
                )
            )
        self._forget()

    def _cut_by_bytes(
        self, raw: bytes, rendered_bytes: int, key: bytes, blocks: list[RawTuple]
    ) -> None:
        """A row larger than the maximum becomes fragments: 1 the first, 2 middle, 3 the last."""
        first_key = self._shorten(key)
        stops = self._fragment_stops(raw)
        row_sum = self._hash(raw).to_bytes(32, "little")
        blocks.append((raw[: stops[0]], 1, rendered_bytes, first_key, row_sum, 1))
        for start, stop in itertools.pairwise(stops):
            fragment = 3 if stop == len(raw) else 2
            blocks.append((raw[start:stop], 0, 0, first_key, bytes(32), fragment))

    def _fragment_stops(self, raw: bytes) -> list[int]:
        bits = self._rule.scale.bit_length() - 1
        stops = []
        start = gear = 0
        for position, byte in enumerate(raw, 1):
            gear = ((gear << 1) + self._gear[byte]) & U64
            size = position - start
            met = size >= self._rule.minimum and gear >> (64 - bits) == 0
            if met or size == self._rule.maximum or position == len(raw):
                stops.append(position)
                start, gear = position, 0
        return stops
