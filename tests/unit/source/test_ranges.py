"""Conditions of row-chunks: one interval of the index each, whatever its parts."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from rowvault.source.mysql.keys.ranges import OrderPart, behind, in_range, order_by
from rowvault.source.protocol import Bound, RowRange

ORDERS = [
    [OrderPart("a"), OrderPart("b"), OrderPart("c")],
    [OrderPart("a", is_descending=True), OrderPart("b"), OrderPart("c")],
    [OrderPart("c"), OrderPart("a", is_descending=True), OrderPart("b", is_descending=True)],
    [OrderPart("a", value_count=3), OrderPart("b", value_count=3), OrderPart("c")],
    [OrderPart("b", is_descending=True, value_count=3), OrderPart("a"), OrderPart("c")],
]


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    """All triples of 0, 1 and 2: SQLite reads these conditions as MySQL does."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a INT, b INT, c INT)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", itertools.product(range(3), repeat=3)
        )
        yield connection


def _select(
    rows: sqlite3.Connection, order: Sequence[OrderPart], condition: str
) -> list[tuple[str, ...]]:
    names = ", ".join(part.column for part in order)
    where = f"WHERE {condition}" if condition else ""
    found = rows.execute(f"SELECT {names} FROM t {where} {order_by(order)}")
    return [tuple(map(str, row)) for row in found]


@pytest.mark.parametrize("order", ORDERS)
def test_any_two_bounds_part_the_rows_in_order(
    order: list[OrderPart], rows: sqlite3.Connection
) -> None:
    whole = _select(rows, order, "")
    for low, high in itertools.combinations(range(len(whole)), 2):
        bounds: list[Bound | None] = [None, whole[low], whole[high], None]
        parts = [
            _select(rows, order, in_range(order, RowRange(*pair)))
            for pair in itertools.pairwise(bounds)
        ]
        assert parts == [whole[:low], whole[low:high], whole[high:]]


@pytest.mark.parametrize("order", ORDERS)
def test_a_bound_may_be_the_first_values_of_a_key(
    order: list[OrderPart], rows: sqlite3.Connection
) -> None:
    whole = _select(rows, order, "")
    for bound in {row[:2] for row in whole}:
        first = next(at for at, row in enumerate(whole) if row[:2] == bound)
        assert _select(rows, order, in_range(order, RowRange(bound, None))) == whole[first:]
        assert _select(rows, order, in_range(order, RowRange(None, bound))) == whole[:first]
        assert _select(rows, order, behind(order, bound)) == whole[first + 3 :]


def test_a_condition_names_each_part_once_as_a_constant() -> None:
    order = [OrderPart("a"), OrderPart("k`y")]
    assert in_range(order, RowRange(("1", "'x'"), ("2",))) == (
        "(`t`.`a` > 1 OR `t`.`a` = 1 AND `t`.`k``y` >= 'x') AND `t`.`a` < 2"
    )
    assert in_range(order, RowRange()) == ""
