"""`backup`: takes a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.backup.engine import BackupRequest, BackupResult, run_backup
from rowvault.commands.access import RepositoryAccess
from rowvault.commands.server import ServerAccess
from rowvault.core.monitor import Monitor


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What to back up, into which repository."""

    repository: RepositoryAccess
    source: ServerAccess
    request: BackupRequest


def backup(options: BackupOptions, monitor: Monitor) -> BackupResult:
    """Takes a snapshot of a live server. Raises SourceError, RepositoryError, DamageError."""
    with options.repository.open() as repository:
        source = options.source.source(monitor)
        return run_backup(repository, source, options.request, monitor)
