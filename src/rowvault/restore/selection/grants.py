"""Which grants of a snapshot a restore brings, and what they are on under new names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from rowvault.core.model import ObjectDefinition
from rowvault.core.monitor import Monitor
from rowvault.restore.selection.rename import Renaming
from rowvault.sqltext.mysql.grant import (
    Grant,
    database_pattern,
    fits_database,
    literal_database,
    right_of,
)
from rowvault.sqltext.quoting import encode_name, identifier, qualified


@dataclass(frozen=True, slots=True)
class Reach:
    """What a restore touches: everything, or databases whole and single tables."""

    whole: bool
    databases: Collection[str]
    tables: Collection[tuple[str, str]]

    def renamed(self, renaming: Renaming) -> Reach:
        """The same under its new names."""
        return Reach(
            self.whole,
            {renaming.databases.get(name, name) for name in self.databases},
            {renaming.name(*name) for name in self.tables},
        )

    def covers(self, definition: ObjectDefinition) -> bool:
        """Whether a grant is on something of it; roles and rights on everything always are."""
        grant = right_of(definition)
        if self.whole or grant is None or grant.database is None:
            return True
        if grant.name is None:
            touched = {*self.databases, *(database for database, _ in self.tables)}
            return any(fits_database(grant.database, one) for one in touched)
        if grant.database in self.databases:
            return True
        return not grant.kind and (grant.database, grant.name) in self.tables


def renamed_grants(
    definitions: Iterable[ObjectDefinition], renaming: Renaming, monitor: Monitor
) -> Iterator[ObjectDefinition]:
    """Everything, grants on what gets another name under that name.

    A grant on a pattern that fits a renamed database, and others perhaps, stays as it is, named.
    """
    for one in definitions:
        grant = right_of(one)
        if grant is None or grant.database is None:
            yield one
            continue
        scope = _scope(grant, renaming)
        if scope is None:
            monitor.warning(
                f"{one.label} is on a pattern that fits a database which gets another name; it is "
                "kept as it is"
            )
            yield one
            continue
        new = msgspec.structs.replace(grant, scope=scope)
        name, statement = f"{grant.grantee} {new.place}", encode_name(new.statement)
        yield msgspec.structs.replace(one, name=name, statement=statement)


def _scope(grant: Grant, renaming: Renaming) -> str | None:
    """What it is on under the new names; None: on more than what is renamed."""
    database, name = grant.database or "", grant.name
    if name is not None:
        moved = (renaming.databases.get(database, database), name)
        return qualified(*(moved if grant.kind else renaming.name(database, name)))
    if database in renaming.databases:
        return f"{identifier(renaming.databases[database])}.*"
    literal = literal_database(database)
    if literal in renaming.databases:
        return f"{identifier(database_pattern(renaming.databases[literal]))}.*"
    if any(fits_database(database, old) for old in renaming.databases):
        return None
    return grant.scope
