"""A row in fragments reads as it would whole, from any place, and from no more than is needed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import kernel
from rowvault.codec.chunker import Cutter
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import Value, encode_batch
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId
from rowvault.core.model import ValueKind
from rowvault.render.large_row import LargeRowText
from rowvault.repository.trees.node import LeafEntry

RULE = CutRule(32, 64, 100, bytes(16), bytes(16), bytes(32))
FRAME = (b"INSERT INTO t VALUES\n", b";\n")
NUMBER, TEXT, BYTES, DYNAMIC = ValueKind

some_text = st.text("a'\\\n\0\x1ab€", max_size=300).map(str.encode)
some_bytes = st.binary(max_size=300)
VALUES = {
    NUMBER: st.integers(-(10**18), 10**18).map(lambda number: b"%d" % number),
    TEXT: some_text | some_bytes,
    BYTES: some_bytes,
    DYNAMIC: st.one_of(
        some_text.map(lambda text: b"t" + text),
        st.text("a'b", min_size=60, max_size=300).map(lambda text: b"t" + text.encode()),
        some_bytes.map(lambda blob: b"b" + blob),
        st.integers(-9, 10**18).map(lambda number: b"i%d" % number),
        st.just(b"r?\xf0" + bytes(6)),
    ),
}


class Fragments:
    """One row, cut, with the reads of its blocks counted."""

    def __init__(self, kinds: Sequence[ValueKind], row: Sequence[Value]) -> None:
        introducers = tuple(b"_cp932 " if kind is BYTES else b"" for kind in kinds)
        self.layout = RowLayout(bytes(kinds), introducers, ())
        cutter = Cutter(self.layout, RULE)
        batch = encode_batch([row])
        blocks = [*cutter.feed(batch), *cutter.finish()]
        self.blocks = {BlockId(b"%032d" % n): block.raw for n, block in enumerate(blocks)}
        self.group = [
            LeafEntry(
                b"", block_id, len(block.raw), block.row_count, block.rendered_bytes, block.fragment
            )
            for block_id, block in zip(self.blocks, blocks, strict=True)
        ]
        self.reads: Counter[BlockId] = Counter()
        tuples = kernel.render_tuples(*batch, self.layout.kinds, introducers)
        self.text = FRAME[0] + tuples + FRAME[1]

    def read(self, block_id: BlockId) -> bytes:
        self.reads[block_id] += 1
        return self.blocks[block_id]

    def row(self) -> LargeRowText:
        return LargeRowText(self.read, self.group, self.layout, FRAME)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[ValueKind], list[Value]]:
    kinds = draw(st.lists(st.sampled_from(list(ValueKind)), min_size=1, max_size=6))
    return kinds, [draw(st.none() | VALUES[kind]) for kind in kinds]


@given(made=rows(), offsets=st.lists(st.integers(0, 3000), max_size=5))
def test_parts_are_the_whole(made: tuple[list[ValueKind], list[Value]], offsets: list[int]) -> None:
    fragments = Fragments(*made)
    whole = fragments.row()
    assert whole.length == len(fragments.text)
    for row in (whole, fragments.row()):
        for offset in offsets if row is whole else [0]:
            position = None
            for start, chunk in row.chunks(offset):
                if position is None:
                    assert start <= offset < start + chunk.length
                else:
                    assert start == position
                position = start + chunk.length
                assert chunk.text() == fragments.text[start:position]
            assert position == (whole.length if offset < whole.length else None)


def test_bytes_are_found_without_reading_what_is_before() -> None:
    blob = random.Random(1).randbytes(20_000)
    fragments = Fragments([NUMBER, BYTES, TEXT], [b"7", blob, b"end"])
    row = fragments.row()
    start, chunk = next(iter(row.chunks(30_000)))
    assert chunk.text() == fragments.text[start : start + chunk.length]
    assert start <= 30_000 < start + chunk.length
    assert len(fragments.group) > 100
    assert sum(fragments.reads.values()) <= 3


def test_a_text_is_measured_once() -> None:
    fragments = Fragments([NUMBER, TEXT], [b"7", b"it's " * 5000])
    row = fragments.row()
    for offset in (20_000, 10_000, 25_000, 15_000):
        start, chunk = next(iter(row.chunks(offset)))
        assert chunk.text() == fragments.text[start : start + chunk.length]
    assert max(fragments.reads.values()) <= 3


def test_equal_parts_have_equal_identities_and_others_not() -> None:
    zeros = Fragments([BYTES], [bytes(5000)])
    same = Fragments([BYTES], [bytes(5000)])
    other = Fragments([TEXT], [bytes(5000)])

    def identities(fragments: Fragments) -> list[tuple[object, ...]]:
        return [chunk.identity for _, chunk in fragments.row().chunks(0)]

    assert identities(zeros) == identities(same)
    assert len(set(identities(zeros))) == len(zeros.group)
    assert not set(identities(zeros)) & set(identities(other))


@pytest.mark.parametrize("kind", [TEXT, BYTES])
def test_what_does_not_add_up_is_damage(kind: ValueKind) -> None:
    fragments = Fragments([kind], [b"x'" * 200])
    first = fragments.group[0]
    fragments.group[0] = LeafEntry(
        first.first_key, first.id, first.raw_bytes, 1, first.rendered_bytes + 1, 1
    )
    with pytest.raises(CorruptError, match="where the tree says"):
        list(fragments.row().chunks(0))
    with pytest.raises(CorruptError, match="ends inside a value"):
        list(LargeRowText(fragments.read, fragments.group[:-1], fragments.layout, FRAME).chunks(0))
