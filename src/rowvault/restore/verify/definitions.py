"""Compares the tables and objects of a live server, by their definitions, with a snapshot's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.source.protocol import Catalogue
from rowvault.sqltext.mysql.auto_increment import split_counter
from rowvault.sqltext.mysql.create_table import CreateTable, ElementKind
from rowvault.sqltext.mysql.session_marks import INVALID, OWN_COLLATION
from rowvault.sqltext.mysql.shadow_table import constraint_name, renamed_constraint

_SHOWN_BEFORE = 40
_SHOWN_BYTES = 120


def table_problem(
    expected: TableDefinition, found: TableDefinition, *, is_renamed: bool = False
) -> str | None:
    """What the two CREATE TABLE statements do not agree in; None when they say the same.

    The order of constraints says nothing. `is_renamed`: nor do their names, which a table beside
    its original cannot have.
    """
    text, counter = split_counter(expected.statement)
    text_found, counter_found = split_counter(found.statement)
    if text != text_found and _unordered(text, is_renamed) != _unordered(text_found, is_renamed):
        return f"table {expected.label}: {_difference(text, text_found)}"
    if counter != counter_found:
        return (
            f"table {expected.label}: AUTO_INCREMENT is {_or_none(counter_found)} on the target, "
            f"{_or_none(counter)} in the snapshot"
        )
    return None


def _unordered(statement: bytes, is_renamed: bool) -> tuple[object, ...]:
    """What a table is, whatever the order of its constraints; without their names if renamed."""
    parsed = CreateTable.parse(statement)
    if parsed is None:
        return (statement,)
    constraints: list[bytes] = []
    others: list[bytes] = []
    for one in parsed.elements:
        if one.kind in (ElementKind.FOREIGN_KEY, ElementKind.CHECK) and constraint_name(one):
            constraints.append(renamed_constraint(one, "") if is_renamed else one.text)
        else:
            others.append(one.text)
    return parsed.head, tuple(others), tuple(sorted(constraints)), parsed.tail


def object_problems(
    expected: Iterable[ObjectDefinition], found: Iterable[ObjectDefinition]
) -> Iterator[str]:
    """One message for each expected object that is missing or otherwise on the target."""
    there = {_slot(one): one for one in found}
    for one in expected:
        other = there.get(_slot(one))
        if other is None:
            if INVALID not in dict(one.session):
                yield f"{one.label}: not on the target"
        elif one.statement != other.statement:
            yield f"{one.label}: {_difference(one.statement, other.statement)}"
        elif _session(one) != _session(other):
            yield f"{one.label}: {_session_difference(one, other)}"
        elif (one.parent, one.order) != (other.parent, other.order):
            yield (
                f"{one.label}: number {other.order} of {other.parent or 'nothing'} on the target, "
                f"number {one.order} of {one.parent or 'nothing'} in the snapshot"
            )


def additions(
    chosen: RestoreSelection, catalogue: Catalogue
) -> Iterator[TableDefinition | ObjectDefinition]:
    """Each table or object of the target that the snapshot does not have."""
    tables = {(one.definition.database, one.definition.name) for one in chosen.tables}
    for table in catalogue.tables:
        if (table.definition.database, table.definition.name) not in tables:
            yield table.definition
    objects = {_slot(one) for one in chosen.objects}
    for one in catalogue.objects:
        if one.kind is not ObjectKind.DATABASE and _slot(one) not in objects:
            yield one


def _slot(definition: ObjectDefinition) -> tuple[ObjectKind, str, str]:
    return definition.kind, definition.database, definition.name


def _difference(expected: bytes, found: bytes) -> str:
    """The first lines that only one of two statements has, from shortly before they part."""
    lines, lines_found = _lines(expected), _lines(found)
    missing = next((line for line in lines if line not in lines_found), b"")
    added = next((line for line in lines_found if line not in lines), b"")
    if not (missing or added):
        return "the same lines in another order"
    pairs = zip(missing, added, strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    start = max(0, common - _SHOWN_BEFORE)
    return f"{_shown(added, start)} on the target, {_shown(missing, start)} in the snapshot"


def _lines(statement: bytes) -> list[bytes]:
    return [line.strip().removesuffix(b",") for line in statement.split(b"\n")]


def _shown(line: bytes, start: int) -> str:
    if not line:
        return "nothing"
    text = line[start : start + _SHOWN_BYTES].decode("utf-8", "backslashreplace")
    head = "..." if start else ""
    tail = "..." if start + _SHOWN_BYTES < len(line) else ""
    return f"[{head}{text}{tail}]"


def _session(definition: ObjectDefinition) -> dict[str, str]:
    """What belongs to the object itself; its database's collation is the database's affair."""
    return {name: value for name, value in definition.session if name != OWN_COLLATION}


def _session_difference(expected: ObjectDefinition, found: ObjectDefinition) -> str:
    wanted, there = _session(expected), _session(found)
    name = next(name for name in sorted({*wanted, *there}) if wanted.get(name) != there.get(name))
    return (
        f"{name} is {there.get(name, 'not set')!r} on the target, "
        f"{wanted.get(name, 'not set')!r} in the snapshot"
    )


def _or_none(counter: int | None) -> str:
    return "not set" if counter is None else str(counter)
