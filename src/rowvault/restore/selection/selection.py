"""What of a snapshot is restored, and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from rowvault.core.errors import UsageError
from rowvault.core.model import ACCOUNT_KINDS, ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Manifest, TableRecord
from rowvault.restore.selection.grants import Reach, renamed_grants
from rowvault.restore.selection.rename import Renaming
from rowvault.sqltext.mysql.account import counted
from rowvault.sqltext.mysql.sequence import called_sequences

_BELONGS_TO_TABLE = (ObjectKind.TRIGGER, ObjectKind.INDEX)


@dataclass(frozen=True, slots=True)
class RestoreSelection:
    """What will stand in the target, under its final names."""

    objects: tuple[ObjectDefinition, ...]
    tables: tuple[TableRecord, ...]
    called: tuple[ObjectDefinition, ...] = ()
    """Sequences that the tables call but that were not chosen: made where the target lacks them."""
    accounts: tuple[ObjectDefinition, ...] = ()
    """Users, roles and grants."""
    reach: Reach = field(default=Reach(True, (), ()))
    """What of the target is restored, under its final names."""
    renamed: frozenset[tuple[str, str]] = frozenset()
    """(database, table) of tables that had another name, or another database."""
    left_out: tuple[str, ...] = ()
    """Labels of what a rename leaves no place for, told already."""

    @property
    def databases(self) -> list[str]:
        """All databases that are touched, by name."""
        return sorted(
            {one.database for one in (*self.objects, *self.called)}
            | {record.definition.database for record in self.tables}
        )


def select(
    manifest: Manifest,
    databases: Sequence[str],
    tables: Sequence[tuple[str, str]],
    renaming: Renaming,
    monitor: Monitor,
    users: bool = False,
) -> RestoreSelection:
    """Everything, or the databases and tables named. Raises UsageError for one that is not there.

    A table named by itself brings its database, its indexes and its triggers, and nothing else but
    the sequences that it calls.
    Users and roles come all or none; of their grants those on what is chosen, and on everything.
    """
    wanted = set(tables)
    records = [
        record
        for record in manifest.tables()
        if _is_chosen(record.definition.database, record.definition.name, databases, wanted)
    ]
    everything = [one for one in manifest.objects() if one.kind not in ACCOUNT_KINDS]
    objects = [one for one in everything if _is_object_chosen(one, databases, wanted)]
    _check_found(databases, wanted, records, objects)
    definitions = [record.definition for record in records]
    renaming.check(definitions, objects)
    called = _called(definitions, everything, objects)
    reach = Reach(not (databases or tables), databases, tables)
    kept = _rename_objects(objects, renaming, monitor)
    there = {id(one) for one, _ in kept}
    return RestoreSelection(
        objects=(
            *_databases(everything, [*objects, *called], definitions, renaming),
            *(renamed for _, renamed in kept),
        ),
        tables=tuple(
            msgspec.structs.replace(record, definition=renaming.table(record.definition))
            for record in records
        ),
        called=tuple(renaming.object(one) for one in called),
        accounts=_accounts(manifest, reach, renaming, monitor) if users else (),
        reach=reach.renamed(renaming),
        renamed=frozenset(
            new for one in definitions if (new := renaming.name(*(old := _name(one)))) != old
        ),
        left_out=tuple(
            one.label
            for one in objects
            if one.kind is not ObjectKind.DATABASE and id(one) not in there
        ),
    )


def _name(table: TableDefinition) -> tuple[str, str]:
    return table.database, table.name


def _called(
    tables: Sequence[TableDefinition],
    everything: Sequence[ObjectDefinition],
    objects: Sequence[ObjectDefinition],
) -> list[ObjectDefinition]:
    names = {name for table in tables for name in called_sequences(table)}
    return [
        one
        for one in everything
        if one.kind is ObjectKind.SEQUENCE
        and (one.database, one.name) in names
        and one not in objects
    ]


def held_accounts(manifest: Manifest) -> str:
    """How many users, roles and grants the snapshot holds, in words; empty: none."""
    return counted([one for one in manifest.objects("") if one.kind in ACCOUNT_KINDS])


def _accounts(
    manifest: Manifest, reach: Reach, renaming: Renaming, monitor: Monitor
) -> tuple[ObjectDefinition, ...]:
    definitions = [one for one in manifest.objects("") if one.kind in ACCOUNT_KINDS]
    if not definitions:
        raise UsageError("the snapshot holds no users; `backup --users` keeps them")
    reached = (one for one in definitions if reach.covers(one))
    return tuple(renamed_grants(reached, renaming, monitor))


def _is_chosen(
    database: str, name: str, databases: Sequence[str], tables: set[tuple[str, str]]
) -> bool:
    if not databases and not tables:
        return True
    return database in databases or (database, name) in tables


def _is_object_chosen(
    definition: ObjectDefinition, databases: Sequence[str], tables: set[tuple[str, str]]
) -> bool:
    if _is_chosen(definition.database, "", databases, tables):
        return True
    if definition.kind in _BELONGS_TO_TABLE:
        return (definition.database, definition.parent) in tables
    # A view or sequence is named like a table.
    return (
        definition.kind in (ObjectKind.VIEW, ObjectKind.SEQUENCE)
        and (definition.database, definition.name) in tables
    )


def _check_found(
    databases: Sequence[str],
    tables: set[tuple[str, str]],
    records: Sequence[TableRecord],
    objects: Sequence[ObjectDefinition],
) -> None:
    known = {record.definition.database for record in records}
    known |= {one.database for one in objects}
    for database in databases:
        if database not in known:
            raise UsageError(
                f"the snapshot holds no database {database!r}; `rowvault ls` lists them"
            )
    names = {(record.definition.database, record.definition.name) for record in records}
    names |= {(one.database, one.name) for one in objects}
    for database, table in sorted(tables - names):
        raise UsageError(
            f"the snapshot holds no table {database}.{table}; `rowvault ls` lists them"
        )


def _databases(
    everything: Sequence[ObjectDefinition],
    objects: Sequence[ObjectDefinition],
    tables: Sequence[TableDefinition],
    renaming: Renaming,
) -> list[ObjectDefinition]:
    """The databases that were chosen, and those that the others need, under their new names."""
    known = {one.name: one for one in everything if one.kind is ObjectKind.DATABASE}
    made: dict[str, ObjectDefinition] = {}
    for one in objects:
        new = renaming.databases.get(one.database, one.database)
        if one.database in known and not renaming.moves_table(one.database, one.parent):
            made.setdefault(new, renaming.database_as(known[one.database], new))
    for table in tables:
        new = renaming.name(table.database, table.name)[0]
        if table.database in known:
            made.setdefault(new, renaming.database_as(known[table.database], new))
    return list(made.values())


def _rename_objects(
    objects: Sequence[ObjectDefinition], renaming: Renaming, monitor: Monitor
) -> list[tuple[ObjectDefinition, ObjectDefinition]]:
    """What has a place, as it was and as it will be."""
    kept = []
    cut_off = renaming.cut_off(objects)
    for one in objects:
        if one.kind is ObjectKind.DATABASE:
            continue
        if one.kind is ObjectKind.VIEW and (one.database, one.name) in cut_off:
            monitor.warning(f"{one.label} is left out: it reads a table that gets another name")
            continue
        if one.parent and renaming.moves_table(one.database, one.parent):
            monitor.warning(f"{one.label} is left out: its table is restored under another name")
            continue
        if renaming.hides_old_name(one):
            monitor.warning(
                f"{one.label} names a database that gets another name in its text, which is kept "
                "as it is"
            )
        kept.append((one, renaming.object(one)))
    return kept
