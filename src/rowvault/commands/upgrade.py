"""`upgrade`: switches new features of the stored format on."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.core.monitor import Monitor
from rowvault.upkeep.upgrade import UpgradeReport
from rowvault.upkeep.upgrade import upgrade as upgrade_repository


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """Where, which features (none: all that are lacking), and whether to change anything."""

    repository: RepositoryAccess
    features: tuple[str, ...]
    dry_run: bool


def upgrade(options: UpgradeOptions, monitor: Monitor) -> UpgradeReport:
    """Switches features on. Raises UsageError, LockedError, DamageError, StorageError."""
    with options.repository.open() as repository:
        return upgrade_repository(repository, options.features, monitor, dry_run=options.dry_run)
