"""`doctor`: what a server allows, before any backup; how a repository is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.server import ServerAccess
from rowvault.core.monitor import Monitor
from rowvault.repository.features import FEATURES, Feature

if TYPE_CHECKING:
    from rowvault.source.examination import Examination


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """Which server, and what a backup of it would hold."""

    source: ServerAccess
    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    excludes: tuple[str, ...] = ()
    users: bool = False


def doctor(options: DoctorOptions, monitor: Monitor) -> Examination:
    """Looks at a live server and changes nothing. Raises SourceError."""
    # Start-up time: help needs none of it.
    from rowvault.source.protocol import Selection

    selection = Selection(options.databases, options.tables, options.excludes, options.users)
    monitor.phase("examining")
    return options.source.source(monitor).examine(selection)


@dataclass(frozen=True, slots=True)
class RepositoryFindings:
    """How a repository is kept."""

    location: str
    id: str
    encrypted: bool
    keys: int
    """Ways into it; 0 where it is not encrypted."""
    snapshots: int
    forgotten: int
    """Snapshots that `undelete` brings back."""
    sessions: int
    """Runs at work, or that died."""
    features: tuple[Feature, ...]
    missing_features: tuple[Feature, ...]
    """What this version knows and the repository lacks."""
    damage: tuple[str, ...]
    """Small objects that cannot be read; only `check` looks at all."""


def examine_repository(access: RepositoryAccess) -> RepositoryFindings:
    """Looks at a repository and changes nothing. Raises RepositoryError, DamageError."""
    with access.open() as repository:
        store = repository.internals.snapshot_store
        listings = repository.listings()
        damage = [str(one.damage) for one in listings if one.damage is not None]
        damage += map(str, repository.upkeep_damage().values())
        missing = repository.missing_features
        return RepositoryFindings(
            location=repository.location,
            id=repository.id,
            encrypted=repository.encrypted,
            keys=len(repository.keys.all()) if repository.encrypted else 0,
            snapshots=len(listings),
            forgotten=len(repository.trash.listings()),
            sessions=len(store.sessions()),
            features=tuple(one for one in FEATURES if one not in missing),
            missing_features=missing,
            damage=(*damage, *map(str, store.session_damage.values())),
        )
