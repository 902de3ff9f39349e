"""The right to repair: no prune and no writer is at work, and none relies on damaged packs."""

from __future__ import annotations

import msgspec

from rowvault.core.errors import (
    DamageError,
    LockedError,
    ObjectMissingError,
)
from rowvault.core.ids import SessionId
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.prune_ledger import PruneRound, PruneState, TypedPack
from rowvault.repository.prune_report import describe
from rowvault.repository.session import SessionPlace
from rowvault.repository.session_object import SessionDocument, SessionState
from rowvault.repository.session_watch import SessionWatch

COMMAND = "repair"
"""What sessions of repairs state."""


class RepairLease:
    """Holds the ledger that prunes hold. One repair uses it."""

    def __init__(self, place: SessionPlace, monitor: Monitor) -> None:
        self._place = place
        self._ledger = place.prune_ledger
        self._monitor = monitor
        self._watch = SessionWatch(self._ledger.read_sightings())
        self._state = PruneState()
        self._stored: bytes | None = None
        self._own: SessionId | None = None
        self._round: str | None = None
        self.replaced: list[str] = []
        """What was damaged of the ledger and is made anew."""

    def refuse_if_busy(self) -> None:
        """Raises LockedError while another run is at work."""
        self._read()
        live = self._live()
        if live:
            sightings = self._watch.sightings(one.id for one in live)
            self._ledger.write_sightings(sightings)
            raise LockedError(
                f"The repository at {self._place.storage.location} is in use: {describe(live[0])}. "
                "A repair works alone: try again when that has ended; `rowvault sessions` shows "
                "who is at work."
            )

    def take(self, own: SessionId) -> None:
        """From now on no prune begins. Raises LockedError where one just did."""
        self._own = own
        self._swap(msgspec.structs.replace(self._state, holder=own))
        for round_id in set(self._ledger.stray_rounds(self._state)):
            self._ledger.delete_round(round_id)

    def condemn(self, packs: set[TypedPack]) -> None:
        """Runs that begin from now on rely on none of these packs.

        Raises LockedError where one has begun before and may.
        """
        self._round = self._ledger.create_round(packs)
        self._swap(
            msgspec.structs.replace(
                self._state,
                rounds=(*self._state.rounds, self._round),
                generation=self._state.generation + 1,
            )
        )
        early = [one for one in self._live() if one.generation < self._state.generation]
        if early:
            raise LockedError(
                f"A run has begun meanwhile: {describe(early[0])}. The repair stops, and nothing "
                "is lost by that; try again when that run has ended."
            )

    def still_ours(self) -> None:
        """Raises LockedError where a prune has taken over."""
        if self._stored is None or not self._ledger.is_stored(self._stored):
            raise LockedError("A prune has taken over; the repair stops, and nothing is lost.")

    def release(self) -> None:
        """Others may prune; what earlier prunes had condemned, and is there, stays condemned."""
        rounds = tuple(one for one in self._state.rounds if self._is_needed(one))
        self._swap(msgspec.structs.replace(self._state, holder=None, rounds=rounds))
        for stray in self._ledger.stray_rounds(self._state):
            self._ledger.delete_round(stray)

    def _is_needed(self, round_id: str) -> bool:
        if round_id == self._round:
            return False
        return any(self._is_there(names.pack(*one)) for one in self._read_round(round_id).packs())

    def _is_there(self, object_name: str) -> bool:
        try:
            self._place.storage.size(object_name)
        except ObjectMissingError:
            return False
        return True

    def _read(self) -> None:
        """A damaged ledger begins anew: nothing that it condemned goes before it is again."""
        try:
            self._state, self._stored = self._ledger.read()
        except DamageError as error:
            self.replaced.append(str(error))
            sessions = self._place.catalogue.sessions()
            generation = max((one.generation for one, _ in sessions), default=0) + 1
            self._state = PruneState(generation=generation)
            self._stored = self._place.storage.read(names.PRUNE_STATE)
        sound = tuple(one for one in self._state.rounds if self._is_sound(one))
        self._state = msgspec.structs.replace(self._state, rounds=sound)

    def _is_sound(self, round_id: str) -> bool:
        try:
            self._read_round(round_id)
        except (DamageError, ObjectMissingError) as error:
            self.replaced.append(str(error))
            return False
        return True

    def _read_round(self, round_id: str) -> PruneRound:
        return self._ledger.read_round(round_id)

    def _swap(self, state: PruneState) -> None:
        self._stored = self._ledger.swap(self._stored, state)
        self._state = state

    def _live(self) -> list[SessionDocument]:
        """Those of others that are at work; commits are completed, what is dead is ended."""
        catalogue = self._place.catalogue
        live = []
        for document, data in catalogue.sessions():
            if document.state is SessionState.COMMITTED:
                catalogue.publish(document)
            elif document.id == self._own:
                continue
            elif document.state is SessionState.ABORTED:
                self._place.storage.delete(names.session(document.id))
            elif self._watch.judge(document).is_over and catalogue.withdraw(document, data):
                self._monitor.warning(
                    f"ended a session without a sign of life: {describe(document)}"
                )
            else:
                live.append(document)
        return live
