"""What grants say an account may see."""

from __future__ import annotations

import pytest

from rowvault.source.mysql.accounts.rights import Rights, _parse


@pytest.mark.parametrize(
    ("line", "database", "covered"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `a`@`%`", "x", True),
        ("GRANT SELECT, TRIGGER ON `shop`.* TO `a`@`%`", "shop", True),
        ("GRANT SELECT, TRIGGER ON `shop`.* TO `a`@`%`", "shop2", False),
        ("GRANT SELECT ON `s\\_p`.* TO `a`@`%`", "s_p", True),
        ("GRANT SELECT ON `s\\_p`.* TO `a`@`%`", "sxp", False),
        ("GRANT SELECT ON `s_p%`.* TO `a`@`%`", "sxpqq", True),
        ("GRANT SELECT ON `a``b`.* TO `a`@`%`", "a`b", True),
    ],
)
def test_a_grant_covers_the_databases_of_its_pattern(
    line: str, database: str, covered: bool
) -> None:
    grant = _parse(line)
    assert grant is not None
    assert grant.covers(database) is covered


def test_a_grant_on_one_table_is_not_one_on_its_database() -> None:
    grant = _parse("GRANT SELECT ON `mysql`.`proc` TO `a`@`%`")
    assert grant is not None
    assert (grant.database, grant.table) == ("mysql", "proc")


@pytest.mark.parametrize(
    "line", ["GRANT `role` TO `a`@`%`", "GRANT PROXY ON ''@'%' TO 'root'@'localhost'"]
)
def test_roles_and_proxies_are_no_rights(line: str) -> None:
    assert _parse(line) is None


@pytest.mark.parametrize(
    ("lines", "is_seen"),
    [
        (["GRANT PROCESS, RELOAD, SHOW DATABASES ON *.* TO `a`@`%`"], False),
        (["GRANT SELECT ON *.* TO `a`@`%`", "REVOKE SELECT ON `shop`.* FROM `a`@`%`"], False),
        (["GRANT SELECT ON *.* TO `a`@`%`", "REVOKE SELECT ON `sho_`.* FROM `a`@`%`"], True),
        (["GRANT SELECT, INSERT ON *.* TO a", "REVOKE SELECT ON `shop`.* FROM a"], True),
        (["GRANT SELECT (`a`, `b`), INSERT (`a`) ON `shop`.`t` TO `a`@`%`"], True),
        (["GRANT SELECT ON `shop`.`other` TO `a`@`%`"], False),
        (["GRANT USAGE ON *.* TO a", "GRANT USAGE ON `shop`.* TO a"], False),
        (["GRANT SHOW VIEW ON `shop`.* TO `a`@`%`"], True),
    ],
)
def test_a_table_is_seen_by_a_right_on_it_alone(lines: list[str], is_seen: bool) -> None:
    assert Rights(lines).sees("shop", "t") is is_seen
    assert Rights(lines).sees_tables("shop") is (is_seen and "`t`" not in lines[0])


def test_the_texts_of_rights_hold_nothing_of_the_account() -> None:
    lines = [
        "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*00'",
        "GRANT SELECT, INSERT ON *.* TO `a`@`%` REQUIRE SSL WITH GRANT OPTION",
        "REVOKE INSERT ON `b``c`.* FROM `a`@`%`",
        "GRANT SELECT (`x`) ON `s`.`t` TO `a`@`%`",
    ]
    assert Rights(lines).texts() == (
        "INSERT, SELECT ON *.*",
        "SELECT ON `s`.`t`",
        "without INSERT ON `b``c`.*",
    )
