"""Which keys a table can do without while it is loaded, and the statements for the rest."""

from __future__ import annotations

import pytest

from rowvault.core.model import TableDefinition
from rowvault.sqltext.mysql.create_table import CreateTable, ElementKind
from rowvault.sqltext.mysql.deferred_indexes import DeferredIndexes


def table(
    *elements: str, options: str = "ENGINE=InnoDB", engine: str = "InnoDB"
) -> TableDefinition:
    statement = "CREATE TABLE `t` (\n  " + ",\n  ".join(elements) + f"\n) {options}"
    return TableDefinition("d", "t", (), (0,), True, statement.encode(), engine=engine)


ID = "`id` int(11) NOT NULL AUTO_INCREMENT"
NAME = "`na``me,(` varchar(9) DEFAULT 'it''s, (\\'KEY' COMMENT ') ENGINE'"
PRIMARY = "PRIMARY KEY (`id`)"
BY_NAME = "KEY `k` (`na``me,(`(3) DESC,`id`) USING BTREE COMMENT 'a, (b' /*!80000 INVISIBLE */"
UNIQUE = "UNIQUE KEY `u` (`na``me,(`)"
PARENT = "CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE"
CHECK = "CONSTRAINT `c` CHECK (`id` > (1 + 2))"


def test_a_statement_is_taken_apart_at_its_own_commas() -> None:
    parsed = CreateTable.parse(table(ID, NAME, PRIMARY, UNIQUE, BY_NAME, PARENT, CHECK).statement)
    assert parsed is not None
    assert parsed.head == b"CREATE TABLE `t` ("
    assert [one.text.decode() for one in parsed.elements] == [
        *(ID, NAME, PRIMARY, UNIQUE, BY_NAME, PARENT, CHECK)
    ]
    assert [one.kind.name for one in parsed.elements] == [
        *("COLUMN", "COLUMN", "PRIMARY_KEY", "UNIQUE_KEY", "KEY", "FOREIGN_KEY", "CHECK")
    ]
    assert parsed.tail == b") ENGINE=InnoDB"
    assert (
        parsed.without(frozenset())
        == table(ID, NAME, PRIMARY, UNIQUE, BY_NAME, PARENT, CHECK).statement
    )


@pytest.mark.parametrize(
    "text", [b"", b"CREATE TABLE `t`", b"CREATE TABLE `t` (`a` int", b"CREATE TABLE `t` ('"]
)
def test_what_is_no_list_is_not_taken_apart(text: bytes) -> None:
    assert CreateTable.parse(text) is None


@pytest.mark.parametrize("word", ["FULLTEXT", "SPATIAL", "VECTOR"])
def test_other_indexes_are_told_apart(word: str) -> None:
    parsed = CreateTable.parse(table(ID, f"{word} KEY `k` (`id`)").statement)
    assert parsed is not None
    assert parsed.elements[1].kind is ElementKind.OTHER


def test_keys_and_references_come_after_the_rows() -> None:
    late = DeferredIndexes.of(table(ID, NAME, PRIMARY, UNIQUE, BY_NAME, PARENT, CHECK))
    assert late is not None
    assert late.create == table(ID, NAME, PRIMARY, CHECK).statement
    begin = "ALTER TABLE `d`.`t` ADD "
    assert late.add_keys.decode() == f"{begin}{UNIQUE}, ADD {BY_NAME}, ALGORITHM=INPLACE"
    assert late.add_references.decode() == f"{begin}{PARENT}, ALGORITHM=INPLACE"


def test_a_key_that_counts_stays_with_all_before_it() -> None:
    """Else the keys would come back in another order."""
    own, behind = "KEY `o` (`id`,`x`)", "KEY `z` (`x`)"
    late = DeferredIndexes.of(
        table(ID, "`x` int", "PRIMARY KEY (`x`,`id`)", "KEY `a` (`x`)", own, behind)
    )
    assert late is not None
    assert own.encode() in late.create
    assert b"KEY `a`" in late.create
    assert late.add_keys.decode() == f"ALTER TABLE `d`.`t` ADD {behind}, ALGORITHM=INPLACE"


@pytest.mark.parametrize(
    "one",
    [
        table(ID, PRIMARY),
        table(ID, PRIMARY, PARENT),
        table(ID, NAME, "KEY `k` (`id`)"),
        table(ID, NAME, UNIQUE, BY_NAME),
        table(ID, PRIMARY, "FULLTEXT KEY `k` (`n`)", BY_NAME),
        table(ID, PRIMARY, "KEY `k` ((lower(`n`)))"),
        table(ID, PRIMARY, "KEY `k` (`n`,(`id` + 1))"),
        table(ID, PRIMARY, "UNIQUE KEY `k` (`n`) USING HASH"),
        table(ID, "`g` int(11) GENERATED ALWAYS AS (`id` + 1) VIRTUAL", PRIMARY, BY_NAME),
        table(ID, PRIMARY, "PERIOD FOR SYSTEM_TIME (`a`, `b`)", BY_NAME),
        table(ID, PRIMARY, BY_NAME, options="ENGINE=InnoDB WITH SYSTEM VERSIONING"),
        table(ID, PRIMARY, BY_NAME, options="ENGINE=InnoDB\n PARTITION BY KEY (`id`)"),
        table(ID, PRIMARY, BY_NAME, options="ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`id`) */"),
        table(ID, PRIMARY, BY_NAME, options="ENGINE=MyISAM", engine="MyISAM"),
    ],
)
def test_other_tables_are_made_whole(one: TableDefinition) -> None:
    assert DeferredIndexes.of(one) is None
