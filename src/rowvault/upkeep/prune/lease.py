"""The one prune or repair at work: its hold on the ledger, and what it may do about sessions."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rowvault.core.errors import (
    DamageError,
    LockedError,
    ObjectMissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName, SessionId
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.records.prune_ledger import HOLDERS, PruneState, TypedPack
from rowvault.repository.records.session_object import SessionDocument, SessionState
from rowvault.repository.records.session_watch import SessionWatch
from rowvault.repository.session import RepositoryInternals
from rowvault.upkeep.prune.report import PruneRequest, describe

POLL_S = 2.0
"""Seconds between two looks at the sessions that a prune waits for."""


class UpkeepLease:
    """Holds the ledger by its bytes: whoever changes it takes the lease away. One run uses it."""

    def __init__(
        self, internals: RepositoryInternals, request: PruneRequest, monitor: Monitor
    ) -> None:
        self._internals = internals
        self._location = internals.storage.location
        self._ledger = internals.prune_ledger
        self._request = request
        self._monitor = monitor
        self._stored: bytes | None = None
        self._watch = SessionWatch(self._ledger.read_sightings(), request.clock, request.lease_s)
        self._own: SessionId | None = None
        self._round: str | None = None
        """Of packs that nobody may rely on while this run lasts."""
        self.state = PruneState()
        self.replaced: list[str] = []
        """What was damaged of the ledger; nothing that it condemned goes before it is again."""

    def refuse_if_held(self) -> None:
        """Raises LockedError while another one is at work; with `wait`, waits for it.

        The ledger is read before the sessions are: who takes it later makes our first swap fail.
        One whose session is over holds nothing: its own next swap will fail.
        """
        while True:
            self._read()
            holder = self._holder()
            if holder is None:
                return
            if self._request.wait:
                self._monitor.phase("waiting for another prune or repair")
                self._request.pause(POLL_S)
                continue
            self._remember_sightings()
            raise LockedError(
                f"The repository at {self._location} is in use: {describe(holder)}. "
                "Prunes and repairs work one at a time: try again when that has ended, or say "
                "--wait; `rowvault sessions` shows who is at work."
            )

    def refuse_if_busy(self) -> None:
        """Raises LockedError while any other run is at work."""
        self._read()
        live = self._live()
        if live:
            self._remember_sightings()
            raise LockedError(
                f"The repository at {self._location} is in use: {describe(live[0])}. "
                "A repair works alone: try again when that has ended; `rowvault sessions` shows "
                "who is at work."
            )

    def take(self, own: SessionId) -> None:
        """Makes this session the holder. Raises LockedError where another was first."""
        self._own = own
        self.swap(msgspec.structs.replace(self.state, holder=own))
        self.delete_strays()

    def condemn(self, packs: set[TypedPack]) -> None:
        """Runs that begin from now on, until the release, rely on none of these packs.

        Raises LockedError where one has begun before and may.
        """
        self._round = self._ledger.create_round(packs)
        self.swap(
            msgspec.structs.replace(
                self.state,
                rounds=(*self.state.rounds, self._round),
                generation=self.state.generation + 1,
            )
        )
        early = self._early(self._live())
        if early:
            raise LockedError(
                f"A run has begun meanwhile: {describe(early[0])}. The repair stops, and nothing "
                "is lost by that; try again when that run has ended."
            )

    def swap(self, state: PruneState) -> None:
        """Changes the ledger. Raises LockedError once somebody else has."""
        self._stored = self._ledger.swap(self._stored, state)
        self.state = state

    def delete_strays(self) -> None:
        """Removes rounds that the ledger, which is ours, does not name."""
        for stray in self._ledger.stray_rounds(self.state):
            self._ledger.delete_round(stray)

    def still_ours(self) -> None:
        """Raises LockedError once somebody else has taken the ledger."""
        if self._stored is None or not self._ledger.is_stored(self._stored):
            raise LockedError(
                "Another prune or repair has taken over; this run stops, and nothing is lost."
            )

    def release(self) -> None:
        """Others may take it; what prunes have condemned, and is there, stays condemned."""
        self._remember_sightings()
        try:
            rounds = tuple(one for one in self.state.rounds if self._is_needed(one))
            self.swap(msgspec.structs.replace(self.state, holder=None, rounds=rounds))
            self.delete_strays()
        except (LockedError, StorageError) as error:
            self._monitor.warning(str(error))

    def condemned_packs(self) -> set[TypedPack]:
        """Of all rounds; one that cannot be read condemns nothing."""
        found: set[TypedPack] = set()
        for round_id in self.state.rounds:
            try:
                found |= self._ledger.read_round(round_id).packs()
            except (ObjectMissingError, DamageError, UnsupportedFormatError) as error:
                self._monitor.warning(f"a round of an earlier prune is lost: {error}")
        return found

    def condemned(self) -> set[PackName]:
        """Their names."""
        return {name for _, name in self.condemned_packs()}

    def live_sessions(self) -> list[SessionDocument]:
        """Those of others that are at work; commits are completed, what is dead is ended.

        Raises the damage of a session's object, which may be at work.
        """
        live = self._live()
        damage = self._internals.snapshot_store.session_damage
        if damage:
            raise next(iter(damage.values()))
        return live

    def seem_live(self) -> list[SessionDocument]:
        """Those at work as far as is known, for a dry run: nothing is ended or completed."""
        sessions = (one for one, _ in self._internals.snapshot_store.sessions())
        active = (one for one in sessions if one.state is SessionState.ACTIVE)
        return [one for one in active if not self._watch.judge(one).is_over]

    def would_wait(self, live: Iterable[SessionDocument], *, anew: bool) -> list[SessionDocument]:
        """Of these sessions those that a prune would wait for; `anew`: after a new round."""
        return list(live) if anew else self._early(live)

    def wait(self) -> list[SessionDocument]:
        """The sessions that may rely on condemned packs; with `wait`, until there is none."""
        self._monitor.phase("waiting for runs at work")
        while True:
            waiting = self._early(self.live_sessions())
            if not waiting or not self._request.wait:
                return waiting
            self._monitor.item(describe(waiting[0]))
            self._request.pause(POLL_S)

    def _early(self, live: Iterable[SessionDocument]) -> list[SessionDocument]:
        """Those that began before the newest round, and may rely on what it condemned."""
        return [one for one in live if one.generation < self.state.generation]

    def _read(self) -> None:
        while True:
            self.replaced = []
            self._read_once()
            if not self.replaced or self._stored is None or self._ledger.is_stored(self._stored):
                return  # else a round was finished since the ledger was read

    def _read_once(self) -> None:
        try:
            self.state, self._stored = self._ledger.read()
        except DamageError as error:
            self.replaced.append(str(error))
            sessions = self._internals.snapshot_store.sessions()
            generation = max((one.generation for one, _ in sessions), default=0) + 1
            self.state = PruneState(generation=generation)
            self._stored = self._internals.storage.read(names.PRUNE_STATE)
        sound = tuple(one for one in self.state.rounds if self._is_sound(one))
        self.state = msgspec.structs.replace(self.state, rounds=sound)

    def _is_sound(self, round_id: str) -> bool:
        try:
            self._ledger.read_round(round_id)
        except (DamageError, ObjectMissingError) as error:
            self.replaced.append(str(error))
            return False
        except UnsupportedFormatError:
            return True  # who made it goes on with it
        return True

    def _is_needed(self, round_id: str) -> bool:
        if round_id == self._round:
            return False
        try:
            packs = self._ledger.read_round(round_id).packs()
        except (DamageError, ObjectMissingError):
            return False
        except UnsupportedFormatError:
            return True
        return any(self._is_there(names.pack(*one)) for one in packs)

    def _is_there(self, object_name: str) -> bool:
        try:
            self._internals.storage.size(object_name)
        except ObjectMissingError:
            return False
        return True

    def _holder(self) -> SessionDocument | None:
        snapshot_store = self._internals.snapshot_store
        for document, data in snapshot_store.sessions():
            if document.command not in HOLDERS or document.state is not SessionState.ACTIVE:
                continue
            if not self._watch.judge(document).is_over:
                return document
            if not self._request.dry_run and not snapshot_store.withdraw(document, data):
                return document
        return None

    def _live(self) -> list[SessionDocument]:
        snapshot_store = self._internals.snapshot_store
        live = []
        for document, data in snapshot_store.sessions():
            if document.state is SessionState.COMMITTED:
                snapshot_store.publish(document)
            elif document.id == self._own:
                continue
            elif document.state is SessionState.ABORTED:
                self._internals.storage.delete(names.session(document.id))
            elif self._watch.judge(document).is_over and snapshot_store.withdraw(document, data):
                self._monitor.warning(
                    f"ended a session without a sign of life: {describe(document)}"
                )
            else:
                live.append(document)
        return live

    def _remember_sightings(self) -> None:
        """Leaves to later runs on this machine since when sessions have been as they are."""
        if self._request.dry_run:
            return
        sessions = [
            one.id for one, _ in self._internals.snapshot_store.sessions() if one.id != self._own
        ]
        try:
            self._ledger.write_sightings(self._watch.sightings(sessions))
        except StorageError as error:  # the next one begins to watch anew
            self._monitor.item(f"sightings are not kept: {error}")
