"""`forget` and `undelete`: snapshots out of the lists, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.core.errors import UsageError
from rowvault.core.instant import is_of_future
from rowvault.core.monitor import Monitor
from rowvault.core.partly import partly
from rowvault.repository import Repository, Snapshot, Sources
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from rowvault.upkeep.retention import (
    FUTURE,
    Candidate,
    Kept,
    Policy,
    SourceGroup,
    Verdict,
    group,
    judge,
)


@dataclass(frozen=True, slots=True)
class ForgetOptions:
    """Which snapshots to drop: those named, or those that a policy does not keep."""

    repository: RepositoryAccess
    snapshots: tuple[SnapshotChoice, ...] = ()
    policy: Policy = field(default_factory=Policy)
    allow_remove_all: bool = False
    """Also where nothing would be left of a source."""
    dry_run: bool = False
    prune: PruneRequest | None = None
    """Reclaim space afterwards."""
    source: str | None = None
    """A policy judges only the snapshots of this source."""


@dataclass(frozen=True, slots=True)
class ForgetGroup:
    """What happens to the snapshots of one source."""

    group: SourceGroup
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """What was forgotten, or in a dry run would be."""

    groups: tuple[ForgetGroup, ...]
    damage: tuple[str, ...]
    """Snapshots that cannot be read, which nobody judges."""
    pruned: PruneReport | None = None

    @property
    def forgotten(self) -> list[Snapshot]:
        """The snapshots that go."""
        return [one.snapshot for part in self.groups for one in part.verdict.dropped]


def forget(
    options: ForgetOptions,
    monitor: Monitor,
    told: Callable[[ForgetResult], None] = lambda _result: None,
) -> ForgetResult:
    """Forgets snapshots; `undelete` brings them back until the next prune.

    `told` gets the result before anything is pruned.
    Raises UsageError, also where nothing would be left of a source; SnapshotNotFoundError;
    DamageError where snapshots have vanished or come back.
    """
    from rowvault.upkeep.prune.engine import prune  # loads what only a prune needs

    with options.repository.open() as repository:
        found = repository.snapshot_set
        (found.examine() if options.dry_run else found.settle()).require_none()
        listings = repository.listings()
        damage = tuple(str(one.damage) for one in listings if one.damage is not None)
        candidates = [
            Candidate(one.snapshot, tuple(repository.tags(one.id)))
            for one in listings
            if one.snapshot is not None
        ]
        result = ForgetResult(tuple(_judge(options, repository, candidates)), damage)
        if not options.allow_remove_all:
            _refuse_to_empty(result)
        _warn_of_future(candidates, monitor)
        _warn_of_incomplete_rest(result, monitor)
        if not options.dry_run:
            _forget(repository, result.forgotten)
        told(result)
        if options.prune is None or options.dry_run:
            return result
        with partly("forgotten", _pruning_stopped) as done:
            done += [one.id for one in result.forgotten]
            pruned = prune(repository, options.prune, monitor)
        return ForgetResult(result.groups, damage, pruned)


def _forget(repository: Repository, snapshots: Sequence[Snapshot]) -> None:
    left = [one.id for one in snapshots]

    def stopped(done: Sequence[str]) -> str:
        return f"{_forgotten(done)}; not forgotten yet: {', '.join(left[len(done) :])}."

    with partly("forgotten", stopped) as done:
        for snapshot in snapshots:
            repository.forget(snapshot)
            done.append(snapshot.id)


def _forgotten(ids: Sequence[str]) -> str:
    return (
        f"Forgotten before that, and `rowvault undelete` brings them back until a prune: "
        f"{', '.join(ids)}"
    )


def _pruning_stopped(ids: Sequence[str]) -> str:
    return (
        f"{_forgotten(ids)}. Go on with `rowvault prune`: `forget` again would count anew, and "
        "could forget more."
    )


def _warn_of_future(candidates: Sequence[Candidate], monitor: Monitor) -> None:
    now = datetime.now(UTC)
    for one in candidates:
        if is_of_future(one.snapshot.time, now):
            monitor.warning(
                f"snapshot {one.snapshot.id} is of the future ({one.snapshot.time:%Y-%m-%d %H:%M} "
                "UTC): a clock was wrong, there or here. No rule counts it and it stays; "
                f"`rowvault forget {one.snapshot.id}` drops it."
            )


def _warn_of_incomplete_rest(result: ForgetResult, monitor: Monitor) -> None:
    """Of a source whose last whole snapshot goes while incomplete ones stay."""
    for part in result.groups:
        dropped = [one.snapshot for one in part.verdict.dropped]
        counted = [each for each in part.verdict.kept if each.reasons != (FUTURE,)]
        kept = [each.candidate.snapshot for each in counted]
        if all(one.lacks for one in dropped) or not kept or not all(one.lacks for one in kept):
            continue
        last = max((one for one in dropped if not one.lacks), key=lambda snapshot: snapshot.time)
        monitor.warning(
            f"the last whole snapshot of {part.group.source} goes, {last.id}: what stays is "
            f"incomplete ({', '.join(one.id for one in kept)}). "
            f"`rowvault undelete {last.id}` brings it back until a prune."
        )


def _judge(
    options: ForgetOptions, repository: Repository, candidates: list[Candidate]
) -> list[ForgetGroup]:
    sources = Sources(one.snapshot for one in candidates)
    sources.require(options.source)
    groups = group(candidates, sources)
    if not options.snapshots:
        groups = [one for one in groups if options.source in (None, one.source)]
        now = datetime.now(UTC)
        return [ForgetGroup(one, judge(options.policy, one.candidates, now)) for one in groups]
    named = {choice.of(repository).snapshot.id for choice in options.snapshots}
    found = []
    for one in groups:
        dropped = tuple(each for each in one.candidates if each.snapshot.id in named)
        kept = tuple(Kept(each, ()) for each in one.candidates if each.snapshot.id not in named)
        if dropped:
            found.append(ForgetGroup(one, Verdict(kept, dropped)))
    return found


def _refuse_to_empty(result: ForgetResult) -> None:
    for part in result.groups:
        # One of the future is not what somebody wants to go back to.
        if part.verdict.dropped and all(one.reasons == (FUTURE,) for one in part.verdict.kept):
            raise UsageError(
                f"No snapshot of {part.group.source} would be left; nothing was forgotten. If that "
                "is what you want, say --allow-remove-all."
            )


@dataclass(frozen=True, slots=True)
class UndeleteOptions:
    """Which forgotten snapshots to bring back."""

    repository: RepositoryAccess
    snapshots: tuple[SnapshotChoice, ...]


def undelete(options: UndeleteOptions) -> list[Snapshot]:
    """Brings forgotten snapshots back.

    Raises SnapshotNotFoundError, DamageError where snapshots have vanished or come back.
    """
    with options.repository.open() as repository:
        repository.snapshot_set.settle().require_none()
        trash = repository.trash
        # All are found before one comes back, for that changes what `latest~1` means.
        found = list(
            dict.fromkeys(choice.forgotten(repository).snapshot.id for choice in options.snapshots)
        )
        with partly("snapshots", lambda done: f"Back before that: {', '.join(done)}.") as done:
            brought = []
            for one in found:
                brought.append(trash.take_back(one))
                done.append(one)
        return brought


@dataclass(frozen=True, slots=True)
class ForgottenEntry:
    """A snapshot in the trash."""

    snapshot: Snapshot
    forgotten: datetime
    tags: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class TrashResult:
    """What is in the trash."""

    entries: list[ForgottenEntry]
    damage: list[str]


def list_trash(access: RepositoryAccess) -> TrashResult:
    """All forgotten snapshots that a prune has not removed, oldest first."""
    with access.open() as repository:
        result = TrashResult([], [])
        sources = repository.trash.sources()
        for one in repository.trash.listings():
            if one.document is None:
                result.damage.append(str(one.damage))
            else:
                tags = tuple(repository.tags(one.id))
                snapshot = one.document.snapshot
                entry = ForgottenEntry(
                    snapshot, one.document.forgotten, tags, sources.name_of(snapshot)
                )
                result.entries.append(entry)
        return result
