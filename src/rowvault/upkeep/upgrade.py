"""Switches features on that a repository lacks (docs/format.md, "Config").

1. A session says that this run is at work; while any other one is, nothing is done.
2. The ledger, where it is switched on, begins with the snapshots that are there.
3. One compare-and-swap replaces the config.
4. Sessions that have begun meanwhile may have read the config before, so they are ended: a session
   reads it after its object is made, hence one that begins from now on reads the new one. What one
   of them has committed by then joins the ledger.

A run that ends anywhere leaves the old config or the new one, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rowvault.core.errors import LockedError, UsageError
from rowvault.core.monitor import Monitor
from rowvault.repository.features import FEATURES, LEDGER, Feature
from rowvault.repository.records.live_session import LiveSession
from rowvault.repository.records.session_object import SessionDocument, SessionState
from rowvault.repository.records.session_watch import SessionWatch
from rowvault.repository.repository import Repository
from rowvault.upkeep.prune.report import describe

COMMAND = "upgrade"
"""What sessions of upgrades state."""


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What was switched on, or in a dry run would be."""

    features: tuple[Feature, ...]
    """Oldest first; empty: the repository has all that were asked for."""
    adopted: int | None = None
    """So many snapshots that were there begin the ledger; None: it had begun before."""


def choose_features(names: Sequence[str], lacking: Sequence[Feature]) -> tuple[Feature, ...]:
    """Those of the lacking features that are named; all without a name. Raises UsageError."""
    unknown = sorted(set(names) - {one.name for one in FEATURES})
    if unknown:
        raise UsageError(
            f"this version of rowvault knows no feature {', '.join(unknown)}; it knows "
            f"{', '.join(one.name for one in FEATURES)}"
        )
    return tuple(one for one in lacking if not names or one.name in names)


def upgrade(
    repository: Repository, names: Sequence[str], monitor: Monitor, *, dry_run: bool = False
) -> UpgradeReport:
    """Switches features on, by name, or all that are lacking.

    Raises UsageError for a name that is not known, LockedError while another run is at work,
    DamageError, StorageError.
    """
    chosen = choose_features(names, repository.missing_features)
    adopts = LEDGER in chosen or _has_no_entry(repository)
    if dry_run or not (chosen or adopts):
        count = len(repository.internals.snapshot_store.published()) if adopts else None
        return UpgradeReport(chosen, count)
    internals = repository.internals
    internals.snapshot_store.remove_dead_sessions()
    session = LiveSession(internals.storage, internals.snapshot_store, COMMAND)
    try:
        _refuse_if_busy(repository, session)
        chosen = choose_features(names, repository.missing_features)  # as the session found it
        adopted = repository.snapshot_set.adopt() if adopts else None
        repository.switch_on(chosen)
        _end_early_sessions(repository, session, monitor)
        if adopts and repository.snapshot_set.examine().problems:  # of one that has committed
            adopted = repository.snapshot_set.adopt()
    finally:
        session.withdraw()
    return UpgradeReport(chosen, adopted)


def _has_no_entry(repository: Repository) -> bool:
    """`init`, or an upgrade, ended between the config and the ledger's first entry."""
    return repository.ledger.is_on() and not repository.ledger.numbers()


def _others(repository: Repository, own: LiveSession) -> list[tuple[SessionDocument, bytes]]:
    found = repository.internals.snapshot_store.sessions()
    if repository.internals.snapshot_store.session_damage:
        raise next(iter(repository.internals.snapshot_store.session_damage.values()))
    return [
        (document, data)
        for document, data in found
        if document.id != own.id and document.state is SessionState.ACTIVE
    ]


def _refuse_if_busy(repository: Repository, own: LiveSession) -> None:
    """A session that has died elsewhere is ended once it was seen without a sign of life."""
    ledger, snapshot_store = repository.internals.prune_ledger, repository.internals.snapshot_store
    watch = SessionWatch(ledger.read_sightings())
    busy = [
        document
        for document, data in _others(repository, own)
        if not (watch.judge(document).is_over and snapshot_store.withdraw(document, data))
    ]
    if busy:
        ledger.write_sightings(watch.sightings(one.id for one in busy))
        raise LockedError(
            f"The repository at {repository.location} is in use: {describe(busy[0])}. An upgrade "
            "works alone, for a run at work does not know of it: try again when that has ended; "
            "`rowvault sessions` shows who is at work."
        )


def _end_early_sessions(repository: Repository, own: LiveSession, monitor: Monitor) -> None:
    """Ends those that began while the config was replaced; they cannot commit any more."""
    snapshot_store = repository.internals.snapshot_store
    while early := _others(repository, own):
        for document, data in early:
            if snapshot_store.withdraw(document, data):
                monitor.warning(
                    f"ended a run that began during the upgrade: {describe(document)}. Start it "
                    "again; it has stored nothing that is lost."
                )
