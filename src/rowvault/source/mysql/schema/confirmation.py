"""What changed between two readings of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.mysql.auto_increment import split_counter

_SEQUENCE_VALUE = re.compile(rb"; (?:ALTER SEQUENCE .* RESTART -?\d+; )?DO SETVAL\(.*", re.DOTALL)


def changed_names(
    objects: Iterable[ObjectDefinition],
    tables: Iterable[TableDefinition],
    objects_again: Iterable[ObjectDefinition],
    tables_again: Iterable[TableDefinition],
) -> list[str]:
    """Labels of what is gone or otherwise than before; counters may move, and new things may come:
    neither touches what the snapshot holds."""
    now: dict[str, object] = {one.label: _object_mark(one) for one in objects_again}
    now |= {f"table {one.label}": _table_mark(one) for one in tables_again}
    before: dict[str, object] = {one.label: _object_mark(one) for one in objects}
    before |= {f"table {one.label}": _table_mark(one) for one in tables}
    return [label for label, mark in before.items() if now.get(label) != mark]


def _table_mark(table: TableDefinition) -> object:
    return split_counter(table.statement)[0], table.columns, table.key, table.engine


def _object_mark(definition: ObjectDefinition) -> object:
    statement = definition.statement
    if definition.kind is ObjectKind.SEQUENCE:
        statement = _SEQUENCE_VALUE.sub(b"", statement)
    return statement, definition.session, definition.parent, definition.order
