"""`tag add|remove`: names of snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.core.partly import partly
from rowvault.repository import Snapshot, check_tag


@dataclass(frozen=True, slots=True)
class TagOptions:
    """Which tags of which snapshot."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagResult:
    """The tags that the snapshot carries now, sorted."""

    snapshot: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedTag:
    """A tag, and a snapshot that carries it."""

    tag: str
    snapshot: Snapshot
    source: str


def list_tags(access: RepositoryAccess, source: str | None) -> list[ListedTag]:
    """All tags by name, each with its snapshots from the oldest on; `source`: of this one alone."""
    with access.open() as repository:
        sources = repository.sources()
        sources.require(source)
        return [
            ListedTag(tag, one, sources.name_of(one))
            for tag, snapshots in sorted(repository.tagged().items())
            for one in snapshots
            if source in (None, sources.name_of(one))
        ]


def add_tags(options: TagOptions) -> TagResult:
    """Gives a snapshot tags; those that it has stay. Raises SnapshotNotFoundError."""
    for tag in options.tags:
        check_tag(tag)
    with options.repository.open() as repository:
        snapshot = options.snapshot.of(repository).snapshot
        with partly("tags", lambda done: f"Given before that: {', '.join(done)}.") as done:
            for tag in options.tags:
                repository.add_tag(snapshot, tag)
                done.append(tag)
        return TagResult(snapshot.id, tuple(repository.tags(snapshot.id)))


def remove_tags(options: TagOptions) -> TagResult:
    """Takes tags from a snapshot; one that it does not have is no error."""
    with options.repository.open() as repository:
        snapshot = options.snapshot.of(repository).snapshot
        with partly("tags", lambda done: f"Taken away before that: {', '.join(done)}.") as done:
            for tag in options.tags:
                repository.remove_tag(snapshot, tag)
                done.append(tag)
        return TagResult(snapshot.id, tuple(repository.tags(snapshot.id)))
