"""`forget` and `undelete`: snapshots out of the lists, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from rowvault.commands.access import RepositoryAccess
from rowvault.core.errors import UsageError
from rowvault.core.monitor import Monitor
from rowvault.repository.prune_report import PruneReport, PruneRequest
from rowvault.repository.repository import Repository
from rowvault.repository.retention import (
    Candidate,
    Kept,
    Policy,
    SourceGroup,
    Verdict,
    group,
    judge,
)
from rowvault.repository.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ForgetOptions:
    """Which snapshots to drop: those named, or those that a policy does not keep."""

    repository: RepositoryAccess
    snapshots: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    allow_remove_all: bool = False
    """Also where nothing would be left of a source."""
    dry_run: bool = False
    prune: PruneRequest | None = None
    """Reclaim space afterwards."""


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


def forget(options: ForgetOptions, monitor: Monitor) -> ForgetResult:
    """Forgets snapshots; `undelete` brings them back until the next prune.

    Raises UsageError, also where nothing would be left of a source; SnapshotNotFoundError.
    """
    from rowvault.repository.prune import prune  # loads what only a prune needs

    with options.repository.open() as repository:
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
        if not options.dry_run:
            for snapshot in result.forgotten:
                repository.forget(snapshot)
        if options.prune is None or options.dry_run:
            return result
        return ForgetResult(result.groups, damage, prune(repository, options.prune, monitor))


def _judge(
    options: ForgetOptions, repository: Repository, candidates: list[Candidate]
) -> list[ForgetGroup]:
    groups = group(candidates)
    if not options.snapshots:
        now = datetime.now(UTC)
        return [ForgetGroup(one, judge(options.policy, one.candidates, now)) for one in groups]
    named = {repository.find(spec).id for spec in options.snapshots}
    found = []
    for one in groups:
        dropped = tuple(each for each in one.candidates if each.snapshot.id in named)
        kept = tuple(Kept(each, ()) for each in one.candidates if each.snapshot.id not in named)
        if dropped:
            found.append(ForgetGroup(one, Verdict(kept, dropped)))
    return found


def _refuse_to_empty(result: ForgetResult) -> None:
    for part in result.groups:
        if part.verdict.dropped and not part.verdict.kept:
            raise UsageError(
                f"No snapshot of {part.group.source} would be left; nothing was forgotten. If that "
                "is what you want, say --allow-remove-all."
            )


@dataclass(frozen=True, slots=True)
class UndeleteOptions:
    """Which forgotten snapshots to bring back."""

    repository: RepositoryAccess
    snapshots: tuple[str, ...]


def undelete(options: UndeleteOptions) -> list[Snapshot]:
    """Brings forgotten snapshots back. Raises SnapshotNotFoundError."""
    with options.repository.open() as repository:
        return [repository.trash.take_back(spec) for spec in options.snapshots]


@dataclass(frozen=True, slots=True)
class ForgottenEntry:
    """A snapshot in the trash."""

    snapshot: Snapshot
    forgotten: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrashResult:
    """What is in the trash."""

    entries: list[ForgottenEntry]
    damage: list[str]


def list_trash(access: RepositoryAccess) -> TrashResult:
    """All forgotten snapshots that a prune has not removed, oldest first."""
    with access.open() as repository:
        result = TrashResult([], [])
        for one in repository.trash.listings():
            if one.document is None:
                result.damage.append(str(one.damage))
            else:
                tags = tuple(repository.tags(one.id))
                entry = ForgottenEntry(one.document.snapshot, one.document.forgotten, tags)
                result.entries.append(entry)
        return result
