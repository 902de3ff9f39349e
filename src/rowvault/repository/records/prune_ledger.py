"""The ledger of prunes: who prunes, and which packs are condemned (docs/format.md, "Prune").

One object, `gc/prune`, changed by compare-and-swap alone, so that a prune which was thought dead
and comes back finds that it holds nothing any more. The packs stand in objects of their own,
`gc/round-<id>`, which mean something only while the ledger names them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

import msgspec

from rowvault.core.errors import (
    DamageError,
    LockedError,
    MissingError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName, SessionId
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.names import PackType
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

HOLDERS = ("prune", "repair")
"""Commands whose sessions hold the ledger, one at a time."""

KEPT_REMOVED = 4096
"""A process that stands still between two calls may be overtaken by so many removals."""

TypedPack = tuple[PackType, PackName]


class Sighting(msgspec.Struct, frozen=True):
    """When a machine first saw a session's object as it is, by the seconds since that boot."""

    session: SessionId
    beats: int
    machine: str
    boot: str
    seconds: float


class PruneState(msgspec.Struct, frozen=True):
    """What stands in `gc/prune`."""

    generation: int = 0
    """Grows with every round; sessions state which one they know."""
    holder: SessionId | None = None
    """The session that prunes."""
    rounds: tuple[str, ...] = ()
    """Ids of the rounds whose packs are condemned."""
    removed: tuple[SessionId, ...] = ()
    """Whose snapshots were removed for good: the last of them, at most KEPT_REMOVED."""

    def with_removed(self, sessions: Iterable[SessionId]) -> PruneState:
        """The same with these sessions behind the others."""
        removed = (*self.removed, *sessions)[-KEPT_REMOVED:]
        return msgspec.structs.replace(self, removed=removed)


class Sightings(msgspec.Struct, frozen=True):
    """What stands in `gc/sightings`; it may be lost at any time."""

    sightings: tuple[Sighting, ...] = ()


class PruneRound(msgspec.Struct, frozen=True):
    """What stands in `gc/round-<id>`: condemned packs, in ascending order of their names."""

    data: tuple[PackName, ...] = ()
    tree: tuple[PackName, ...] = ()

    @classmethod
    def of(cls, packs: set[TypedPack]) -> PruneRound:
        """The round of these packs."""
        return cls(
            data=tuple(sorted(name for kind, name in packs if kind is PackType.DATA)),
            tree=tuple(sorted(name for kind, name in packs if kind is PackType.TREE)),
        )

    def packs(self) -> set[TypedPack]:
        """The packs with their types."""
        return {(PackType.DATA, name) for name in self.data} | {
            (PackType.TREE, name) for name in self.tree
        }


