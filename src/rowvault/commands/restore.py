"""`restore`: puts a snapshot back on a server and proves it."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.incomplete import warn_if_incomplete
from rowvault.commands.server import ServerAccess
from rowvault.core.monitor import Monitor
from rowvault.restore.engine import RestoreRequest, RestoreResult, run_restore


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What to restore, and where to."""

    repository: RepositoryAccess
    snapshot: str
    target: ServerAccess
    request: RestoreRequest


def restore(options: RestoreOptions, monitor: Monitor) -> RestoreResult:
    """Restores and, unless told otherwise, reads everything back and compares.

    Raises SnapshotNotFoundError, RestoreError, VerificationError, DamageError, ConnectError.
    """
    with options.repository.open_ahead() as opened:
        target = options.target.target(monitor)
        repository = opened.result()
        snapshot = repository.find(options.snapshot)
        warn_if_incomplete(snapshot, monitor, options.request.databases, options.request.tables)
        return run_restore(
            repository,
            snapshot,
            target,
            options.target.source,
            options.request,
            monitor,
        )
