"""Names as they are typed on the command line."""

import pytest

from rowvault.cli.input.names import parse_database, parse_name, parse_rename, parse_table
from rowvault.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop", ("shop", None)),
        ("shop.orders", ("shop", "orders")),
        ("`my.db`.`t`", ("my.db", "t")),
        ("`a``b`.c", ("a`b", "c")),
        ("my%2Edb.t", ("my.db", "t")),
        ("100%25.t", ("100%", "t")),
        ("`100%`.t", ("100%", "t")),
        ("größe.東京", ("größe", "東京")),
        ("gr%C3%B6%C3%9Fe.t", ("größe", "t")),
        ("with space.t", ("with space", "t")),
    ],
)
def test_names(text: str, name: tuple[str, str | None]) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a.b.c", "`a", "a`", "`a`b", "``", "50%.t", "%C3.t", "`a`.`b`.c"],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError):
        parse_name(text)


def test_a_table_needs_its_database() -> None:
    assert parse_table("a.b") == ("a", "b")
    with pytest.raises(UsageError, match=r"DB\.TABLE"):
        parse_table("orders")


def test_a_database_may_hold_dots() -> None:
    assert parse_database("my.db") == "my.db"
    assert parse_database("`my.db`") == "my.db"
    assert parse_database("my%2Edb") == "my.db"
    with pytest.raises(UsageError):
        parse_database("`a`.`b`")


def test_renames() -> None:
    assert parse_rename("a=b") == (("a", None), ("b", None))
    assert parse_rename("a.t=b.u") == (("a", "t"), ("b", "u"))
    assert parse_rename("`a.b=c`=x%2Ey") == (("a.b=c", None), ("x.y", None))
    assert parse_rename("`a.b`.t=`c``.d`.`u=v`") == (("a.b", "t"), ("c`.d", "u=v"))


@pytest.mark.parametrize("text", ["a", "=b", "a=", "a=b.c", "a.b=c", "a=b=c", "a.b.c=d.e.f"])
def test_what_is_no_rename(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rename(text)
