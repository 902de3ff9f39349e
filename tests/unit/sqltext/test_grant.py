"""Lines of SHOW GRANTS, taken apart and put together again."""

from __future__ import annotations

import pytest

from rowvault.sqltext.mysql.grant import (
    database_pattern,
    fits_database,
    is_right,
    literal_database,
    parse_grant,
)


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("GRANT USAGE ON *.* TO `u`@`h`", "GRANT USAGE ON *.* TO `u`@`h`"),
        (
            "GRANT USAGE ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*0F' REQUIRE ISSUER "
            "'it''s WITH GRANT OPTION' WITH MAX_QUERIES_PER_HOUR 3",
            "GRANT USAGE ON *.* TO `u`@`h`",
        ),
        (
            "GRANT RELOAD, PROCESS ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*0F' "
            "WITH GRANT OPTION MAX_QUERIES_PER_HOUR 3",
            "GRANT PROCESS, RELOAD ON *.* TO `u`@`h` WITH GRANT OPTION",
        ),
        (
            "GRANT SELECT, UPDATE (`b`, `a) ON ``x`, `c`), INSERT (`z`) ON `d`.`t` TO `r`",
            "GRANT INSERT (`z`), SELECT, UPDATE (`a) ON ``x`, `b`, `c`) ON `d`.`t` TO `r`",
        ),
        (
            "GRANT EXECUTE ON PACKAGE BODY `d`.`p` TO PUBLIC",
            "GRANT EXECUTE ON PACKAGE BODY `d`.`p` TO PUBLIC",
        ),
        (
            "GRANT PROXY ON ``@`%` TO `u`@`h` WITH GRANT OPTION",
            "GRANT PROXY ON ``@`%` TO `u`@`h` WITH GRANT OPTION",
        ),
        ("REVOKE SELECT ON `my``db`.* FROM `u`@`h`", "REVOKE SELECT ON `my``db`.* FROM `u`@`h`"),
    ],
)
def test_a_line_becomes_a_statement(line: str, statement: str) -> None:
    grant = parse_grant(line)
    assert grant is not None
    assert grant.statement == statement
    again = parse_grant(statement)
    assert again == grant


@pytest.mark.parametrize(
    "line", ["GRANT `r`@`%`,`q`@`%` TO `u`@`h`", "SET DEFAULT ROLE `r` FOR `u`@`h`", ""]
)
def test_roles_are_no_rights(line: str) -> None:
    assert parse_grant(line) is None
    assert not is_right(line)


@pytest.mark.parametrize(
    ("line", "database", "name", "place"),
    [
        ("GRANT SELECT ON *.* TO `u`@`h`", None, None, "on *.*"),
        ("GRANT XA_RECOVER_ADMIN ON *.* TO `u`@`h`", None, None, "on *.* dynamic"),
        ("GRANT PROXY ON `a`@`b` TO `u`@`h`", None, None, "as proxy of `a`@`b`"),
        ("GRANT SELECT ON `a\\_b%`.* TO `u`@`h`", "a\\_b%", None, "on `a\\_b%`.*"),
        ("GRANT SELECT ON `a_b`.`c.``d` TO `u`@`h`", "a_b", "c.`d", "on `a_b`.`c.``d`"),
        ("GRANT EXECUTE ON FUNCTION `a`.`f` TO `r`", "a", "f", "on function `a`.`f`"),
        ("REVOKE SELECT ON `a`.* FROM `u`@`h`", "a", None, "not on `a`.*"),
    ],
)
def test_what_it_is_on(line: str, database: str | None, name: str | None, place: str) -> None:
    grant = parse_grant(line)
    assert grant is not None
    assert (grant.database, grant.name, grant.place) == (database, name, place)


def test_the_emptiest_right_says_only_that_somebody_is_there() -> None:
    for option, is_empty in (("", True), (" WITH GRANT OPTION", False)):
        grant = parse_grant(f"GRANT USAGE ON *.* TO `u`@`h`{option}")
        assert grant is not None
        assert grant.is_empty is is_empty


@pytest.mark.parametrize("database", ["shop", "a_b", "100%", "back\\slash", "a\nb"])
def test_a_pattern_for_one_database_fits_it_alone(database: str) -> None:
    pattern = database_pattern(database)
    assert literal_database(pattern) == database
    assert fits_database(pattern, database)
    assert not fits_database(pattern, database.replace("_", "x").replace("%", "xx") + "y")


def test_wildcards_fit_many_databases() -> None:
    assert literal_database("sh_p") is None
    assert fits_database("sh_p", "shop")
    assert fits_database("sh%", "shop")
    assert not fits_database("sh\\_p", "shop")


def test_a_right_that_is_not_understood_is_told_from_a_role() -> None:
    for line in ("GRANT SELECT ON *.* TO 'u'@'h'", "REVOKE SELECT SOMEHOW"):
        assert parse_grant(line) is None
        assert is_right(line)