class PruneLedger:
    """Reads and writes the ledger and its rounds."""

    def __init__(self, storage: Storage, sealer: Sealer) -> None:
        self._storage = storage
        self._sealer = sealer

    def condemned(self) -> tuple[int, frozenset[PackName]]:
        """(generation, packs) as a writer needs them.

        A damaged ledger condemns nothing, for no prune goes on from one. Raises StorageError.
        """
        while True:
            try:
                state, stored = self.read()
                rounds = [self.read_round(one) for one in state.rounds]
            except (DamageError, UnsupportedFormatError) as error:
                _log.warning("%s", error)
                return 0, frozenset()
            except ObjectMissingError:
                if self.read()[1] != stored:
                    continue  # the round was finished since the ledger was read
                _log.warning("a round of prune that the ledger names is missing")
                return 0, frozenset()
            return state.generation, frozenset(
                name for one in rounds for name in (*one.data, *one.tree)
            )

    def read(self) -> tuple[PruneState, bytes | None]:
        """The state and its bytes; None where nobody has pruned yet. Raises DamageError."""
        try:
            data = self._storage.read(names.PRUNE_STATE)
        except ObjectMissingError:
            return PruneState(), None
        return self._sealer.open(
            DocumentType.PRUNE_STATE, names.PRUNE_STATE, data, PruneState
        ), data

    def read_round(self, round_id: str) -> PruneRound:
        """Raises ObjectMissingError, DamageError."""
        name = names.prune_round(round_id)
        data = self._storage.read(name)
        return self._sealer.open(DocumentType.PRUNE_ROUND, name, data, PruneRound)

    def create_round(self, packs: set[TypedPack]) -> str:
        """Stores a round, which means nothing until the ledger names it; its id."""
        round_id = os.urandom(8).hex()
        name = names.prune_round(round_id)
        data = self._sealer.seal(DocumentType.PRUNE_ROUND, name, PruneRound.of(packs))
        self._storage.create(name, data)
        return round_id

    def delete_round(self, round_id: str) -> None:
        """Removes a round that the ledger does not name any more."""
        self._storage.delete(names.prune_round(round_id))

    def stray_rounds(self, state: PruneState) -> list[str]:
        """Ids of stored rounds that the ledger does not name."""
        prefix = names.prune_round("")
        found = (name.removeprefix(prefix) for name in self._storage.list("gc/")
                 if name.startswith(prefix))  # fmt: skip
        return [one for one in found if one not in state.rounds]

    def swap(self, stored: bytes | None, state: PruneState) -> bytes:
        """Replaces the ledger; its new bytes. Raises LockedError where another one changed it."""
        data = self._sealer.seal(DocumentType.PRUNE_STATE, names.PRUNE_STATE, state)
        try:
            if stored is None:
                self._storage.create(names.PRUNE_STATE, data)
            else:
                self._storage.swap(names.PRUNE_STATE, stored, data)
        except (ObjectChangedError, ObjectExistsError, ObjectMissingError) as error:
            raise LockedError(
                f"Another prune has taken over the repository at {self._storage.location}; this "
                "one stops, and nothing is lost by that."
            ) from error
        return data

    def has_removed(self, session: SessionId) -> bool:
        """Whether a prune has removed, or is about to remove, what this session committed."""
        try:
            return session in self.read()[0].removed
        except (DamageError, UnsupportedFormatError) as error:
            _log.warning("%s", error)
            return False

    def is_stored(self, stored: bytes) -> bool:
        """Whether the ledger is as this prune wrote it."""
        try:
            return self._storage.read(names.PRUNE_STATE) == stored
        except ObjectMissingError:
            return False

    def read_sightings(self) -> tuple[Sighting, ...]:
        """What earlier prunes have seen of sessions; nothing where that cannot be read."""
        name = names.SIGHTINGS
        try:
            data = self._storage.read(name)
            return self._sealer.open(DocumentType.SIGHTINGS, name, data, Sightings).sightings
        except (ObjectMissingError, DamageError, UnsupportedFormatError):
            return ()

    def write_sightings(self, sightings: tuple[Sighting, ...]) -> None:
        """Leaves what was seen to later prunes. Raises StorageError."""
        if sightings == self.read_sightings():
            return
        name = names.SIGHTINGS
        data = self._sealer.seal(DocumentType.SIGHTINGS, name, Sightings(sightings))
        self._storage.delete(name)
        try:
            self._storage.create(name, data)
        except ObjectExistsError:
            pass  # another prune looks at the same time; its sightings serve as well

    def damage(self) -> dict[str, DamageError | UnsupportedFormatError]:
        """What cannot be read of the ledger and its rounds, by object name."""
        found: dict[str, DamageError | UnsupportedFormatError] = {}
        try:
            rounds = self.read()[0].rounds
        except (DamageError, UnsupportedFormatError) as error:
            return {names.PRUNE_STATE: error}
        for round_id in rounds:
            name = names.prune_round(round_id)
            try:
                self.read_round(round_id)
            except ObjectMissingError:
                if round_id in self.read()[0].rounds:  # else it was finished meanwhile
                    found[name] = MissingError(f"{name} is not there")
            except (DamageError, UnsupportedFormatError) as error:
                found[name] = error
        return found
