"""Brings a snapshot back to a live server, whole or in part, and proves it by reading it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rowvault.core.monitor import Monitor, SilentMonitor
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
from rowvault.source.protocol import DEFAULT_LOCKING, ExistingObject, Locking, Source, Target


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
    consent: Callable[[Sequence[ExistingObject]], None] | None = None
    """Told what would be dropped, before anything is changed; raises where that is not meant."""

    @property
    def makes_room(self) -> bool:
        """What is in the way is dropped."""
        return self.replace or self.resume


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
    open_source: Callable[[Monitor, Locking], Source],
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
    verifying = partial(open_source, monitor, DEFAULT_LOCKING)
    try:
        plan = _plan(repository, snapshot, target, verifying, request, keeping)
    except BaseException:
        target.abort()
        raise
    standing = Standing(plan.chosen.tables, plan.kept)
    unlocked = partial(open_source, SilentMonitor(), Locking(allowed=False))
    prover = Prover(repository, unlocked)
    try:
        _Run(repository, snapshot, target, request, keeping, plan, standing, prover).all(verifying)
    except BaseException as error:
        target.abort()
        note = standing.note() if target.keeps_changes else ""
        if note:
            error.add_note(note)
        raise
    finally:
        prover.stop()
    tables, accounts = plan.chosen.tables, plan.accounts
    return RestoreResult(
        tables=len(tables),
        rows=sum(record.root.sums.rows for record in tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in tables),
        seconds=time.monotonic() - started,
        verified=True if request.verify else None,
        warnings=(*keeping.warnings, *target.omissions),
        kept_tables=len(plan.kept),
        accounts=0 if accounts is None else accounts.made,
        accounts_left="" if request.users else held_accounts(repository.manifest(snapshot)),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, found possible."""

    chosen: Chosen
    kept: frozenset[TableName]
    """Tables that stand already."""
    conflicts: Sequence[ExistingObject]
    references: References
    accounts: AccountRestore | None


def _plan(
    repository: Repository,
    snapshot: Snapshot,
    target: Target,
    verifying: Callable[[], Source],
    request: RestoreRequest,
    monitor: Monitor,
) -> _Plan:
    """All that can be known beforehand; changes nothing. Raises UsageError, RestoreError."""
    chosen = choose(
        repository.manifest(snapshot),
        request.databases,
        request.tables,
        Renaming.parse(request.rename),
        monitor,
        request.users,
    )
    chosen = with_called(target, chosen)
    warn_of_losses(snapshot, chosen, monitor)
    check_vendor(snapshot, chosen, target)
    _check(repository, chosen, target)
    warn_of_case(snapshot, chosen, target, monitor)
    kept: frozenset[TableName] = frozenset()
    if request.resume:
        kept = standing_tables(repository, chosen, target, verifying, request.workers, monitor)
    conflicts = find_conflicts(target, chosen, kept)
    if not request.makes_room:
        refuse(conflicts)
    elif request.consent is not None and (conflicts or request.users):
        request.consent(conflicts)
    check_rights(chosen, conflicts, target)
    references = References(chosen, conflicts, target)
    references.check()
    accounts = None
    if request.users:
        accounts = AccountRestore(chosen.accounts, chosen.reach, target.accounts(), monitor)
        accounts.check(request.makes_room)
    return _Plan(chosen, kept, conflicts, references, accounts)


@dataclass(frozen=True, slots=True)
class _Run:
    """Carries a plan out; `standing` knows how far it came."""

    repository: Repository
    snapshot: Snapshot
    target: Target
    request: RestoreRequest
    monitor: Monitor
    plan: _Plan
    standing: Standing
    prover: Prover

    def all(self, verifying: Callable[[], Source]) -> None:
        """Makes room, makes everything, proves it; then events, which may change it."""
        snapshot, target, monitor = self.snapshot, self.target, self.monitor
        rights = target.rights_on(self.plan.conflicts)
        self._make_room()
        builder = Builder(self.plan.chosen, self.plan.kept, target, self.standing, monitor)
        proves_early = self.request.verify and target.keeps_changes
        built = builder.build(
            self.repository, self.request.workers, self.prover.add if proves_early else _ignored
        )
        self.plan.references.warn(monitor)
        remade = self.plan.accounts.remade if self.plan.accounts is not None else ()
        give_back(rights, remade, target, monitor)
        self._grant()
        if self.request.verify:
            workers = self.request.workers
            prove(self.repository, snapshot, built, verifying, workers, monitor, self.prover)
        events = builder.build_events()
        if self.request.verify:
            prove_events(snapshot, events, target, monitor)
        target.close()

    def _make_room(self) -> None:
        if self.plan.accounts is not None:
            self.monitor.phase("creating users")
            self.plan.accounts.make(self.standing)
        for one in self.plan.conflicts:
            self.target.drop(one)
            self.standing.dropped(one)

    def _grant(self) -> None:
        accounts = self.plan.accounts
        if accounts is None:
            return
        self.monitor.phase("granting")
        accounts.grant(self.standing)
        differences = accounts.differences()
        if self.request.verify:
            prove_accounts(self.snapshot, differences, self.target, self.monitor)


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
