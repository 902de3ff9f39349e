"""Brings a snapshot back to a live server, whole or in part, and proves it by reading it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rowvault.core.errors import (
    ConnectionLostError,
    RestoreError,
    TargetExistsError,
    UsageError,
    VerificationError,
)
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.restore.limits import check_values
from rowvault.restore.load import load_tables
from rowvault.restore.release import same_release
from rowvault.restore.rename import Renaming, Side
from rowvault.restore.selection import Chosen, choose
from rowvault.restore.verify import compare
from rowvault.source.protocol import Source, Target
from rowvault.sqltext.order import before_rows, behind_rows

_NAMED_CONFLICTS = 5

_RELATIONS = (ObjectKind.TABLE, ObjectKind.VIEW, ObjectKind.SEQUENCE)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and how; empty databases and tables: everything."""

    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    rename: tuple[tuple[Side, Side], ...] = ()
    """(old, new): databases, or tables."""
    replace: bool = False
    """Drop tables and views that are in the way."""
    verify: bool = True
    workers: int = 2


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What a restore did. Sizes in raw bytes."""

    tables: int
    rows: int
    raw_bytes: int
    seconds: float
    verified: bool | None
    """True: all definitions and rows were read back and are equal. None: not asked for."""
    warnings: tuple[str, ...]


class _Keeping:
    """Passes everything on to another monitor, and keeps the warnings for the result."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self.warnings: list[str] = []
        self.phase = monitor.phase
        self.advance = monitor.advance
        self.item = monitor.item

    def warning(self, message: str) -> None:
        self.warnings.append(message)
        self._monitor.warning(message)


def run_restore(
    repository: Repository,
    snapshot: Snapshot,
    target: Target,
    open_source: Callable[[], Source],
    request: RestoreRequest,
    monitor: Monitor,
) -> RestoreResult:
    """Restores into the target, then reads it back through `open_source` and compares.

    Raises TargetExistsError before anything is changed; RestoreError, DamageError in mid-work;
    VerificationError naming tables and key ranges when the target does not hold what it should.
    """
    started = time.monotonic()
    keeping = _Keeping(monitor)
    try:
        _check_vendor(snapshot, target)
        chosen = choose(
            repository.manifest(snapshot),
            request.databases,
            request.tables,
            Renaming.parse(request.rename),
            keeping,
        )
        _check_databases(chosen, target)
        check_values(repository, chosen.tables, target)
        _make_room(target, chosen, request.replace)
        failed = _build(repository, chosen, target, request.workers, keeping)
    except BaseException:
        target.abort()
        raise
    verified = None
    if request.verify:
        made = _made(chosen, failed)
        _verify(repository, snapshot, made, open_source(), request.workers, keeping)
        verified = True
    return RestoreResult(
        tables=len(chosen.tables),
        rows=sum(record.root.sums.rows for record in chosen.tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in chosen.tables),
        seconds=time.monotonic() - started,
        verified=verified,
        warnings=(*keeping.warnings, *target.omissions),
    )


def _check_vendor(snapshot: Snapshot, target: Target) -> None:
    if snapshot.server.vendor != target.server.vendor:
        raise RestoreError(
            f"snapshot {snapshot.id} is of {snapshot.server.vendor}, the target is "
            f"{target.server.vendor}: values and definitions would not come back exactly; restore "
            f"to {snapshot.server.vendor}"
        )


def _check_databases(chosen: Chosen, target: Target) -> None:
    other = [name for name in chosen.databases if name != "main"]
    if target.server.vendor == "sqlite" and other:
        raise UsageError(f"an SQLite file has one database, main; --rename to {other[0]} cannot be")


