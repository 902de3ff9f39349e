"""Columns, keys and the statements that read a table."""

from __future__ import annotations

import re

import pytest

from rowvault.core.model import Column, TableDefinition, ValueKind
from rowvault.source.mysql.keys.columns import (
    ColumnFacts,
    UnknownTypeError,
    column_of,
    select_expression,
)
from rowvault.source.mysql.keys.keys import AccessPath, IndexFacts, choose_key
from rowvault.source.mysql.keys.ranges import OrderPart
from rowvault.source.mysql.reading.reader import select_statement
from rowvault.source.protocol import RowRange


def facts(
    name: str, kind: str = "int", *, charset: str = "", nullable: bool = False, extra: str = ""
) -> ColumnFacts:
    return ColumnFacts(name, re.split(r"[( ]", kind)[0], kind, charset, extra, "", nullable)


@pytest.mark.parametrize(
    ("kind", "charset", "expected", "introducer"),
    [
        ("bigint unsigned", "", ValueKind.NUMBER, ""),
        ("decimal(65,30)", "", ValueKind.NUMBER, ""),
        ("year(4)", "", ValueKind.NUMBER, ""),
        ("float", "", ValueKind.TEXT, ""),
        ("double(5,2)", "", ValueKind.TEXT, ""),
        ("bit(12)", "", ValueKind.BYTES, ""),
        ("longblob", "", ValueKind.BYTES, ""),
        ("vector(3)", "", ValueKind.BYTES, ""),
        ("geometrycollection", "", ValueKind.BYTES, ""),
        ("varchar(9)", "latin1", ValueKind.TEXT, ""),
        ("varchar(9)", "utf8mb4", ValueKind.TEXT, ""),
        ("varchar(9)", "cp932", ValueKind.BYTES, "_cp932"),
        ("enum('a')", "cp932", ValueKind.TEXT, ""),
        ("json", "", ValueKind.TEXT, ""),
        ("uuid", "", ValueKind.TEXT, ""),
        ("timestamp(6)", "", ValueKind.TEXT, ""),
    ],
)
def test_each_type_has_its_kind(
    kind: str, charset: str, expected: ValueKind, introducer: str
) -> None:
    column = column_of(facts("c", kind, charset=charset))
    assert (column.kind, column.introducer) == (expected, introducer)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownTypeError, match="xmltype"):
        column_of(facts("c", "xmltype"))


def test_floats_and_foreign_charsets_are_read_exactly() -> None:
    assert select_expression(column_of(facts("a`b", "float(7,3)"))) == "`t`.`a``b`*1e0"
    assert (
        select_expression(column_of(facts("c", "text", charset="ucs2")))
        == "CAST(`t`.`c` AS BINARY)"
    )


def test_a_default_expression_is_not_a_generated_column() -> None:
    assert not facts("c", extra="DEFAULT_GENERATED").is_generated
    assert facts("c", extra="STORED GENERATED, INVISIBLE").is_generated


def choose(columns: list[ColumnFacts], *indexes: IndexFacts) -> tuple[tuple[int, ...], AccessPath]:
    stored = [column_of(one) for one in columns if not one.is_generated]
    choice = choose_key(stored, columns, indexes)
    return choice.key, choice.path


def test_the_primary_key_goes_first_in_its_own_order() -> None:
    key, path = choose(
        [facts("a"), facts("b"), facts("c")],
        IndexFacts("u", True, "BTREE", ["c"]),
        IndexFacts("PRIMARY", True, "BTREE", ["b", "a"]),
    )
    assert key == (1, 0)
    assert path == AccessPath("FORCE INDEX (`PRIMARY`)", (OrderPart("b"), OrderPart("a")))


def test_a_whole_unique_index_goes_before_a_primary_key_of_prefixes() -> None:
    prefix = IndexFacts("PRIMARY", True, "BTREE", ["a"], has_prefix=True)
    columns = [facts("a", "text", charset="utf8mb4"), facts("b")]
    assert choose(columns, prefix, IndexFacts("u", True, "BTREE", ["b"]))[0] == (1,)
    assert choose(columns, prefix) == ((0,), AccessPath("FORCE INDEX (`PRIMARY`)"))


def test_null_hash_expression_and_generated_parts_make_no_key() -> None:
    columns = [facts("a", nullable=True), facts("b"), facts("g", extra="STORED GENERATED")]
    for index in (
        IndexFacts("i", True, "BTREE", ["a"]),
        IndexFacts("i", True, "HASH", ["b"]),
        IndexFacts("i", True, "BTREE", [""]),
        IndexFacts("i", True, "BTREE", ["g"]),
        IndexFacts("i", False, "BTREE", ["b"]),
    ):
        assert choose(columns, index) == ((), AccessPath("IGNORE INDEX (`i`)"))


def test_the_row_end_of_a_versioned_table_is_no_part_of_the_key() -> None:
    end = ColumnFacts("re", "timestamp", "timestamp(6)", "", "STORED GENERATED", "ROW END", False)
    index = IndexFacts("PRIMARY", True, "BTREE", ["a", "re"])
    assert choose([facts("a"), end], index)[0] == (0,)


def table(*columns: Column, key: tuple[int, ...]) -> TableDefinition:
    return TableDefinition("d`b", "t", columns, key, True, b"")


def test_a_range_is_half_open_and_ordered_by_the_columns_themselves() -> None:
    one = table(Column("id", "int", ValueKind.NUMBER), key=(0,))
    path = AccessPath("FORCE INDEX (`PRIMARY`)", (OrderPart("id"),))
    assert select_statement(one, RowRange(("3",), ("9",)), path) == (
        "SELECT `t`.`id` FROM `d``b`.`t` AS `t` FORCE INDEX (`PRIMARY`) "
        "WHERE `t`.`id` >= 3 AND `t`.`id` < 9 ORDER BY `t`.`id`"
    )


def test_a_table_without_a_key_has_no_order_of_its_own() -> None:
    one = table(Column("a", "int", ValueKind.NUMBER), key=())
    statement = select_statement(one, RowRange(), AccessPath("IGNORE INDEX (`k`)"))
    assert statement == "SELECT `t`.`a` FROM `d``b`.`t` AS `t` IGNORE INDEX (`k`)"
