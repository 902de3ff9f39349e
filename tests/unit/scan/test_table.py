"""Row-chunks join to the same tree, whatever their edges, order and number."""

from __future__ import annotations

import itertools
import random
from array import array
from collections.abc import Iterator, Sequence

import pytest
from blake3 import blake3

from rowvault.codec.layout import CutRule
from rowvault.codec.rows import RowBatch, encode_row
from rowvault.core.errors import SourceError
from rowvault.core.ids import BlockId
from rowvault.core.model import Column, TableDefinition, ValueKind
from rowvault.repository.trees.node import NodeRule
from rowvault.scan import table as table_module
from rowvault.scan.table import ScannedTable, TableScan
from rowvault.source.protocol import RowRange

CUT_RULE = CutRule(
    minimum=512, scale=2048, maximum=8192, cut_key=bytes(16), row_key=bytes(16), gear_key=bytes(32)
)
NODE_RULE = NodeRule(minimum=2, scale=6, maximum=24, key=bytes(32))

TABLE = TableDefinition(
    database="shop",
    name="item",
    columns=(
        Column("id", "int", ValueKind.NUMBER),
        Column("text", "varchar(100)", ValueKind.TEXT),
    ),
    key=(0,),
    key_is_ordered=True,
    statement=b"",
)


class ListReader:
    """Rows from a list, in batches of uneven size."""

    def __init__(self, rows: Sequence[tuple[int, bytes]], seed: int) -> None:
        self._rows = rows
        self._random = random.Random(seed)
        self.reads = 0

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        self.reads += 1
        chosen = [
            encode_row([str(key).encode(), text])
            for key, text in self._rows
            if (rows.low is None or key >= int(rows.low[0]))
            and (rows.high is None or key < int(rows.high[0]))
        ]
        while chosen:
            count = self._random.randint(1, 200)
            part, chosen = chosen[:count], chosen[count:]
            ends = array("I")
            for row in part:
                ends.append((ends[-1] if ends else 0) + len(row))
            yield RowBatch(b"".join(part), ends)


class CountingSink:
    """Names blocks and remembers which were put."""

    def __init__(self) -> None:
        self.data: set[BlockId] = set()

    def put_data(self, raw: bytes, column_count: int = 0, base: object = None) -> BlockId:
        identifier = BlockId(blake3(raw).digest())
        self.data.add(identifier)
        return identifier

    def put_node(self, raw: bytes) -> BlockId:
        return BlockId(blake3(raw).digest())


def scan(
    rows: Sequence[tuple[int, bytes]], edges: Sequence[int], seed: int = 0
) -> tuple[ScannedTable, CountingSink, ListReader]:
    bounds = [None, *((str(edge),) for edge in edges), None]
    ranges = [RowRange(low, high) for low, high in itertools.pairwise(bounds)]
    sink, reader = CountingSink(), ListReader(rows, seed)
    one = TableScan(TABLE, sink, CUT_RULE, NODE_RULE)
    order = [one.add(rows) for rows in ranges]
    random.Random(seed).shuffle(order)
    known_before = seed % 2 == 0
    if known_before:
        one.close()
    for index in order:
        assert one.result is None
        one.run(index, reader, lambda rows, size: None)
    if not known_before:
        one.close()
    assert one.result is not None
    return one.result, sink, reader


def make_rows(count: int, seed: int, widest: int = 90) -> list[tuple[int, bytes]]:
    source = random.Random(seed)
    return [(key, source.randbytes(source.randint(0, widest))) for key in range(0, count * 3, 3)]


@pytest.mark.parametrize("seed", range(12))
def test_any_row_chunks_give_the_tree_of_one(seed: int) -> None:
    rows = make_rows(4000, seed)
    whole, _, _ = scan(rows, [])
    edges = sorted(random.Random(seed).sample(range(-50, 12500), k=1 + seed))
    parts, _, _ = scan(rows, edges, seed)
    assert parts.root == whole.root
    assert parts.row_sum == whole.row_sum
    assert whole.root.sums.rows == len(rows)


