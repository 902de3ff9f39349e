"""`verify`: compares a live server with a snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_names
from rowvault.commands.incomplete import lacks_of
from rowvault.commands.server import ServerAccess
from rowvault.core.errors import RestoreError
from rowvault.core.model import ObjectDefinition, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import Selected, Snapshot
from rowvault.restore.selection.rename import Renaming, Side
from rowvault.restore.selection.selection import select
from rowvault.restore.verify.verify import compare


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What to compare; empty databases and tables: everything in the snapshot."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice
    target: ServerAccess
    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    rename: tuple[tuple[Side, Side], ...] = ()
    """(old, new): what the snapshot's databases and tables are called on the server."""
    users: bool = False
    """Users, roles and grants, too."""
    workers: int = 2


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What was compared, and how it differs. Sizes in raw bytes."""

    snapshot: str
    tables: int
    rows: int
    raw_bytes: int
    seconds: float
    differences: tuple[str, ...]
    """One message for each table, object or database that is not the snapshot's."""
    not_selected: tuple[str, ...]
    """What the server has beyond it, in the same databases, and it was not asked to hold."""
    incomplete: tuple[str, ...] = ()
    """What the snapshot itself lacks of what it was to hold, one sentence each."""


def verify(options: VerifyOptions, monitor: Monitor) -> VerifyResult:
    """Reads definitions and rows of the server as a backup does, and compares; changes nothing.

    Raises SnapshotNotFoundError, UsageError, RestoreError, DamageError, SourceError.
    """
    started = time.monotonic()
    with options.repository.open() as repository:
        wanted = wanted_names(options.databases, options.tables)
        live = options.target.source(monitor).identify()
        snapshot = options.snapshot.of(repository, wanted, live).snapshot
        lacks = lacks_of(snapshot, wanted)
        renaming = Renaming.parse(options.rename)
        chosen = select(
            repository.manifest(snapshot),
            options.databases,
            options.tables,
            renaming,
            monitor,
            options.users,
        )
        comparison = compare(
            repository,
            chosen,
            options.target.source(monitor),
            options.workers,
            monitor,
            asked_for=None if options.tables else _asked_for(snapshot, renaming),
            with_users=options.users,
        )
    _check_vendor(snapshot, comparison.server.vendor)
    return VerifyResult(
        snapshot=snapshot.id,
        tables=len(chosen.tables),
        rows=sum(record.root.sums.rows for record in chosen.tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in chosen.tables),
        seconds=time.monotonic() - started,
        differences=comparison.differences,
        not_selected=comparison.not_selected,
        incomplete=lacks,
    )


def _asked_for(
    snapshot: Snapshot, renaming: Renaming
) -> Callable[[TableDefinition | ObjectDefinition], bool]:
    """Whether the snapshot was to hold what has this name on the server."""
    selected = Selected.of(snapshot)
    databases = {new: old for old, new in renaming.databases.items()}
    tables = {new: old for old, new in renaming.tables.items()}

    def asked(definition: TableDefinition | ObjectDefinition) -> bool:
        database = databases.get(definition.database, definition.database)
        if isinstance(definition, TableDefinition):
            return selected.table(
                *tables.get((definition.database, definition.name), (database, definition.name))
            )
        return selected.object(msgspec.structs.replace(definition, database=database))

    return asked


def _check_vendor(snapshot: Snapshot, vendor: str) -> None:
    if snapshot.server.vendor != vendor:
        raise RestoreError(
            f"snapshot {snapshot.id} is of {snapshot.server.vendor}, the server is {vendor}: their "
            "values and definitions cannot be compared exactly"
        )
