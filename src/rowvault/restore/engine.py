"""Brings a snapshot back to a live server, whole or in part, and proves it by reading it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rowvault.core.monitor import Monitor
from rowvault.repository.manifest import TableRecord
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.restore.accounts import AccountRestore
from rowvault.restore.build import Builder
from rowvault.restore.fitness import check_names, check_rights, check_vendor, warn_of_case
from rowvault.restore.limits import check_values
from rowvault.restore.lost_rights import give_back
from rowvault.restore.proof import prove, prove_accounts, prove_events
from rowvault.restore.prover import Prover
from rowvault.restore.references import References
from rowvault.restore.rename import Renaming, Side
from rowvault.restore.resume import standing_tables
from rowvault.restore.room import find_conflicts, refuse, with_called
from rowvault.restore.selection import Chosen, choose, held_accounts
from rowvault.restore.standing import Standing
from rowvault.restore.verify import TableName
from rowvault.source.protocol import DEFAULT_LOCKING, Locking, Source, Target


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and how; empty databases and tables: everything."""

    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    rename: tuple[tuple[Side, Side], ...] = ()
    """(old, new): databases, or tables."""
    replace: bool = False
    """Drop what is in the way: nothing else."""
    resume: bool = False
    """Like `replace`, but tables that are proven to be the snapshot's are kept."""
    users: bool = False
    """Users, roles and grants, too; see `choose`."""
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
    kept_tables: int = 0
    """Tables that stood already, and were proven to be the snapshot's."""
    accounts: int = 0
    """Users and roles that were made."""
    accounts_left: str = ""
    """Users, roles and grants that the snapshot holds and nobody asked for; how many, in words."""


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
    open_source: Callable[[Locking], Source],
    request: RestoreRequest,
    monitor: Monitor,
) -> RestoreResult:
    """Restores into the target, then reads it back through `open_source` and compares.

    Raises TargetExistsError, UsageError, RestoreError before anything is changed; RestoreError,
    DamageError in mid-work; VerificationError naming tables and key ranges when the target does not
    hold what it should. What leaves the target changed has a note that says what stands.
    """
    started = time.monotonic()
    keeping = _Keeping(monitor)
    verifying = partial(open_source, DEFAULT_LOCKING)
    prover = Prover(repository, partial(open_source, Locking(allowed=False)))
    proves_early = request.verify and target.keeps_changes
    try:
        chosen = choose(
            repository.manifest(snapshot),
            request.databases,
            request.tables,
            Renaming.parse(request.rename),
            keeping,
            request.users,
        )
        chosen = with_called(target, chosen)
        warn_of_losses(snapshot, chosen, keeping)
        check_vendor(snapshot, chosen, target)
        _check(repository, chosen, target)
        warn_of_case(snapshot, chosen, target, keeping)
        kept: frozenset[TableName] = frozenset()
        if request.resume:
            kept = standing_tables(repository, chosen, target, verifying, request.workers, keeping)
        conflicts = find_conflicts(target, chosen, kept)
        makes_room = request.replace or request.resume
        if not makes_room:
            refuse(conflicts)
        check_rights(chosen, conflicts, target)
        references = References(chosen, conflicts, target)
        references.check()
        accounts = None
        if request.users:
            accounts = AccountRestore(chosen.accounts, chosen.reach, target.accounts(), keeping)
            accounts.check(makes_room)
    except BaseException:
        target.abort()
        raise
    standing = Standing(chosen.tables, kept)
    try:
        rights = target.rights_on(conflicts)
        if accounts is not None:
            keeping.phase("creating users")
            accounts.make(standing)
        for one in conflicts:
            target.drop(one)
            standing.dropped(one)
        builder = Builder(chosen, kept, target, standing, keeping)
        completed = prover.add if proves_early else _ignored
        built = builder.build(repository, request.workers, completed)
        references.warn(keeping)
        give_back(rights, accounts.remade if accounts is not None else (), target, keeping)
        if accounts is not None:
            keeping.phase("granting")
            accounts.grant(standing)
            differences = accounts.differences()
            if request.verify:
                prove_accounts(snapshot, differences, target, keeping)
        if request.verify:
            prove(repository, snapshot, built, verifying, request.workers, keeping, prover)
        events = builder.build_events()
        if request.verify:
            prove_events(snapshot, events, target, keeping)
        target.close()
    except BaseException as error:
        target.abort()
        note = standing.note() if target.keeps_changes else ""
        if note:
            error.add_note(note)
        raise
    finally:
        prover.stop()
    return RestoreResult(
        tables=len(chosen.tables),
        rows=sum(record.root.sums.rows for record in chosen.tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in chosen.tables),
        seconds=time.monotonic() - started,
        verified=True if request.verify else None,
        warnings=(*keeping.warnings, *target.omissions),
        kept_tables=len(kept),
        accounts=0 if accounts is None else accounts.made,
        accounts_left="" if request.users else held_accounts(repository.manifest(snapshot)),
    )


def _ignored(record: TableRecord) -> None:
    """Nobody proves tables before the end."""


def warn_of_losses(snapshot: Snapshot, chosen: Chosen, monitor: Monitor) -> None:
    """Names what a repair found lost of what is restored."""
    for loss in snapshot.losses:
        monitor.warning(loss)
    for record in chosen.tables:
        for note in record.notes:
            monitor.warning(f"{record.definition.label}: {note}")


def _check(repository: Repository, chosen: Chosen, target: Target) -> None:
    """What can be known beforehand; changes nothing. Raises UsageError, RestoreError."""
    check_names(chosen, target)
    check_values(repository, chosen.tables, target)
