"""To which source each snapshot belongs.

A name that was given (`backup --source`) is the source, whatever server answers. A default name
belongs to the server that had it first, and to those that a given name brought in: another server
under it is a source of its own, `NAME#<8 digits of its identity>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rowvault.core.errors import UsageError
from rowvault.core.ids import SnapshotId
from rowvault.core.model import ServerInfo
from rowvault.core.source_name import (
    is_local,
    lacks_hostname,
    name_of_server,
    with_identity,
)
from rowvault.repository.records.snapshot import Snapshot, SourceName


@dataclass(frozen=True, slots=True)
class SourceDecision:
    """Under which source the next snapshot of a server is kept, and what must be told of it."""

    source: SourceName
    notices: tuple[str, ...] = ()


class Sources:
    """The sources of a repository's snapshots."""

    def __init__(self, snapshots: Iterable[Snapshot], live: ServerInfo | None = None) -> None:
        """`live`: a server that is being asked, which may tell the hostname of older snapshots."""
        ordered = sorted(snapshots, key=lambda snapshot: (snapshot.time, snapshot.id))
        self._hosts: dict[str, str] = {}
        """Identity -> default name, where a snapshot or the live server states it."""
        for server in [one.server for one in ordered] + ([] if live is None else [live]):
            if server.name and is_local(server):
                self._hosts.setdefault(server.server_id, server.name)
        self._identities: dict[str, list[str]] = {}
        self._names: dict[SnapshotId, str] = {}
        for snapshot in ordered:
            self._names[snapshot.id] = self._place(snapshot)

    @property
    def names(self) -> list[str]:
        """The names of all sources, that with the oldest snapshot first."""
        return list(dict.fromkeys(self._names.values()))

    def name_of(self, snapshot: Snapshot) -> str:
        """The source of one of the snapshots."""
        return self._names[snapshot.id]

    def require(self, name: str | None) -> None:
        """Raises UsageError for a name that no source has."""
        if name is not None and name not in self.names:
            known = ", ".join(self.names) or "none yet"
            raise UsageError(f"No snapshot is of the source {name!r}. Sources: {known}.")

    def known_as(self, server: ServerInfo) -> list[str]:
        """The sources that this server is, by identity; by name where no identity is known."""
        found = [name for name in self.names if server.server_id in self._identities[name]]
        own = self._default_name(server)
        return found or [name for name in self.names if name == own]

    def target_names(self, server: ServerInfo) -> list[str]:
        """What a server that is about to be written may be called, the best name first."""
        return list(dict.fromkeys([*self.known_as(server), self._default_name(server)]))

    def decide(self, server: ServerInfo, given: str | None) -> SourceDecision:
        """The source of the next snapshot of this server."""
        if given is not None:
            known = self._identities.get(given)
            notices: tuple[str, ...] = ()
            if known and server.server_id not in known:
                notices = (
                    f"source {given} was the server {known[-1]} so far, and is "
                    f"{server.server_id} now: recorded, and its snapshots go on as one series.",
                )
            return SourceDecision(SourceName(given, is_given=True), notices)
        name = self._default_name(server)
        own = self._owned(name, server.server_id)
        if own == name:
            return SourceDecision(SourceName(name))
        notice = (
            f"{name} was another server so far ({', '.join(self._identities[name])}; this one is "
            f"{server.server_id}): the snapshot is kept as one of the source {own}. If it is the "
            f"same source, on a new server, say --source {name}; else give it a name of its own "
            "by --source NAME."
            if name in self._identities
            else f"the snapshot is kept as one of the source {own}; --source NAME names it better."
        )
        return SourceDecision(SourceName(own), (notice,))

    def _default_name(self, server: ServerInfo) -> str:
        name = name_of_server(server)
        return self._hosts.get(server.server_id, name) if lacks_hostname(server) else name

    def _place(self, snapshot: Snapshot) -> str:
        identity = snapshot.server.server_id
        stated = snapshot.source
        if stated is not None and stated.is_given:
            name = stated.name
        else:
            wanted = stated.name if stated is not None else self._default_name(snapshot.server)
            name = self._owned(wanted, identity)
        known = self._identities.setdefault(name, [])
        if identity not in known:
            known.append(identity)
        return name

    def _owned(self, name: str, identity: str) -> str:
        """The name itself where it is free or this server's, else one with the identity."""
        own = with_identity(name, identity)
        if own in self._identities and identity not in self._identities.get(name, ()):
            return own
        owners = self._identities.get(name)
        return name if not owners or identity in owners else own
