"""What is in the way of a restore: named, and dropped only when that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rowvault.core.errors import TargetExistsError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import ExistingObject, Target

_NAMED = 5

RELATIONS = (ObjectKind.TABLE, ObjectKind.VIEW, ObjectKind.SEQUENCE)
"""Tables, views and sequences share their names; every other kind has names of its own."""

Slot = tuple[ObjectKind, str, str]


def slot(target: Target, kind: ObjectKind, database: str, name: str) -> Slot:
    """Two things with the same slot cannot both stand on this target."""
    shared = ObjectKind.TABLE if kind in RELATIONS else kind
    return (
        shared,
        target.folded(ObjectKind.DATABASE, database),
        target.folded(shared, name),
    )


def slots(target: Target, chosen: RestoreSelection) -> Iterator[tuple[Slot, str]]:
    """The slot and the label of everything that is to be made, databases apart."""
    for one in _made(chosen):
        kind = ObjectKind.TABLE if isinstance(one, TableDefinition) else one.kind
        label = f"table {one.label}" if isinstance(one, TableDefinition) else one.label
        yield slot(target, kind, one.database, one.name), label


def find_conflicts(
    target: Target, chosen: RestoreSelection, kept: frozenset[TableName] = frozenset()
) -> list[ExistingObject]:
    """What of the target is in the way; tables first, because their triggers go with them.

    `kept`: tables that are not in the way.
    """
    wanted = {place for place, _ in slots(target, chosen)}
    found = [
        one
        for one in target.existing(chosen.databases)
        if slot(target, one.kind, one.database, one.name) in wanted
        and not (one.kind is ObjectKind.TABLE and (one.database, one.name) in kept)
    ]
    return sorted(found, key=lambda conflict: (conflict.kind not in RELATIONS, conflict))


def with_called(target: Target, chosen: RestoreSelection) -> RestoreSelection:
    """What was chosen, and the sequences that its tables call and the target lacks."""
    if not chosen.called:
        return chosen
    there = {
        slot(target, one.kind, one.database, one.name) for one in target.existing(chosen.databases)
    }
    lacking = tuple(
        one for one in chosen.called if slot(target, one.kind, one.database, one.name) not in there
    )
    return replace(chosen, objects=(*chosen.objects, *lacking), called=())


def refuse(conflicts: Sequence[ExistingObject]) -> None:
    """Raises TargetExistsError where there are any."""
    if not conflicts:
        return
    names = ", ".join(one.label for one in conflicts[:_NAMED])
    more = len(conflicts) - _NAMED
    raise TargetExistsError(
        f"the target has {names}{f' and {more} more' if more > 0 else ''} already; nothing was "
        "changed. Restore elsewhere, --rename, or drop them with --replace"
    )


def _made(chosen: RestoreSelection) -> Iterator[ObjectDefinition | TableDefinition]:
    yield from (one for one in chosen.objects if one.kind is not ObjectKind.DATABASE)
    yield from (record.definition for record in chosen.tables)
