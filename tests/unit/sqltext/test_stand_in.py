"""What the text of a broken view tells about what it reads."""

from __future__ import annotations

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.view_stub import view_stubs

HEAD = b"CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`h` SQL SECURITY DEFINER VIEW `v` AS "


def made_for(text: bytes, vendor: str = "mariadb") -> list[bytes]:
    view = ObjectDefinition(ObjectKind.VIEW, "d", "v", HEAD + text)
    made = (one.make for one in view_stubs(view, vendor))
    return [statement.replace(b" VARCHAR(1) CHARACTER SET utf8mb4", b"") for statement in made]


def test_a_table_has_the_columns_that_are_read_under_its_alias() -> None:
    text = (
        b"select `g`.`a` AS `x`,year(`g`.`b``c`) from (`t` `g` join `u` on(`d`.`u`.`A` ="
        b" 'from `n`'))"
    )
    assert made_for(text) == [b"CREATE TABLE `t` (`a`, `b``c`)", b"CREATE TABLE `u` (`A`)"]


def test_columns_without_a_database_are_those_of_a_view() -> None:
    text = b"select `w`.`y` + 1 AS `z` from `w` where `w`.`y` > 0"
    assert made_for(text) == [b"CREATE VIEW `w` AS SELECT '' AS `y`"]
    # MySQL writes no database in front of a table's columns either.
    assert made_for(text, "mysql") == [b"CREATE TABLE `w` (`y`)"]


def test_a_table_of_which_no_column_is_read_has_one() -> None:
    assert made_for(b"select count(0) AS `n` from `t`") == [b"CREATE TABLE `t` (`none`)"]


def test_another_database_is_made_first() -> None:
    assert made_for(b"select 1 from `e`.`t` join `e`.`u`") == [
        b"CREATE DATABASE `e`",
        b"CREATE TABLE `e`.`t` (`none`)",
        b"CREATE TABLE `e`.`u` (`none`)",
    ]


def test_a_function_has_as_many_parameters_as_are_given() -> None:
    made = made_for(b"select `f`(),`e`.`g`(`t`.`a`,concat('(,',`h`(1)),`b,(`.`c`) from `t`")
    functions = {one.split(b" RETURNS")[0] for one in made if one.startswith(b"CREATE FUNCTION")}
    assert functions == {
        b"CREATE FUNCTION `f`()",
        b"CREATE FUNCTION `e`.`g`(p0 TEXT, p1 TEXT, p2 TEXT)",
        b"CREATE FUNCTION `h`(p0 TEXT)",
    }
