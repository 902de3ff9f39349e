"""Names of constraints that another table of the target has already.

A database has each name of a foreign key once, on MySQL each name of a CHECK constraint too. So a
table that is restored beside its original cannot have the same names: it gets free ones, each told.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import msgspec

from rowvault.core.model import ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.restore.plan.conflicts import slot
from rowvault.restore.plan.shadow_tables import leftover_names
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.source.protocol import Target
from rowvault.sqltext.mysql.create_table import CreateTable, Element, ElementKind
from rowvault.sqltext.mysql.shadow_table import constraint_name, renamed_constraint

_LONGEST = 64
"""Characters of a name (both manuals, "Identifier Length Limits")."""

_Names = dict[str, str]
"""A name in lower case -> who has it."""


def with_free_names(target: Target, chosen: RestoreSelection, monitor: Monitor) -> RestoreSelection:
    """What was chosen, its constraints under names that they can have on the target."""
    named = [record for record in chosen.tables if _constraints(record.definition)]
    if target.server.vendor == "sqlite" or not named:
        return chosen
    own = {
        slot(target, ObjectKind.TABLE, one.definition.database, one.definition.name)
        for one in chosen.tables
    }
    own |= {slot(target, ObjectKind.TABLE, *name) for name in leftover_names(chosen)}
    taken: dict[tuple[str, bool], _Names] = defaultdict(dict)
    for one in target.taken_names(sorted({record.definition.database for record in named})):
        if slot(target, ObjectKind.TABLE, one.database, one.table) not in own:
            place = target.folded(ObjectKind.DATABASE, one.database), one.is_check
            taken[place][one.name.lower()] = f"{one.database}.{one.table}"
    tables = tuple(
        msgspec.structs.replace(
            record, definition=_with_free_names(target, record.definition, taken, monitor)
        )
        for record in chosen.tables
    )
    return replace(chosen, tables=tables)


def _with_free_names(
    target: Target,
    table: TableDefinition,
    taken: dict[tuple[str, bool], _Names],
    monitor: Monitor,
) -> TableDefinition:
    statement = table.statement
    for one in _constraints(table):
        is_check = one.kind is ElementKind.CHECK
        if is_check and target.server.vendor != "mysql":
            continue
        used = taken[target.folded(ObjectKind.DATABASE, table.database), is_check]
        name = constraint_name(one)
        holder = used.get(name.lower())
        if holder is not None:
            free = _free(name, used)
            statement = statement.replace(one.text, renamed_constraint(one, free), 1)
            what = "CHECK constraint" if is_check else "foreign key"
            monitor.warning(
                f"{table.label}: the {what} {name} is called {free}, because {holder} has one of "
                "that name"
            )
            name = free
        used[name.lower()] = table.label
    return msgspec.structs.replace(table, statement=statement)


def _constraints(table: TableDefinition) -> list[Element]:
    if b"CONSTRAINT `" not in table.statement:
        return []
    parsed = CreateTable.parse(table.statement)
    return [
        one
        for one in (parsed.elements if parsed else ())
        if one.kind in (ElementKind.FOREIGN_KEY, ElementKind.CHECK) and constraint_name(one)
    ]


def _free(name: str, used: _Names) -> str:
    number = 2
    while (free := f"{name[: _LONGEST - len(str(number)) - 1]}_{number}").lower() in used:
        number += 1
    return free
