"""Brings a snapshot back to a live server, whole or in part, and proves it by reading it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rowvault.core.model import ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.repository import Repository, Snapshot
from rowvault.restore.accounts.accounts import AccountRestore
from rowvault.restore.plan.conflicts import find_conflicts, refuse, with_called
from rowvault.restore.plan.constraints import with_free_names
from rowvault.restore.plan.oversized_values import check_values
from rowvault.restore.plan.preflight import (
    check_names,
    check_obstacles,
    check_rights,
    check_vendor,
    warn_of_case,
)
from rowvault.restore.plan.references import References
from rowvault.restore.plan.replacement import Decision, ReplacementPlan
from rowvault.restore.plan.shadow_tables import heal
from rowvault.restore.progress import RestoreProgress
from rowvault.restore.run import Orders, Plan, Run
from rowvault.restore.selection.definers import KEEP, Defined, check_definers, with_definers
from rowvault.restore.selection.rename import Renaming, Side
from rowvault.restore.selection.selection import RestoreSelection, held_accounts, select
from rowvault.restore.verify.resume import complete_tables
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import DEFAULT_LOCKING, ExistingObject, Locking, Source, Target
from rowvault.sqltext.mysql.definer import Definer


def _untold(way: str) -> None:
    """Nobody wants to know."""


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
    drop_first: bool = False
    """What is replaced is dropped before it is made anew, when its rows have been read."""
    users: bool = False
    """Users, roles and grants, too; see `select`."""
    definer: Definer | str = KEEP
    """Who views and programs run as: as they did; `DROP`, the restoring account; or this one."""
    verify: bool = True
    workers: int = 2
    consent: Callable[[Sequence[ExistingObject]], None] | None = None
    """Told what would be dropped, before anything is changed; raises where that is not meant."""
    dry_run: bool = False
    """Change nothing: say what would be done."""
    tell_way: Callable[[str], None] = _untold
    """Told how tables that are in the way are replaced, one sentence each, before it begins."""

    @property
    def orders(self) -> Orders:
        """What carrying it out needs to know."""
        return Orders(self.makes_room, self.verify, self.workers)

    @property
    def makes_room(self) -> bool:
        """What is in the way is dropped."""
        return self.replace or self.resume


@dataclass(frozen=True, slots=True)
class Replaced:
    """How one table that was in the way was replaced."""

    table: str
    is_exchanged: bool
    """It stood until the new one was proven; otherwise it was dropped first."""
    reason: str = ""
    """Why it was dropped first."""


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What a restore did. Sizes in raw bytes."""

    tables: int
    rows: int
    raw_bytes: int
    seconds: float
    verified: bool | None
    """True: all that was asked for stands, was read back and is equal. False: what stands was read
    back and is equal, but `left_out` is not there. None: not asked for."""
    warnings: tuple[str, ...]
    kept_tables: int = 0
    """Tables that stood already, and were proven to be the snapshot's."""
    accounts: int = 0
    """Users and roles that were made."""
    replaced: tuple[Replaced, ...] = ()
    """Tables that were in the way."""
    in_the_way: tuple[str, ...] = ()
    """Labels of everything that was."""
    dry_run: bool = False
    """Nothing was changed: the figures say what would be."""
    incomplete: tuple[str, ...] = ()
    """What the snapshot itself lacks of what it was to hold, one sentence each."""
    left_out: tuple[str, ...] = ()
    """Labels of what was to be made and is not there; a warning says why."""
    objects: int = 0
    """Views, programs and sequences that stand."""
    defined: tuple[Defined, ...] = ()
    """Who views and programs run as, before and now."""
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
    for sentence in (*plan.ways.told(), *(one.told() for one in plan.defined)):
        if sentence:
            request.tell_way(sentence)
    if request.dry_run:
        target.abort()
        return _planned(plan, keeping, time.monotonic() - started)
    progress = RestoreProgress(plan.chosen.tables, plan.kept)
    run = Run(
        repository,
        snapshot,
        target,
        request.orders,
        plan,
        progress,
        keeping,
        verifying,
        open_source,
    )
    _run_all(run)
    return _result(
        plan,
        run,
        verifies=request.verify,
        warnings=(*keeping.warnings, *target.omissions),
        accounts_left="" if request.users else held_accounts(repository.manifest(snapshot)),
        seconds=time.monotonic() - started,
    )


def _run_all(run: Run) -> None:
    try:
        run.all()
    except BaseException as error:
        for note in run.end_early():
            error.add_note(note)
        raise


