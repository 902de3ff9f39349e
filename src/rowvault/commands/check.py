"""`check`: verifies a repository."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.core.monitor import Monitor
from rowvault.repository.read_subset import ReadSubset
from rowvault.upkeep.check.engine import CheckReport
from rowvault.upkeep.check.engine import check as check_repository


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How deep to look."""

    repository: RepositoryAccess
    read_data: bool | ReadSubset
    """Every stored byte, or those of some packs."""
    accept_state: bool = False
    """Take the snapshots that are there for those that must be there, first."""


def check(options: CheckOptions, monitor: Monitor) -> CheckReport:
    """Verifies the structure, and with `read_data` every stored byte; damage is in the report.

    Raises NoRepositoryError, WrongPasswordError, StorageError.
    """
    with options.repository.open(whole=False) as repository:
        accepted = repository.snapshot_set.accept() if options.accept_state else None
        report = check_repository(repository, options.read_data, monitor)
        report.accepted = accepted
        return report
