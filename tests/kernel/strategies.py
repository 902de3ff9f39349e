"""Rows of every shape, for hypothesis; and a table that never changes, for pinned results."""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch, Value, encode_batch
from rowvault.core.model import ValueKind

RULE = CutRule(
    minimum=40,
    scale=150,
    maximum=400,
    cut_key=bytes(range(16)),
    row_key=bytes(range(16, 32)),
    gear_key=bytes(range(32, 64)),
)
"""Small, so that few rows make several blocks, and a long value a row in fragments."""

EDGE_LENGTHS = (0, 1, 7, 8, 15, 16, 17, 31, 32, 63, 64, 250, 251, 252, 255, 256, 511, 520)


@dataclass(frozen=True)
class Table:
    """A layout and rows that fit it."""

    layout: RowLayout
    rows: list[tuple[Value, ...]]

    @property
    def batch(self) -> RowBatch:
        """All rows, encoded."""
        return encode_batch(self.rows)


SPECIAL = b"\0\n\r\x1a'\\\"%_;"

sized = st.builds(
    lambda length, pattern: (pattern * (length // len(pattern) + 1))[:length],
    st.sampled_from(EDGE_LENGTHS),
    st.binary(min_size=1, max_size=9),
)
special = st.text(SPECIAL.decode(), max_size=40).map(str.encode)
binary = st.binary(max_size=40) | special | sized

numbers = st.integers(-(1 << 64), 1 << 64).map(lambda n: b"%d" % n) | st.floats(
    allow_nan=False, allow_infinity=False
).map(lambda x: repr(x).encode())
integers = st.integers(-(1 << 63), (1 << 63) - 1)
reals = st.floats(allow_nan=True, allow_infinity=True)
dynamics = st.one_of(
    integers.map(lambda n: b"i%d" % n),
    reals.map(lambda x: b"r" + struct.pack(">d", x)),
    binary.map(lambda text: b"t" + text),
    st.text("aé€😀'\0", max_size=20).map(lambda text: b"t" + text.encode()),
    binary.map(lambda blob: b"b" + blob),
)

VALUES = {
    ValueKind.NUMBER: numbers,
    ValueKind.TEXT: binary,
    ValueKind.BYTES: binary,
    ValueKind.DYNAMIC: dynamics,
}


@st.composite
def layouts(draw: st.DrawFn, key: bool | None = None) -> RowLayout:
    """1 to 5 columns; any of them, in any order, are the key."""
    kinds = draw(st.lists(st.sampled_from(list(ValueKind)), min_size=1, max_size=5))
    introducers = tuple(draw(st.sampled_from([b"", b"_binary ", b"_cp932 "])) for _ in kinds)
    columns = draw(st.permutations(range(len(kinds))))
    least = 1 if key else 0
    most = 0 if key is False else len(kinds)
    return RowLayout(bytes(kinds), introducers, tuple(columns[: draw(st.integers(least, most))]))


@st.composite
def tables(draw: st.DrawFn, key: bool | None = None, max_rows: int = 40) -> Table:
    """A layout and up to `max_rows` rows."""
    layout = draw(layouts(key))
    row = st.tuples(*(st.none() | VALUES[ValueKind(kind)] for kind in layout.kinds))
    return Table(layout, draw(st.lists(row, max_size=max_rows)))


def parts(batch: RowBatch, splits: list[int]) -> Iterator[RowBatch]:
    """The batch in several, parted before these row numbers."""
    edges = [0, *sorted(min(split, len(batch.ends)) for split in splits), len(batch.ends)]
    for first, last in itertools.pairwise(edges):
        start = batch.ends[first - 1] if first else 0
        ends = batch.ends[first:last]
        for i in range(len(ends)):
            ends[i] -= start
        yield RowBatch(batch.rows[start : start + (ends[-1] if ends else 0)], ends)


SEEDED_LAYOUT = RowLayout(
    kinds=bytes((ValueKind.NUMBER, ValueKind.NUMBER, ValueKind.TEXT, ValueKind.BYTES)),
    introducers=(b"", b"", b"", b"_cp932 "),
    key=(1, 0),
)


def seeded_row(number: int) -> tuple[Value, ...]:
    """Always the same row for a number; each 97th is long."""
    noise = hashlib.sha256(b"row %d" % number).digest()
    text = b"it's %d\n" % number + noise.hex().encode()[: noise[0] // 4]
    blob = noise * 40 if number % 97 == 96 else noise[: noise[1] // 16]
    return (b"%d" % number, b"%d" % noise[2], text, None if noise[3] < 64 else blob)


def seeded_batch(first: int, last: int) -> RowBatch:
    """The rows of the numbers from `first` up to `last`."""
    return encode_batch(seeded_row(number) for number in range(first, last))