def _make_room(target: Target, chosen: Chosen, replace: bool) -> None:
    wanted = {_slot(one.kind, one.database, one.name) for one in chosen.objects}
    wanted |= {
        _slot(ObjectKind.TABLE, record.definition.database, record.definition.name)
        for record in chosen.tables
    }
    conflicts = [
        one
        for one in target.existing(chosen.databases)
        if _slot(one.kind, one.database, one.name) in wanted
    ]
    # Tables first: their triggers go with them.
    conflicts.sort(key=lambda one: (one.kind not in _RELATIONS, one))
    if conflicts and not replace:
        names = ", ".join(one.label for one in conflicts[:_NAMED_CONFLICTS])
        more = len(conflicts) - _NAMED_CONFLICTS
        raise TargetExistsError(
            f"the target has {names}{f' and {more} more' if more > 0 else ''} already; nothing was "
            "changed. Restore elsewhere, --rename, or drop them with --replace"
        )
    for one in conflicts:
        target.drop(one)


def _slot(kind: ObjectKind, database: str, name: str) -> tuple[ObjectKind, str, str]:
    """Tables, views and sequences share their names; every other kind has names of its own."""
    return (ObjectKind.TABLE if kind in _RELATIONS else kind, database, name)


def _build(
    repository: Repository, chosen: Chosen, target: Target, workers: int, monitor: Monitor
) -> list[ObjectDefinition]:
    """Makes everything; gives what could not be made, named already."""
    monitor.phase("creating tables")
    missing = _create(before_rows(chosen.objects), target, monitor)
    if missing:
        raise RestoreError(_failures("these could not be created, and no row was loaded", missing))
    for record in chosen.tables:
        monitor.item(record.definition.label)
        target.create(record.definition)
    monitor.phase("loading", sum(record.root.sums.rows for record in chosen.tables))
    load_tables(repository, chosen.tables, target, workers, monitor)
    monitor.phase("creating indexes, routines, views, triggers, events")
    failed = _create(behind_rows(chosen.objects), target, monitor)
    _leave_out(failed, monitor)
    target.finish()
    return [one for one, _ in failed]


_Failed = list[tuple[ObjectDefinition, RestoreError]]


def _create(objects: Iterable[ObjectDefinition], target: Target, monitor: Monitor) -> _Failed:
    """Creates in order; what fails waits for the rest, and is tried again while that helps."""
    waiting = list(objects)
    while waiting:
        failed: _Failed = []
        for one in waiting:
            monitor.item(one.label)
            try:
                target.create(one)
            except RestoreError as error:
                if isinstance(error.__cause__, ConnectionLostError):
                    raise
                failed.append((one, error))
        if len(failed) == len(waiting):
            return failed
        waiting = [one for one, _ in failed]
    return []


def _leave_out(failed: _Failed, monitor: Monitor) -> None:
    """The rows are there and can be proved without views and programs, but not without indexes."""
    indexes = [(one, error) for one, error in failed if one.kind is ObjectKind.INDEX]
    if indexes:
        raise RestoreError(_failures("these could not be created", indexes))
    for _, error in failed:
        monitor.warning(f"{error}; it is left out")


def _failures(what: str, failed: _Failed) -> str:
    return f"{what}:\n" + "\n".join(str(error) for _, error in failed)


def _verify(
    repository: Repository,
    snapshot: Snapshot,
    chosen: Chosen,
    source: Source,
    workers: int,
    monitor: Monitor,
) -> None:
    comparison = compare(repository, chosen, source, workers, monitor)
    for difference in comparison.databases:
        monitor.warning(f"{difference}; it was there before and is left as it is")
    failures = list(comparison.rows)
    if same_release(snapshot.server.version, comparison.server.version):
        failures[:0] = comparison.definitions
    else:
        # Another release may write the same definition in other words.
        for difference in comparison.definitions:
            monitor.warning(f"{comparison.server.version} has another definition: {difference}")
    if failures:
        raise VerificationError(
            "the target does not hold what the snapshot holds:\n" + "\n".join(failures)
        )


def _made(chosen: Chosen, failed: Iterable[ObjectDefinition]) -> Chosen:
    """What is there to be verified: the rest has been named already."""
    left_out = {one.label for one in failed}
    objects = tuple(one for one in chosen.objects if one.label not in left_out)
    return replace(chosen, objects=objects)