def test_row_chunks_smaller_than_a_block_join() -> None:
    rows = make_rows(300, 1)
    whole, _, _ = scan(rows, [])
    parts, _, _ = scan(rows, list(range(0, 900, 7)))
    assert parts.root == whole.root
    assert parts.row_sum == whole.row_sum


@pytest.mark.parametrize("seed", range(4))
def test_rows_larger_than_any_block_at_the_edges(seed: int) -> None:
    source = random.Random(seed)
    rows = [(key, source.randbytes(source.choice([5, 200, 9000, 40000]))) for key in range(120)]
    whole, _, _ = scan(rows, [])
    parts, _, _ = scan(rows, list(range(3, 120, 10)), seed)
    assert parts.root == whole.root
    assert parts.row_sum == whole.row_sum


def test_no_block_is_stored_that_the_tree_does_not_need() -> None:
    rows = make_rows(6000, 3)
    _, alone, _ = scan(rows, [])
    _, joined, reader = scan(rows, [4000, 9000, 15000])
    assert joined.data == alone.data
    assert reader.reads == 4


def test_without_a_common_cut_in_the_head_the_rows_are_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_module, "HEAD_BLOCKS", 0)
    rows = make_rows(6000, 5)
    whole, _, _ = scan(rows, [])
    parts, _, reader = scan(rows, [4001, 9001, 15001])
    assert parts.root == whole.root
    assert parts.row_sum == whole.row_sum
    assert reader.reads > 4


def test_an_empty_table_is_a_tree_of_no_rows() -> None:
    whole, _, _ = scan([], [])
    parts, _, _ = scan([], [10, 20])
    assert parts.root == whole.root
    assert whole.root.sums.rows == 0
    assert int.from_bytes(whole.row_sum, "little") == 0


class ForgetfulReader(ListReader):
    """Leaves a row out of each range but of the whole table, as a server whose index lies in
    another order than its keys compare."""

    def __init__(self, rows: Sequence[tuple[int, bytes]], keeps_whole: bool = True) -> None:
        super().__init__(rows, 0)
        self._keeps_whole = keeps_whole

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        if rows == RowRange() and self._keeps_whole:
            yield from super().read(table, rows)
            return
        for batch in super().read(table, rows):
            first = batch.ends[0]
            if len(batch.ends) > 1:
                yield RowBatch(
                    batch.rows[first:], array("I", [end - first for end in batch.ends[1:]])
                )


def read_in_parts(
    rows: Sequence[tuple[int, bytes]], reader: ListReader, counted: int | None, parts: int = 3
) -> TableScan:
    one = TableScan(TABLE, CountingSink(), CUT_RULE, NODE_RULE)
    bounds = [None, *((str(3 * edge * len(rows) // parts),) for edge in range(1, parts)), None]
    for low, high in itertools.pairwise(bounds):
        one.add(RowRange(low, high))
    for index in range(parts):
        one.run(index, reader, lambda rows, size: None)
        assert not one.begins_again()
    one.close(counted)
    return one


def test_rows_that_are_counted_and_do_not_come_are_read_again_at_once() -> None:
    rows = make_rows(2000, 3)
    whole, _, _ = scan(rows, [])
    reader = ForgetfulReader(rows)
    one = read_in_parts(rows, reader, len(rows))
    assert one.result is None
    assert one.begins_again()
    assert not one.begins_again()
    one.run(0, reader, lambda rows, size: None)
    assert not one.begins_again()
    assert one.result == whole


def test_as_many_rows_as_were_counted_are_the_table() -> None:
    rows = make_rows(2000, 3)
    one = read_in_parts(rows, ListReader(rows, 1), len(rows))
    assert not one.begins_again()
    assert one.result is not None
    assert one.result.root.sums.rows == len(rows)


def test_a_whole_table_that_is_not_what_was_counted_is_named() -> None:
    rows = make_rows(2000, 3)
    reader = ForgetfulReader(rows, keeps_whole=False)
    one = read_in_parts(rows, reader, len(rows))
    assert one.begins_again()
    with pytest.raises(SourceError, match=r"shop\.item .* 2000 are counted"):
        one.run(0, reader, lambda rows, size: None)