def _result(
    plan: Plan,
    run: Run,
    *,
    verifies: bool,
    warnings: tuple[str, ...],
    accounts_left: str,
    seconds: float,
) -> RestoreResult:
    tables, accounts = plan.chosen.tables, plan.accounts
    left_out = _left_out(plan, run)
    return RestoreResult(
        tables=len(tables),
        rows=sum(record.root.sums.rows for record in tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in tables),
        seconds=seconds,
        verified=not left_out if verifies else None,
        warnings=warnings,
        kept_tables=len(plan.kept),
        accounts=0 if accounts is None else accounts.made,
        replaced=tuple(_replaced(plan.ways)),
        in_the_way=tuple(one.label for one in plan.conflicts),
        left_out=left_out,
        objects=run.objects,
        defined=tuple(plan.defined),
        accounts_left=accounts_left,
    )


def _left_out(plan: Plan, run: Run) -> tuple[str, ...]:
    """Labels of all that was asked for and is not there; each was told."""
    accounts = plan.accounts.left_out if plan.accounts else ()
    return tuple(dict.fromkeys([*plan.chosen.left_out, *run.left_out, *accounts]))


def _planned(plan: Plan, keeping: _Keeping, seconds: float) -> RestoreResult:
    """What would be done."""
    tables = plan.chosen.tables
    return RestoreResult(
        tables=len(tables),
        rows=sum(record.root.sums.rows for record in tables),
        raw_bytes=sum(record.root.sums.raw_bytes for record in tables),
        seconds=seconds,
        verified=None,
        warnings=tuple(keeping.warnings),
        kept_tables=len(plan.kept),
        accounts=0 if plan.accounts is None else plan.accounts.made,
        replaced=tuple(_replaced(plan.ways)),
        in_the_way=tuple(one.label for one in plan.conflicts),
        dry_run=True,
        left_out=plan.chosen.left_out,
        defined=tuple(plan.defined),
        objects=sum(one.kind is not ObjectKind.DATABASE for one in plan.chosen.objects),
    )


def _replaced(ways: ReplacementPlan) -> Iterator[Replaced]:
    for name in sorted(ways.beside):
        yield Replaced(".".join(name), is_exchanged=True)
    for name, reason in sorted(ways.dropped.items()):
        yield Replaced(".".join(name), is_exchanged=False, reason=reason)


def _plan(
    repository: Repository,
    snapshot: Snapshot,
    target: Target,
    verifying: Callable[[], Source],
    request: RestoreRequest,
    monitor: Monitor,
) -> Plan:
    """All that can be known beforehand; changes nothing. Raises UsageError, RestoreError."""
    chosen = select(
        repository.manifest(snapshot),
        request.databases,
        request.tables,
        Renaming.parse(request.rename),
        monitor,
        request.users,
    )
    if request.makes_room and target.keeps_changes and not request.dry_run:
        heal(target, chosen, monitor)
    chosen, defined = with_definers(chosen, request.definer, target)
    chosen = with_free_names(target, with_called(target, chosen), monitor)
    warn_of_losses(snapshot, chosen, monitor)
    check_vendor(snapshot, chosen, target)
    _check(repository, chosen, target)
    warn_of_case(snapshot, chosen, target, monitor)
    kept: frozenset[TableName] = frozenset()
    if request.resume:
        kept = complete_tables(repository, chosen, target, verifying, request.workers, monitor)
    conflicts = find_conflicts(target, chosen, kept)
    if not request.makes_room:
        refuse(conflicts)
    elif request.consent is not None and not request.dry_run and (conflicts or request.users):
        request.consent(conflicts)
    check_rights(chosen, conflicts, target)
    check_obstacles(chosen, target)
    check_definers(chosen, defined)
    references = References(chosen, conflicts, target)
    references.check()
    accounts = None
    if request.users:
        accounts = AccountRestore(chosen.accounts, chosen.reach, target.accounts(), monitor)
        accounts.check(request.makes_room)
    ways = Decision(target, chosen, conflicts).ways(request.drop_first, references.keys)
    return Plan(chosen, kept, conflicts, ways, references, accounts, defined)


def warn_of_losses(snapshot: Snapshot, chosen: RestoreSelection, monitor: Monitor) -> None:
    """Names what a repair found lost of what is restored."""
    for loss in snapshot.losses:
        monitor.warning(loss)
    for record in chosen.tables:
        for note in record.notes:
            monitor.warning(f"{record.definition.label}: {note}")


def _check(repository: Repository, chosen: RestoreSelection, target: Target) -> None:
    """What can be known beforehand; changes nothing. Raises UsageError, RestoreError."""
    check_names(chosen, target)
    check_values(repository, chosen.tables, target)
