"""Carries the plan of a restore out: reads, exchanges, makes, proves, in this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor, SilentMonitor
from rowvault.repository import Repository, Snapshot, TableRecord
from rowvault.restore.accounts.accounts import AccountRestore
from rowvault.restore.accounts.lost_rights import give_back
from rowvault.restore.load.build import Builder
from rowvault.restore.load.load import read_tables
from rowvault.restore.load.replaced_objects import ReplacedObjects
from rowvault.restore.plan.conflicts import RELATIONS, slot
from rowvault.restore.plan.references import References
from rowvault.restore.plan.replacement import ReplacementPlan
from rowvault.restore.plan.shadow_tables import ShadowTables, clear_leftovers, rehearse
from rowvault.restore.progress import RestoreProgress
from rowvault.restore.selection.definers import Defined
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.proof import (
    prove,
    prove_accounts,
    prove_events,
    prove_rows,
    raise_differences,
)
from rowvault.restore.verify.prover import Prover
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import ExistingObject, Locking, Source, Target


@dataclass(frozen=True, slots=True)
class Orders:
    """How a plan is carried out."""

    makes_room: bool
    """What is in the way is replaced."""
    verify: bool
    workers: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, found possible."""

    chosen: RestoreSelection
    kept: frozenset[TableName]
    """Tables that stand already."""
    conflicts: Sequence[ExistingObject]
    ways: ReplacementPlan
    references: References
    accounts: AccountRestore | None
    defined: Sequence[Defined] = ()


