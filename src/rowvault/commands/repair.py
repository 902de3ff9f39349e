"""`repair`: mends a repository."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.core.monitor import Monitor
from rowvault.upkeep.repair.engine import repair as repair_repository
from rowvault.upkeep.repair.report import RepairReport


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """Where, and whether to change anything."""

    repository: RepositoryAccess
    dry_run: bool


def repair(options: RepairOptions, monitor: Monitor) -> RepairReport:
    """Saves what is whole and names what is lost.

    Raises LockedError while another run is at work, NoRepositoryError, WrongPasswordError,
    StorageError.
    """
    with options.repository.open() as repository:
        return repair_repository(repository, monitor, dry_run=options.dry_run)
