"""What differs between two snapshots: objects by definition, rows by walking the trees."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.render.table import read_group, row_groups
from rowvault.repository.manifest import Manifest, TableRecord
from rowvault.repository.node import LeafEntry
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.repository.tree_difference import differing


class Status(StrEnum):
    """How a table or object stands in the newer snapshot against the older one."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    REDEFINED = "redefined"
    """The definition differs; rows too, perhaps."""


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
    """All tables, the same ones too; of the objects only those that differ."""

    tables: tuple[TableDifference, ...]
    objects: tuple[ObjectDifference, ...]


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
    return DiffResult(
        tables=tuple(_table_differences(repository, old_tables, new_tables, monitor)),
        objects=tuple(_object_differences(old_objects, new_objects)),
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
    monitor: Monitor,
) -> Iterator[TableDifference]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if after is None and before is not None:
            rows = before.root.sums.rows
            yield TableDifference(*name, Status.REMOVED, removed=rows)
        elif before is None and after is not None:
            yield TableDifference(*name, Status.ADDED, added=after.root.sums.rows)
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
    """(added, removed, changed). Rows match by key; without a key, as a multiset."""
    layout = RowLayout.of(before.definition)
    matcher = kernel.RowMatcher(layout, repository.cut_rule.row_key)
    left = _Side(repository, before, matcher.left, monitor)
    right = _Side(repository, after, matcher.right, monitor)
    settles = bool(layout.key) and not (left.has_fragments or right.has_fragments)
    added = removed = 0
    for run in differing(left.tree, right.tree):
        left.match(run.left)
        right.match(run.right)
        if run.synchronised and settles:
            # Both sides are in key order, so no row behind this point matches one before it.
            gone, come = matcher.flush()
            removed += gone
            added += come
    touched = left.touched | right.touched
    left.match_large(touched)
    right.match_large(touched)
    gone, come = matcher.flush()
    return added + come, removed + gone, matcher.changed


class _Side:
    """The rows of one snapshot's table, on their way to the matcher."""

    def __init__(
        self,
        repository: Repository,
        record: TableRecord,
        feed: Callable[[bytes, array[int]], None],
        monitor: Monitor,
    ) -> None:
        self.tree = repository.tree(record.root)
        self.touched: set[bytes] = set()
        """First keys of large rows, cut into fragments, of which at least one fragment differs."""
        self._repository = repository
        self._column_count = len(record.definition.columns)
        self._feed = feed
        self._monitor = monitor

    @property
    def has_fragments(self) -> bool:
        """The table has rows larger than a block."""
        sums = self.tree.root.sums
        return sums.entries != sums.statements

    def match(self, entries: Iterable[LeafEntry]) -> None:
        """Feeds blocks of whole rows; of large rows only notes the key."""
        for entry in entries:
            if entry.fragment:
                self.touched.add(entry.first_key)
            else:
                self._match([entry])

    def match_large(self, keys: set[bytes]) -> None:
        """Feeds every large row of these keys, whole.

        A large row's fragments may be common one by one, also with those of its equals, so a
        difference between fragments does not tell which rows differ; the rows themselves do.
        """
        if not keys:
            return
        for group in row_groups(self.tree.entries()):
            if group[0].fragment and group[0].first_key in keys:
                self._match(group)

    def _match(self, group: Sequence[LeafEntry]) -> None:
        batch = read_group(self._repository, group, self._column_count)
        self._feed(batch.rows, batch.ends)
        self._monitor.advance(len(batch.ends), len(batch.rows))


def _object_differences(
    old: dict[tuple[ObjectKind, str, str], ObjectDefinition],
    new: dict[tuple[ObjectKind, str, str], ObjectDefinition],
) -> Iterable[ObjectDifference]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        status = Status.REDEFINED
        if before is None:
            status = Status.ADDED
        elif after is None:
            status = Status.REMOVED
        yield ObjectDifference(*name, status)
