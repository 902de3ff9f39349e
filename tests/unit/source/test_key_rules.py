"""Which tables a server's rules about keys and engines refuse."""

from __future__ import annotations

import pytest

from rowvault.core.model import TableDefinition
from rowvault.source.mysql.writing.key_rules import GROUP_MEMBER, refusals


def table(
    name: str, elements: bytes, engine: str = "InnoDB", has_key: bool = False
) -> TableDefinition:
    statement = b"CREATE TABLE `%b` (\n  `a` int NOT NULL%b\n) ENGINE=%b" % (
        name.encode(), elements, engine.encode(),
    )  # fmt: skip
    key = (0,) if has_key else ()
    return TableDefinition("d", name, (), key, True, statement, engine=engine)


TABLES = [
    table("primary", b",\n  PRIMARY KEY (`a`)", has_key=True),
    table("unique", b",\n  UNIQUE KEY `PRIMARY KEY` (`a`)", has_key=True),
    table("bare", b" COMMENT 'PRIMARY KEY (`a`)'"),
    table("isam", b",\n  PRIMARY KEY (`a`)", "MyISAM", has_key=True),
    table(
        "child",
        b",\n  PRIMARY KEY (`a`),\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `primary` (`a`)"
        b" ON DELETE CASCADE",
        has_key=True,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [set()]),
        ({"sql_require_primary_key": "ON"}, [{"unique", "bare"}]),
        ({"sql_generate_invisible_primary_key": "ON"}, [{"unique", "bare"}]),
        ({"innodb_force_primary_key": "ON"}, [{"bare"}]),
        ({"disabled_storage_engines": "MyISAM,ARCHIVE"}, [{"isam"}]),
        ({"enforce_storage_engine": "InnoDB"}, [{"isam"}]),
        ({GROUP_MEMBER: "ON"}, [{"bare"}, {"isam"}]),
        (
            {GROUP_MEMBER: "ON", "group_replication_enforce_update_everywhere_checks": "ON"},
            [{"bare"}, {"isam"}, {"child"}],
        ),
        ({"wsrep_on": "ON", "wsrep_certify_nonpk": "ON"}, [{"isam"}]),
        ({"wsrep_on": "ON", "wsrep_certify_nonpk": "OFF"}, [{"unique", "bare"}, {"isam"}]),
        ({"wsrep_on": "ON", "wsrep_mode": "REQUIRED_PRIMARY_KEY,REPLICATE_MYISAM"},
         [{"unique", "bare"}]),
        ({"wsrep_on": "ON", "pxc_strict_mode": "ENFORCING"}, [{"unique", "bare"}, {"isam"}]),
        ({"wsrep_on": "OFF", "wsrep_certify_nonpk": "OFF"}, [set()]),
    ],
)  # fmt: skip
def test_tables_that_a_rule_refuses(settings: dict[str, str], expected: list[set[str]]) -> None:
    found = [
        {name for name in ("primary", "unique", "bare", "isam", "child") if f"d.{name}" in told}
        for told in refusals(settings, TABLES)
    ]
    assert (found or [set()]) == expected
