"""Makes databases, tables, rows and programs on a target, in an order in which each finds the rest.

Events come last of all: an enabled one may fire as soon as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rowvault.core.errors import ConnectionLostError, RestoreError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Repository, TableRecord
from rowvault.restore.load.load import Loading, load_tables
from rowvault.restore.load.replaced_objects import ReplacedObjects
from rowvault.restore.plan.shadow_tables import ShadowTables
from rowvault.restore.progress import RestoreProgress
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import Target
from rowvault.sqltext.mysql.auto_increment import loadable
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.order import post_data, pre_data

LATE_KEYS_BYTES = 4 << 20
"""Tables with less raw bytes get their keys at once: the server has all of them in memory, and
finding out whether they can come later takes longer than it saves."""

_Failed = list[tuple[ObjectDefinition, RestoreError]]


class Builder:
    """Makes what was chosen, step by step; `progress` knows how far it came."""

    def __init__(
        self,
        chosen: RestoreSelection,
        kept: frozenset[TableName],
        target: Target,
        progress: RestoreProgress,
        former: ReplacedObjects,
        monitor: Monitor,
    ) -> None:
        """`kept`: tables that stand already, or will when the rest is made."""
        self._chosen = chosen
        self._tables = [
            record
            for record in chosen.tables
            if (record.definition.database, record.definition.name) not in kept
        ]
        self._target = target
        self._progress = progress
        self._former = former
        self._monitor = monitor
        self.left_out: list[str] = []
        """Labels of what could not be made, told already."""
        behind = post_data(chosen.objects)
        self._programs = [one for one in behind if one.kind is not ObjectKind.EVENT]
        self._events = [one for one in behind if one.kind is ObjectKind.EVENT]

    def make_databases(self) -> None:
        """Databases, and sequences that tables may call. Raises RestoreError."""
        self._monitor.phase("creating tables")
        self._need([one for one in pre_data(self._chosen.objects) if not is_broken(one)])

    def load_beside(
        self,
        beside: ShadowTables,
        repository: Repository,
        worker_count: int,
        completed: Callable[[TableRecord], None],
    ) -> None:
        """Makes these tables under other names, with their rows. Raises RestoreError, DamageError.

        `completed`: as in `build`.
        """
        deferred = beside.make(self._make_table)

        def complete(record: TableRecord, has_large_rows: bool) -> None:
            if not has_large_rows:
                completed(record)

        records = beside.records
        self._monitor.phase("loading", sum(record.root.sums.rows for record in records))
        loading = Loading(frozenset(one.label for one in deferred), _not_counted, complete)
        load_tables(
            repository, records, self._target.open_loader, worker_count, self._monitor, loading
        )

    def build(
        self,
        repository: Repository,
        worker_count: int,
        completed: Callable[[TableRecord], None],
        add_late_references: Callable[[], None],
        grant_rights: Callable[[], None],
    ) -> RestoreSelection:
        """Everything but databases and events; gives what stands. Raises RestoreError, DamageError.

        `completed` hears of each table with rows as soon as they and its indexes stand, unless
        reading its rows beside others takes too much memory. `add_late_references` is called when
        all tables stand, `grant_rights` when the first programs do, and others could not be made.
        """
        monitor, tables = self._monitor, self._tables
        monitor.phase("creating tables")
        self._need([one for one in pre_data(self._chosen.objects) if is_broken(one)])
        deferred = [record.definition for record in tables if self._create_table(record)]
        monitor.phase("loading", sum(record.root.sums.rows for record in tables))
        labels = frozenset(one.label for one in deferred)

        def complete(record: TableRecord, has_large_rows: bool) -> None:
            self._progress.completed(record.definition)
            if not has_large_rows:
                completed(record)

        loading = Loading(labels, self._progress.loaded, complete)
        load_tables(repository, tables, self._target.open_loader, worker_count, monitor, loading)
        for definition in deferred:
            self._target.add_references(definition)
        add_late_references()
        monitor.phase("creating indexes, routines, views, triggers")
        failed = self._create(self._programs)
        if failed:
            # A server makes a view only where the definers of what it reads may read that.
            grant_rights()
            failed = self._create([one for one, _ in failed])
        lacking = self._leave_out(failed) | {one.label for one in self._events}
        self._progress.left_to_do(self._events)
        self._target.finish()
        objects = tuple(one for one in self._chosen.objects if one.label not in lacking)
        return replace(self._chosen, objects=objects)

    def build_events(self) -> list[ObjectDefinition]:
        """What may change rows by itself; gives what stands.

        Raises RestoreError where the connection is lost.
        """
        if not self._events:
            return []
        self._monitor.phase("creating events")
        lacking = self._leave_out(self._create(self._events))
        self._progress.left_to_do(())
        return [one for one in self._events if one.label not in lacking]

    def _create_table(self, record: TableRecord) -> bool:
        """Whether its keys are left for later."""
        is_deferred = self._make_table(record)
        self._progress.made(record.definition, is_deferred=is_deferred)
        return is_deferred

    def _make_table(self, record: TableRecord) -> bool:
        """Whether its keys are left for later."""
        definition, sums = loadable(record.definition, record.root.sums.rows), record.root.sums
        self._monitor.item(definition.label)
        if sums.raw_bytes < LATE_KEYS_BYTES:
            self._target.create(definition)
            return False
        return self._target.create_without_keys(definition)

    def _need(self, objects: Sequence[ObjectDefinition]) -> None:
        """Creates what tables or views need. Raises RestoreError where something is missing."""
        missing = self._create(objects)
        if missing:
            raise RestoreError(
                _failures("these could not be created, and no row was loaded", missing)
            )

    def _create(self, objects: Iterable[ObjectDefinition]) -> _Failed:
        """Creates in order; what fails waits for the rest, and is tried again while that helps."""
        waiting = list(objects)
        while waiting:
            failed: _Failed = []
            for one in waiting:
                self._monitor.item(one.label)
                try:
                    self._former.make_way(one)
                    self._target.create(one)
                    self._former.made(one)
                    self._progress.made(one)
                except RestoreError as error:
                    if isinstance(error.__cause__, ConnectionLostError):
                        raise
                    failed.append((one, error))
            if len(failed) == len(waiting):
                return failed
            waiting = [one for one, _ in failed]
        return []

    def _leave_out(self, failed: _Failed) -> set[str]:
        """Rows can be proved without views and programs, but not without indexes.

        Gives the labels of what is left out.
        """
        indexes = [(one, error) for one, error in failed if one.kind is ObjectKind.INDEX]
        if indexes:
            raise RestoreError(_failures("these could not be created", indexes))
        for one, error in failed:
            former = self._former.give_back(one)
            self._monitor.warning(f"{error}; it is left out{former and ', and ' + former}")
            self.left_out.append(one.label)
        return {one.label for one, _ in failed}


def _not_counted(table: TableDefinition, row_count: int) -> None:
    """Rows beside a table that stands are nothing to tell of."""


def _failures(what: str, failed: _Failed) -> str:
    return f"{what}:\n" + "\n".join(str(error) for _, error in failed)
