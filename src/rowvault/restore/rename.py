"""Other names for what is restored: OLD=NEW for databases and for tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition

Name = tuple[str, str]
"""(database, table)"""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Where each database and table goes; what is not named keeps its name."""

    databases: dict[str, str]
    tables: dict[Name, Name]

    @classmethod
    def parse(cls, pairs: Sequence[tuple[str, str]]) -> Renaming:
        """From (`db`, `db2`) and (`db.table`, `db.table2`) pairs. Raises UsageError."""
        databases: dict[str, str] = {}
        tables: dict[Name, Name] = {}
        for old, new in pairs:
            if ("." in old) != ("." in new) or not old or not new:
                raise UsageError(
                    f"--rename {old}={new}: give a database on both sides, or DB.TABLE on both"
                )
            if "." in old:
                tables[_split(old)] = _split(new)
            else:
                databases[old] = new
        return cls(databases, tables)

    def name(self, database: str, table: str) -> Name:
        """Where a table goes."""
        if (database, table) in self.tables:
            return self.tables[database, table]
        return self.databases.get(database, database), table

    def table(self, definition: TableDefinition) -> TableDefinition:
        """The definition under its new name. Raises UsageError where its text hides the name."""
        database, name = self.name(definition.database, definition.name)
        statement = definition.statement
        if name != definition.name:
            statement = _replace_created(statement, definition.name, name)
        return msgspec.structs.replace(
            definition, database=database, name=name, statement=statement
        )

    def object(self, definition: ObjectDefinition) -> ObjectDefinition:
        """The definition in its new database. Raises UsageError where its text hides the name."""
        old = definition.database
        new = self.databases.get(old, old)
        if new == old:
            return definition
        statement, name = definition.statement, definition.name
        if definition.kind is ObjectKind.DATABASE:
            statement, name = _replace_created(statement, old, new), new
        elif definition.kind is ObjectKind.VIEW:
            statement = _replace_qualifier(statement, old, new)
        return msgspec.structs.replace(definition, database=new, name=name, statement=statement)

    def hides_old_name(self, definition: ObjectDefinition) -> bool:
        """A stored program's text is kept byte for byte; does it name the old database?"""
        old = definition.database
        if old not in self.databases or definition.kind in (ObjectKind.DATABASE, ObjectKind.VIEW):
            return False
        pattern = rb"(?<!\w)`?" + re.escape(old.encode()) + rb"`?\s*\."
        return re.search(pattern, definition.statement) is not None

    def moves_table(self, database: str, table: str) -> bool:
        """The table itself gets another name, which triggers and indexes do not follow."""
        return (database, table) in self.tables


def _split(name: str) -> Name:
    database, _, table = name.partition(".")
    return database, table


def _quote(name: str) -> bytes:
    return b"`" + name.replace("`", "``").encode() + b"`"


def _replace_created(statement: bytes, old: str, new: str) -> bytes:
    """Replaces the name behind CREATE ...; the servers write it first, in backticks."""
    quoted = _quote(old)
    head, found, rest = statement.partition(quoted)
    if not found or not re.fullmatch(rb"CREATE [A-Z ]*(/\*![^*]*\*/ ?)*", head):
        raise UsageError(f"{old} cannot be renamed: its definition does not begin with its name")
    return head + _quote(new) + rest


def _replace_qualifier(statement: bytes, old: str, new: str) -> bytes:
    """Replaces `old`. outside of strings and of other quoted names."""
    token = re.compile(
        rb"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`\.?", re.DOTALL
    )
    qualifier = _quote(old) + b"."
    return token.sub(
        lambda match: _quote(new) + b"." if match.group() == qualifier else match.group(),
        statement,
    )
