"""When the text of an ENUM or SET value tells its number."""

from __future__ import annotations

import pytest

from rowvault.core.model import Column, ValueKind
from rowvault.sqltext.mysql.enumeration import is_ambiguous, members_of


@pytest.mark.parametrize(
    ("type_", "ambiguous"),
    [
        ("enum('a','b')", False),
        ("enum('new','open','it''s')", False),
        ("enum('mâle','femelle')", False),
        ("enum('да','нет')", False),
        ("enum('a','')", True),
        ("set('','b')", True),
        ("set('a','A')", True),
        ("enum('é','è')", True),
        ("enum('e','é')", True),
        ("enum('vi','wi')", True),
        ("enum('a','a ')", True),
        ("enum('日','本')", True),
        ("enum('😀','x')", True),
        ("enum('?','x')", True),
        ("varchar(9)", False),
    ],
)
def test_members_that_a_collation_may_take_for_equal_are_ambiguous(
    type_: str, ambiguous: bool
) -> None:
    assert is_ambiguous(Column("c", type_, ValueKind.TEXT)) is ambiguous


def test_members_are_read_as_the_server_writes_them() -> None:
    assert members_of("enum('a','','it''s','c\\\\d',' x,y','\\n\\0')") == [
        "a",
        "",
        "it's",
        "c\\d",
        " x,y",
        "\n\0",
    ]
    assert members_of("varchar(9)") == []
