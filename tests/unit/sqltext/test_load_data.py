"""LOAD DATA: which columns take bytes as they are, and which need an expression."""

from __future__ import annotations

import pytest

from rowvault.core.model import Column, ValueKind
from rowvault.sqltext.mysql.load_data import has_characters, load_data

NUMBER, TEXT, BYTES = ValueKind.NUMBER, ValueKind.TEXT, ValueKind.BYTES


def column(type_: str, kind: ValueKind = TEXT, introducer: str = "") -> Column:
    return Column("c", type_, kind, introducer)


@pytest.mark.parametrize(
    ("one", "charset", "expression"),
    [
        (column("int(11)", NUMBER), "", ""),
        (column("decimal(10,2)", NUMBER), "", ""),
        (column("year(4)", NUMBER), "", "CAST(@rowvault_0 AS UNSIGNED)"),
        (column("enum('','a')", NUMBER), "latin1", "CAST(@rowvault_0 AS UNSIGNED)"),
        (column("set('','a')", NUMBER), "utf8mb4", "CAST(@rowvault_0 AS UNSIGNED)"),
        (column("double"), "", ""),
        (column("float"), "", ""),
        (column("timestamp(6)"), "", ""),
        (column("varchar(9)"), "utf8mb4", ""),
        (column("text"), "utf8mb3", ""),
        (column("enum('a')"), "utf8mb4", ""),
        (column("varchar(9)"), "latin1", "CONVERT(@rowvault_0 USING utf8mb4)"),
        (column("enum('ä')"), "latin1", "CONVERT(@rowvault_0 USING utf8mb4)"),
        (column("json"), "", "CONVERT(@rowvault_0 USING utf8mb4)"),
        (column("inet6"), "", "CONVERT(@rowvault_0 USING utf8mb4)"),
        (column("uuid"), "", "CONVERT(@rowvault_0 USING utf8mb4)"),
        (column("blob", BYTES), "", ""),
        (column("bit(64)", BYTES), "", ""),
        (column("point", BYTES), "", ""),
        (column("varchar(9)", BYTES, "_cp932"), "cp932", ""),
    ],
)
def test_a_column_takes_bytes_or_an_expression(one: Column, charset: str, expression: str) -> None:
    statement = load_data("d", "t", [one], {"c": charset}, "f").decode()
    target = statement.partition("STARTING BY '' ")[2]
    assert target == (f"(@rowvault_0) SET `c`={expression}" if expression else "(`c`)")


def test_names_are_quoted() -> None:
    columns = [Column("a`b", "int", NUMBER), Column("\udcff", "json", TEXT)]
    statement = load_data("d`", "t", columns, {}, "it's")
    assert statement.startswith(b"LOAD DATA LOCAL INFILE 'it\\'s' INTO TABLE `d```.`t` ")
    assert statement.endswith(b"(`a``b`,@rowvault_1) SET `\xff`=CONVERT(@rowvault_1 USING utf8mb4)")


def test_charsets_matter_to_characters_alone() -> None:
    assert has_characters([column("int", NUMBER), column("char(3)")])
    assert not has_characters([column("int", NUMBER), column("date"), column("blob", BYTES)])