class Run:
    """One restore; `progress` knows how far it came."""

    def __init__(
        self,
        repository: Repository,
        snapshot: Snapshot,
        target: Target,
        orders: Orders,
        plan: Plan,
        progress: RestoreProgress,
        monitor: Monitor,
        verifying: Callable[[], Source],
        open_source: Callable[[Monitor, Locking], Source],
    ) -> None:
        self._verifying = verifying
        self._repository = repository
        self._snapshot = snapshot
        self._target = target
        self._orders = orders
        self._plan = plan
        self._progress = progress
        self._monitor = monitor
        self._open_source = open_source
        self._former: ReplacedObjects | None = None
        self._beside: ShadowTables | None = None
        self._provers: list[Prover] = []
        self._failures: list[str] = []
        self.left_out: list[str] = []
        self.objects = 0
        """Views, programs and sequences that stand, events among them."""

    def all(self) -> None:
        """Replaces and makes everything, proves it; then events, which may change it.

        Raises RestoreError, DamageError; VerificationError when all that can be made is made.
        """
        plan, target, monitor = self._plan, self._target, self._monitor
        rights = target.rights_on(plan.conflicts)
        self._former = former = self._find_former()
        builder = self._prepare(former)
        self._load_beside(builder)
        # What a missing right or password ends must end it here, before anything else is changed.
        self._make_accounts()
        self._exchange()
        self._make_room(former)
        prover = self._prover()
        built = builder.build(
            self._repository,
            self._orders.workers,
            self._completed(prover),
            self._beside.add_late_references if self._beside else _nothing,
            plan.accounts.grant_rights_early if plan.accounts else _nothing,
        )
        plan.references.warn(monitor)
        give_back(rights, plan.accounts.remade if plan.accounts else (), target, monitor)
        self._grant()
        if self._orders.verify:
            self._failures += prove(
                self._repository, self._snapshot, built, self._verifying,
                self._orders.workers, monitor, prover, plan.ways.beside,
            )  # fmt: skip
        events = builder.build_events()
        if self._orders.verify:
            self._failures += prove_events(self._snapshot, events, target, monitor)
        self.left_out = [*target.left_out, *builder.left_out]
        self.objects = len(events) + sum(
            one.kind is not ObjectKind.DATABASE for one in built.objects
        )
        raise_differences(self._failures)
        target.close()

    def end_early(self) -> list[str]:
        """After a failure: takes back what can be, and says what stands."""
        for prover in self._provers:
            prover.stop()
        keeps = self._target.keeps_changes
        lost = self._former.give_back_all() if self._former and keeps else []
        self._target.abort()
        notes = []
        if self._beside is not None:
            notes += [self._beside.fate(), self._beside.clear()]
        notes.append(self._progress.note() if keeps else "")
        if lost:
            notes.append(f"Gone, and to be made anew: {', '.join(lost)}.")
        return [note for note in notes if note]

    def _find_former(self) -> ReplacedObjects:
        """Views and programs are replaced one by one; sequences with the tables, where they can."""
        exchanged = {one.label for one in self._plan.chosen.objects if self._is_exchanged(one)}
        wanted = {
            slot(self._target, one.kind, one.database, one.name)
            for one in self._plan.chosen.objects
            if one.label not in exchanged
        }
        conflicts = [
            one
            for one in self._plan.conflicts
            if self._target.keeps_changes
            and slot(self._target, one.kind, one.database, one.name) in wanted
        ]
        can_move = self._plan.ways.can_move
        return ReplacedObjects(conflicts, self._target, self._progress, can_move=can_move)

    def _is_exchanged(self, definition: ObjectDefinition) -> bool:
        if definition.kind is not ObjectKind.SEQUENCE or not self._plan.ways.exchanges:
            return False
        place = slot(self._target, definition.kind, definition.database, definition.name)
        return any(
            slot(self._target, found.kind, found.database, found.name) == place
            for found in self._plan.conflicts
        )

    def _prepare(self, former: ReplacedObjects) -> Builder:
        """Reads what replaces tables that are dropped, and makes databases."""
        plan, target, monitor = self._plan, self._target, self._monitor
        dropped = [one for one in plan.chosen.tables if _name(one) in plan.ways.dropped]
        chosen = plan.chosen
        if target.keeps_changes:
            if dropped:
                monitor.phase(
                    "reading what is to be replaced",
                    sum(record.root.sums.rows for record in dropped),
                )
                read_tables(self._repository, dropped, self._orders.workers, monitor)
            sequences = [one for one in chosen.objects if self._is_exchanged(one)]
            if plan.ways.beside or sequences:
                self._beside = ShadowTables(
                    chosen, plan.ways.beside, self._late(), sequences, plan.conflicts, target
                )
            if self._orders.makes_room:
                clear_leftovers(target, chosen)
            objects = tuple(one for one in chosen.objects if one not in sequences)
            chosen = replace(chosen, objects=objects)
        else:
            self._drop(plan.conflicts)
        kept = plan.kept | plan.ways.beside
        builder = Builder(chosen, kept, target, self._progress, former, monitor)
        builder.make_databases()
        if target.keeps_changes:
            rehearse(target, dropped)
        return builder

    def _late(self) -> frozenset[TableName]:
        """The chosen tables that are made behind the exchange."""
        names = {_name(record) for record in self._plan.chosen.tables}
        return frozenset(names - self._plan.ways.beside - self._plan.kept)

    def _load_beside(self, builder: Builder) -> None:
        """Loads tables beside those that they replace, and proves their rows."""
        beside = self._beside
        if beside is None:
            return
        prover = self._prover()
        builder.load_beside(beside, self._repository, self._orders.workers, self._completed(prover))
        if self._orders.verify and beside.records:
            prove_rows(
                self._repository, beside.records, self._verifying, self._orders.workers,
                self._monitor, prover,
            )  # fmt: skip

    def _exchange(self) -> None:
        if self._beside is not None:
            self._monitor.phase("exchanging tables")
            self._progress.exchanged(self._beside.exchange())
            self._beside.settle()

    def _make_accounts(self) -> None:
        if self._plan.accounts is not None:
            self._monitor.phase("creating users")
            self._plan.accounts.make(self._progress)

    def _make_room(self, former: ReplacedObjects) -> None:
        """Drops what cannot be exchanged; nothing that replaces it is unread."""
        if self._target.keeps_changes:
            former.quiet()
            places = {
                slot(self._target, ObjectKind.TABLE, *name) for name in self._plan.ways.dropped
            }
            self._drop(
                [
                    one
                    for one in self._plan.conflicts
                    if one.kind in RELATIONS
                    and slot(self._target, one.kind, one.database, one.name) in places
                ]
            )

    def _drop(self, found: Sequence[ExistingObject]) -> None:
        for one in found:
            self._target.drop(one)
            self._progress.dropped(one)

    def _grant(self) -> None:
        accounts = self._plan.accounts
        if accounts is None:
            return
        self._monitor.phase("granting")
        accounts.grant(self._progress)
        differences = accounts.differences()
        if self._orders.verify:
            self._failures += prove_accounts(
                self._snapshot, differences, self._target, self._monitor
            )

    def _prover(self) -> Prover:
        unlocked = partial(self._open_source, SilentMonitor(), Locking(allowed=False))
        self._provers.append(Prover(self._repository, unlocked))
        return self._provers[-1]

    def _completed(self, prover: Prover) -> Callable[[TableRecord], None]:
        """Tables of a target that takes everything back are proven at the end."""
        proves_early = self._orders.verify and self._target.keeps_changes
        return prover.add if proves_early else _ignored


def _ignored(record: TableRecord) -> None:
    """Nobody proves tables before the end."""


def _nothing() -> None:
    """No table was exchanged, or no user is restored."""


def _name(record: TableRecord) -> TableName:
    return record.definition.database, record.definition.name
