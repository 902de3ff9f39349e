"""`prune` and `sessions`: reclaims space; who is at work."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.core.monitor import Monitor
from rowvault.repository import Life, SessionDocument, SessionState, SessionWatch
from rowvault.upkeep.prune.engine import prune as prune_repository
from rowvault.upkeep.prune.report import PruneReport, PruneRequest


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """Where, and how much."""

    repository: RepositoryAccess
    request: PruneRequest


def prune(options: PruneOptions, monitor: Monitor) -> PruneReport:
    """Reclaims what no snapshot refers to. Raises LockedError, DamageError, StorageError."""
    with options.repository.open() as repository:
        return prune_repository(repository, options.request, monitor)


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A run at work, and what is known of its process."""

    document: SessionDocument
    life: Life


@dataclass(frozen=True, slots=True)
class SessionsResult:
    """Who is at work."""

    entries: list[SessionEntry]
    """Oldest first."""
    damage: list[str]


def sessions(access: RepositoryAccess) -> SessionsResult:
    """All runs at work, also those that have died; nothing is changed. Raises RepositoryError."""
    with access.open() as repository:
        store = repository.internals.snapshot_store
        watch = SessionWatch()
        entries = [
            SessionEntry(
                document, Life.ALIVE if document.process.is_here() else watch.judge(document)
            )
            for document, _ in store.sessions()
            if document.state is SessionState.ACTIVE
        ]
        entries.sort(key=lambda entry: (entry.document.began, entry.document.id))
        return SessionsResult(entries, [str(one) for one in store.session_damage.values()])
