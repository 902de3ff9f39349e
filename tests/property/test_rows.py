"""Rows: any values, through the encoding, through blocks and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.strategies import RULE, Table, parts, tables
from rowvault.codec import kernel
from rowvault.codec.chunker import FIRST_FRAGMENT, LAST_FRAGMENT, WHOLE_ROWS, Cutter, RawBlock
from rowvault.codec.rendering import render_block
from rowvault.codec.rows import (
    RowBatch,
    Value,
    decode_row,
    encode_batch,
    encode_length,
    encode_row,
    read_length,
)
from rowvault.core.errors import CorruptError

values = st.none() | st.binary(max_size=300)


def rows_of(data: bytes, column_count: int) -> list[tuple[Value, ...]]:
    """All rows, read one after the other by the plain decoder."""
    rows, position = [], 0
    while position < len(data):
        row, position = decode_row(data, position, column_count)
        rows.append(tuple(row))
    return rows


def joined_rows(blocks: list[RawBlock], column_count: int) -> list[tuple[Value, ...]]:
    """The rows of blocks, each block by itself; fragments of a row put together."""
    rows, fragments = [], []
    for block in blocks:
        if block.fragment == WHOLE_ROWS:
            ends = kernel.row_ends(block.raw, column_count)
            assert len(ends) == block.row_count
            rows += rows_of(block.raw, column_count)
            continue
        assert (block.fragment == FIRST_FRAGMENT) == (not fragments)
        fragments.append(block.raw)
        if block.fragment == LAST_FRAGMENT:
            rows += rows_of(b"".join(fragments), column_count)
            fragments = []
    return rows


@given(length=st.integers(0, 1 << 64) | st.sampled_from([250, 251, 65535, 65536, 1 << 24]))
def test_lengths_survive(length: int) -> None:
    if length >= 1 << 64:
        with pytest.raises(OverflowError):
            encode_length(length)
        return
    encoded = encode_length(length)
    assert read_length(encoded, 0) == (length, len(encoded))
    for cut in range(len(encoded)):
        with pytest.raises(CorruptError):
            read_length(encoded[:cut], 0)


@given(row=st.lists(values, min_size=1, max_size=6))
def test_a_row_survives(row: list[Value]) -> None:
    encoded = encode_row(row)
    assert decode_row(encoded, 0, len(row)) == (row, len(encoded))


@given(table=tables())
def test_a_batch_survives_and_its_ends_are_found_again(table: Table) -> None:
    batch = table.batch
    assert rows_of(batch.rows, table.layout.column_count) == table.rows
    assert kernel.row_ends(batch.rows, table.layout.column_count) == batch.ends


@given(table=tables(), splits=st.lists(st.integers(0, 40), max_size=6))
def test_rows_survive_being_cut_into_blocks(table: Table, splits: list[int]) -> None:
    cutter = Cutter(table.layout, RULE)
    blocks = [block for batch in parts(table.batch, splits) for block in cutter.feed(batch)]
    assert cutter.pending_rows + sum(block.row_count for block in blocks) == len(table.rows)
    blocks += cutter.finish()
    assert joined_rows(blocks, table.layout.column_count) == table.rows


@given(table=tables())
def test_blocks_rendered_one_by_one_are_the_table_rendered_whole(table: Table) -> None:
    cutter = Cutter(table.layout, RULE)
    blocks = cutter.feed(table.batch) + cutter.finish()
    tuples, run = [], []
    for block in blocks:
        run.append(block.raw)
        if block.fragment not in (WHOLE_ROWS, LAST_FRAGMENT):
            continue
        raw = b"".join(run)
        batch = RowBatch(raw, kernel.row_ends(raw, table.layout.column_count))
        tuples.append(render_block(batch, table.layout))
        run = []
    assert b",\n".join(tuples) == render_block(table.batch, table.layout)
    announced = sum(block.rendered_bytes for block in blocks)
    assert announced == sum(map(len, tuples))


@given(table=tables(key=False), order=st.randoms(use_true_random=False))
def test_the_row_sum_does_not_depend_on_the_order(table: Table, order: object) -> None:
    def row_sum(batch: RowBatch) -> int:
        cutter = Cutter(table.layout, RULE)
        blocks = cutter.feed(batch) + cutter.finish()
        return sum(int.from_bytes(block.row_sum, "little") for block in blocks) % (1 << 256)

    shuffled = list(table.rows)
    order.shuffle(shuffled)
    assert row_sum(encode_batch(shuffled)) == row_sum(table.batch)
    if table.rows:
        assert row_sum(encode_batch(table.rows[1:])) != row_sum(table.batch)
