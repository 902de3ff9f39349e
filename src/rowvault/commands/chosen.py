"""How a command gets the snapshot that a person named, and says which one it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rowvault.commands.incomplete import incomplete_note
from rowvault.core.model import ServerInfo
from rowvault.repository import FoundSnapshot, Name, Repository, SnapshotRequest


def _untold(found: FoundSnapshot) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class SnapshotChoice:
    """A snapshot as it was named, and who is told which one that is."""

    request: SnapshotRequest
    tell: Callable[[FoundSnapshot], None] = _untold
    """Called before anything is done with it."""

    def of(
        self,
        repository: Repository,
        wanted: tuple[Name, ...] | None = None,
        live: ServerInfo | None = None,
    ) -> FoundSnapshot:
        """The snapshot, told of; see SnapshotRequest for `live`.

        `wanted`: the part that is going to be read, empty: all; None: nothing is.
        Raises SnapshotNotFoundError, AmbiguousSnapshotError, UsageError, DamageError.
        """
        request = replace(self.request, wanted=wanted or (), live=live)
        return self._told(repository.resolve(request), wanted)

    def forgotten(self, repository: Repository) -> FoundSnapshot:
        """The same out of the forgotten ones."""
        return self._told(repository.trash.resolve(self.request), None)

    def _told(self, found: FoundSnapshot, wanted: tuple[Name, ...] | None) -> FoundSnapshot:
        note = incomplete_note(found, wanted)
        if note:
            found = replace(found, notes=(*found.notes, note))
        self.tell(found)
        return found


def wanted_names(
    databases: tuple[str, ...], tables: tuple[tuple[str, str], ...]
) -> tuple[Name, ...]:
    """What `-d` and `-t` ask for."""
    return (*((database, None) for database in databases), *tables)


def wanted_part(database: str | None, table: str | None) -> tuple[Name, ...]:
    """What `DB[.TABLE]` asks for."""
    return () if database is None else ((database, table),)
