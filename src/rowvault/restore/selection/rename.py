"""Other names for what is restored: OLD=NEW for databases and for tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.mysql.renamed import (
    names_database,
    rename_created,
    rename_names,
    rename_trigger,
)
from rowvault.sqltext.order import tables_read

Name = tuple[str, str]
"""(database, table)"""

Side = tuple[str, str | None]
"""One side of OLD=NEW: a database, or a table of one."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Where each database and table goes; what is not named keeps its name."""

    databases: dict[str, str]
    tables: dict[Name, Name]

    @classmethod
    def parse(cls, pairs: Sequence[tuple[Side, Side]]) -> Renaming:
        """From pairs of databases, and pairs of tables. Raises UsageError."""
        databases: dict[str, str] = {}
        tables: dict[Name, Name] = {}
        for (old, old_table), (new, new_table) in pairs:
            if old_table is not None and new_table is not None:
                _check_new((old, old_table) not in tables, f"{old}.{old_table}")
                tables[old, old_table] = (new, new_table)
            elif old_table is None and new_table is None:
                _check_new(old not in databases, old)
                databases[old] = new
            else:
                raise UsageError("--rename: give a database on both sides, or DB.TABLE on both")
        return cls(databases, tables)

    def check(self, tables: Iterable[TableDefinition], objects: Iterable[ObjectDefinition]) -> None:
        """Raises UsageError where a rename is of nothing that is restored, or joins two things."""
        names = {(one.database, one.name) for one in tables}
        known = {database for database, _ in names} | {one.database for one in objects}
        for database in self.databases.keys() - known:
            raise UsageError(f"--rename {database}=...: no database of that name is restored")
        for database, table in self.tables.keys() - names:
            raise UsageError(f"--rename {database}.{table}=...: no table of that name is restored")
        taken: dict[str, str] = {}
        for database in sorted(known):
            new = self.databases.get(database, database)
            if taken.setdefault(new, database) != database:
                raise UsageError(f"--rename: {taken[new]} and {database} would both become {new}")
        wanted: dict[Name, Name] = {}
        for name in sorted(names):
            place = self.name(*name)
            if wanted.setdefault(place, name) != name:
                both = f"{'.'.join(wanted[place])} and {'.'.join(name)}"
                raise UsageError(f"--rename: {both} would both become {'.'.join(place)}")

    def name(self, database: str, table: str) -> Name:
        """Where a table goes."""
        if (database, table) in self.tables:
            return self.tables[database, table]
        return self.databases.get(database, database), table

    def table(self, definition: TableDefinition) -> TableDefinition:
        """The definition under its new name, referring to the new names of others.

        Raises UsageError where its text hides the name.
        """
        if not (self.databases or self.tables):
            return definition
        database, name = self.name(definition.database, definition.name)
        statement = rename_names(definition.statement, definition.database, database, self.name)
        if name != definition.name:
            statement = rename_created(statement, definition.name, name)
        return msgspec.structs.replace(
            definition, database=database, name=name, statement=statement
        )

    def object(self, definition: ObjectDefinition) -> ObjectDefinition:
        """The definition in its new database. Raises UsageError where its text hides the name."""
        old = definition.database
        new = self.databases.get(old, old)
        statement, name = definition.statement, definition.name
        if definition.kind is ObjectKind.DATABASE:
            return self.database_as(definition, new)
        if definition.kind is ObjectKind.VIEW and self.databases:
            statement = rename_names(statement, old, new, self.name)
        elif definition.kind is ObjectKind.TRIGGER and new != old:
            statement = rename_trigger(statement, old, new)
        return msgspec.structs.replace(definition, database=new, name=name, statement=statement)

    @staticmethod
    def database_as(definition: ObjectDefinition, new: str) -> ObjectDefinition:
        """A database of another name with the same settings."""
        if new == definition.name:
            return definition
        statement = rename_created(definition.statement, definition.name, new)
        return msgspec.structs.replace(definition, database=new, name=new, statement=statement)

    def hides_old_name(self, definition: ObjectDefinition) -> bool:
        """A stored program's text is kept byte for byte; does it name the old database?"""
        if definition.kind in (ObjectKind.DATABASE, ObjectKind.VIEW):
            return False
        statement = self.object(definition).statement
        return any(names_database(statement, old) for old in self.databases)

    def cut_off(self, objects: Iterable[ObjectDefinition]) -> set[Name]:
        """Names of views that read a table which gets another name, and of views on those."""
        lost: set[Name] = set(self.tables)
        views = {
            (one.database, one.name): tables_read(one)
            for one in objects
            if one.kind is ObjectKind.VIEW
        }
        while more := {name for name, read in views.items() if read & lost} - lost:
            lost |= more
        return lost - self.tables.keys()

    def moves_table(self, database: str, table: str) -> bool:
        """The table itself gets another name, which triggers and indexes do not follow."""
        return (database, table) in self.tables


def _check_new(is_new: bool, name: str) -> None:
    if not is_new:
        raise UsageError(f"--rename: {name} is given two new names")
