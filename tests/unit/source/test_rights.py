"""What grants say an account may see."""

from __future__ import annotations

import pytest

from rowvault.source.mysql.rights import _parse


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
