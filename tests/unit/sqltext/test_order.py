"""Views are made behind those that they read, whatever their columns are called."""

from __future__ import annotations

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.order import sort_views


def view(name: str, query: str, database: str = "k") -> ObjectDefinition:
    statement = f"CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`%` VIEW `{name}` AS {query}"
    return ObjectDefinition(ObjectKind.VIEW, database, name, statement.encode())


def sorted_names(*views: ObjectDefinition) -> list[str]:
    return [one.name for one in sort_views(views)]


def test_a_view_comes_behind_those_that_it_reads() -> None:
    assert sorted_names(
        view("a", "select `b`.`x` AS `x` from `b`"),
        view("b", "select `c`.`x` AS `x` from (`t` join `c` on(`t`.`x` = `c`.`x`))"),
        view("c", "select 1 AS `x`"),
    ) == ["c", "b", "a"]


def test_columns_and_aliases_are_no_views() -> None:
    assert sorted_names(
        view("a", "select `b`.`c` AS `c` from (`b` join `c` on(`b`.`c` = `c`.`a`))"),
        view("b", "select `t`.`c` AS `c`,`t`.`a` AS `a` from `t` `x`"),
        view("c", "select `t`.`a` AS `a`,'from `a`' AS `b` from `t`"),
    ) == ["b", "c", "a"]


def test_a_view_of_another_database_is_found_by_its_full_name() -> None:
    assert sorted_names(
        view("v", "select 1 AS `x` from (`k`.`w` left join `j`.`v` on(1))", database="i"),
        view("v", "select `z`.`x` AS `x` from `k`.`w` `z`", database="j"),
        view("w", "select (select max(`v`.`x`) from `i2`.`v`) AS `x`", database="k"),
    ) == ["w", "v", "v"]


def test_names_with_backticks_and_dots() -> None:
    assert sorted_names(
        view("a", "select 1 from `b``.``c`"),
        view("b`.`c", "select 1 AS `a`"),
    ) == ["b`.`c", "a"]


def test_a_ring_is_broken_rather_than_followed_for_ever() -> None:
    assert sorted_names(view("a", "select 1 from `b`"), view("b", "select 1 from `a`")) == [
        "a",
        "b",
    ]
