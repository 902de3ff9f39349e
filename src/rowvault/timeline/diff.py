"""What differs between two snapshots: objects by definition, rows by walking the trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rowvault.codec.layout import RowLayout
from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Manifest, Repository, Selected, Snapshot, TableRecord
from rowvault.timeline.row_difference import StoredRows, count_rows


class Status(StrEnum):
    """How a table or object stands in the newer snapshot against the older one."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    REDEFINED = "redefined"
    """The definition differs; rows too, perhaps."""
    NOT_SELECTED = "not selected"
    """Only one of the two was asked to hold it: nothing is known of a change."""
    LEFT_OUT = "left out"
    """One of the two was to hold it, and lacks it: it is incomplete."""


@dataclass(frozen=True, slots=True)
class TableDifference:
    """One table: rows only in the newer, only in the older, and of equal key but other values."""

    database: str
    table: str
    status: Status
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """One object that is not a table."""

    kind: ObjectKind
    database: str
    name: str
    status: Status


@dataclass(frozen=True, slots=True)
class DiffResult:
    """All tables, the same ones too; of the objects only those that differ.

    What only one of the two was asked to hold is among them, as not selected, without figures.
    """

    tables: tuple[TableDifference, ...]
    objects: tuple[ObjectDifference, ...]


class _Side:
    """What one of the two snapshots was asked to hold, and what of that it lacks."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._selected = Selected.of(snapshot)
        self._lacks = snapshot.lacks
        self._unseen = frozenset(snapshot.unseen)

    def absence(self, definition: TableDefinition | ObjectDefinition) -> Status | None:
        """Why it is not there although it may have existed; None: it did not exist."""
        if isinstance(definition, TableDefinition):
            chosen = self._selected.table(definition.database, definition.name)
        else:
            chosen = self._selected.object(definition)
        if not chosen:
            return Status.NOT_SELECTED
        if (definition.database, definition.name) in self._unseen:
            return Status.LEFT_OUT
        return (
            Status.LEFT_OUT
            if any(f"{definition.label} is " in text for text in self._lacks)
            else None
        )


def diff_snapshots(
    repository: Repository,
    old: Snapshot,
    new: Snapshot,
    database: str | None,
    table: str | None,
    monitor: Monitor,
) -> DiffResult:
    """Compares two snapshots; reads only the blocks that differ.

    Raises UsageError where neither snapshot has the database or table, DamageError.
    """
    left, right = repository.manifest(old), repository.manifest(new)
    old_tables, new_tables = (_tables(one, database, table) for one in (left, right))
    old_objects, new_objects = ({} if table else _objects(one, database) for one in (left, right))
    if database and not (old_tables or new_tables or old_objects or new_objects):
        name = f"{database}.{table}" if table else database
        raise UsageError(f"neither snapshot holds {name}; `rowvault ls` lists what they hold")
    monitor.phase("comparing")
    sides = (_Side(old), _Side(new))
    return DiffResult(
        tables=tuple(_table_differences(repository, old_tables, new_tables, sides, monitor)),
        objects=tuple(_object_differences(old_objects, new_objects, sides)),
    )


def _tables(
    manifest: Manifest, database: str | None, table: str | None
) -> dict[tuple[str, str], TableRecord]:
    return {
        (record.definition.database, record.definition.name): record
        for record in manifest.tables()
        if (database is None or record.definition.database == database)
        and (table is None or record.definition.name == table)
    }


def _objects(
    manifest: Manifest, database: str | None
) -> dict[tuple[ObjectKind, str, str], ObjectDefinition]:
    return {
        (one.kind, one.database, one.name): one
        for one in manifest.objects()
        if database is None or one.database == database
    }


def _table_differences(
    repository: Repository,
    old: dict[tuple[str, str], TableRecord],
    new: dict[tuple[str, str], TableRecord],
    sides: tuple[_Side, _Side],
    monitor: Monitor,
) -> Iterator[TableDifference]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if after is None and before is not None:
            status = sides[1].absence(before.definition) or Status.REMOVED
            rows = before.root.sums.rows if status is Status.REMOVED else 0
            yield TableDifference(*name, status, removed=rows)
        elif before is None and after is not None:
            status = sides[0].absence(after.definition) or Status.ADDED
            rows = after.root.sums.rows if status is Status.ADDED else 0
            yield TableDifference(*name, status, added=rows)
        elif before is not None and after is not None:
            monitor.item(f"{name[0]}.{name[1]}")
            yield _compare(repository, before, after, monitor)


def _compare(
    repository: Repository, before: TableRecord, after: TableRecord, monitor: Monitor
) -> TableDifference:
    old, new = before.definition, after.definition
    status = Status.SAME if _means_the_same(old, new) else Status.REDEFINED
    if not _rows_compare(old, new):
        # Rows of another shape have nothing to be matched by; all of them are other rows.
        added, removed, changed = after.root.sums.rows, before.root.sums.rows, 0
    elif before.root.id == after.root.id:
        added = removed = changed = 0
    else:
        added, removed, changed = _count_rows(repository, before, after, monitor)
        if status is Status.SAME and added + removed + changed:
            status = Status.CHANGED
    return TableDifference(old.database, old.name, status, added, removed, changed)


def _means_the_same(old: TableDefinition, new: TableDefinition) -> bool:
    """The counter of AUTO_INCREMENT moves with the rows and is no change of definition."""
    return _without_counter(old.statement) == _without_counter(new.statement) and (
        old.session == new.session
    )


def _without_counter(statement: bytes) -> bytes:
    head, found, rest = statement.rpartition(b" AUTO_INCREMENT=")
    if not found:
        return statement
    digits = len(rest) - len(rest.lstrip(b"0123456789"))
    return head + rest[digits:]


def _rows_compare(old: TableDefinition, new: TableDefinition) -> bool:
    return RowLayout.of(old) == RowLayout.of(new) and [column.name for column in old.columns] == [
        column.name for column in new.columns
    ]


def _count_rows(
    repository: Repository, before: TableRecord, after: TableRecord, monitor: Monitor
) -> tuple[int, int, int]:
    """(added, removed, changed)."""
    layout = RowLayout.of(before.definition)
    counts = count_rows(
        StoredRows(repository, before, monitor),
        StoredRows(repository, after, monitor),
        layout,
        repository.cut_rule.row_key,
        in_key_order=bool(layout.key),
    )
    return counts.added, counts.removed, counts.changed


def _object_differences(
    old: dict[tuple[ObjectKind, str, str], ObjectDefinition],
    new: dict[tuple[ObjectKind, str, str], ObjectDefinition],
    sides: tuple[_Side, _Side],
) -> Iterable[ObjectDifference]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        status = Status.REDEFINED
        if before is None and after is not None:
            status = sides[0].absence(after) or Status.ADDED
        elif after is None and before is not None:
            status = sides[1].absence(before) or Status.REMOVED
        yield ObjectDifference(*name, status)
