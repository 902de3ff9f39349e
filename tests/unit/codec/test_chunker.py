"""Blocks, as the engines see them."""

from __future__ import annotations

from array import array

import pytest

from rowvault.codec.chunker import (
    FIRST_FRAGMENT,
    LAST_FRAGMENT,
    MIDDLE_FRAGMENT,
    WHOLE_ROWS,
    Cutter,
    RawBlock,
)
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch, encode_batch

LAYOUT = RowLayout(b"\1\3", (b"", b""), (0,))
RULE = CutRule(32, 64, 128, bytes(16), bytes(16), bytes(32))


def test_blocks_come_with_names() -> None:
    cutter = Cutter(LAYOUT, RULE)
    assert cutter.feed(encode_batch([(b"1", b"ab"), (b"2", None)])) == []
    assert (cutter.pending_rows, cutter.pending_bytes) == (2, 8)
    (block,) = cutter.finish()
    assert isinstance(block, RawBlock)
    assert block.raw == b"\0011\2ab\0012\xfb"
    assert block.row_count == 2
    assert block.rendered_bytes == len(b"(1,X'6162'),\n(2,NULL)")
    assert block.first_key == b"\1\0011"
    assert len(block.row_sum) == 32
    assert block.fragment == WHOLE_ROWS


def test_a_row_larger_than_the_maximum_is_cut_into_fragments() -> None:
    cutter = Cutter(LAYOUT, RULE)
    blocks = cutter.feed(encode_batch([(b"1", None), (b"2", bytes(range(256)) * 2), (b"3", None)]))
    fragments = [block.fragment for block in blocks]
    assert fragments[:2] == [WHOLE_ROWS, FIRST_FRAGMENT]
    assert set(fragments[2:-1]) == {MIDDLE_FRAGMENT}
    assert fragments[-1] == LAST_FRAGMENT
    assert [block.row_count for block in blocks] == [1, 1, *[0] * (len(blocks) - 2)]
    assert cutter.pending_rows == 1


def test_malformed_rows_are_named() -> None:
    batch = encode_batch([(b"1", b"a"), (b"2", b"b")])
    with pytest.raises(ValueError, match="row 1, byte 6"):
        Cutter(LAYOUT, RULE).feed(RowBatch(batch.rows[:-1], array("I", [4, 7])))
