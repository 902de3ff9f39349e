"""The one prune at work: its hold on the ledger, and what it may know and do about sessions."""

from __future__ import annotations

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
from rowvault.repository.prune_ledger import HOLDERS, PruneState, TypedPack
from rowvault.repository.prune_report import PruneRequest, describe
from rowvault.repository.session import SessionPlace
from rowvault.repository.session_object import SessionDocument, SessionState
from rowvault.repository.session_watch import SessionWatch

COMMAND = "prune"
"""What sessions of prunes state."""
POLL_S = 2.0
"""Seconds between two looks at the sessions that a prune waits for."""


class PruneLease:
    """Holds the ledger by its bytes: whoever changes it takes the lease away."""

    def __init__(self, place: SessionPlace, request: PruneRequest, monitor: Monitor) -> None:
        self._place = place
        self._ledger = place.prune_ledger
        self._request = request
        self._monitor = monitor
        self._stored: bytes | None = None
        self._watch = SessionWatch(self._ledger.read_sightings(), request.clock, request.lease_s)
        self._own: SessionId | None = None
        self.state = PruneState()

    def take(self, own: SessionId) -> None:
        """Makes this session the one that prunes. Raises LockedError where another was first."""
        self._own = own
        self.swap(msgspec.structs.replace(self.state, holder=own))

    def _read(self) -> None:
        """A damaged ledger begins anew: nothing that it condemned goes before it is again."""
        try:
            self.state, self._stored = self._ledger.read()
        except DamageError as error:
            self._monitor.warning(f"{error}; it begins anew")
            generation = max((one.generation for one, _ in self.sessions()), default=0) + 1
            self.state = PruneState(generation=generation)
            self._stored = self._place.storage.read(names.PRUNE_STATE)

    def refuse_if_held(self) -> None:
        """Raises LockedError while another prune is at work; with `wait`, waits for it.

        The ledger is read before the sessions are: a prune that takes it later makes our first
        swap fail. One whose session is over holds nothing: its own next swap will fail.
        """
        while True:
            self._read()
            holder = self._holder()
            if holder is None:
                return
            if self._request.wait:
                self._monitor.phase("waiting for another prune")
                self._request.pause(POLL_S)
                continue
            self._remember_sightings()
            raise LockedError(
                f"The repository at {self._place.storage.location} is being pruned: "
                f"{describe(holder)}. Try again when that has ended, or say --wait; "
                "`rowvault sessions` shows who is at work."
            )

    def _holder(self) -> SessionDocument | None:
        for document, data in self.sessions():
            if document.command not in HOLDERS or document.state is not SessionState.ACTIVE:
                continue
            if not self._watch.judge(document).is_over:
                return document
            if not self._request.dry_run and not self._place.catalogue.withdraw(document, data):
                return document
        return None

    def _remember_sightings(self) -> None:
        """Leaves to later prunes on this machine since when sessions have been as they are."""
        if self._request.dry_run:
            return
        sessions = [document.id for document, _ in self.sessions() if document.id != self._own]
        try:
            self._ledger.write_sightings(self._watch.sightings(sessions))
        except StorageError as error:  # the next prune begins to watch anew
            self._monitor.item(f"sightings are not kept: {error}")

    def swap(self, state: PruneState) -> None:
        """Changes the ledger. Raises LockedError once somebody else has."""
        self._stored = self._ledger.swap(self._stored, state)
        self.state = state

    def still_ours(self) -> None:
        """Raises LockedError once somebody else has taken the ledger."""
        if self._stored is None or not self._ledger.is_stored(self._stored):
            raise LockedError("Another prune has taken over; this one stops, and nothing is lost.")

    def release(self) -> None:
        """Others may prune."""
        self._remember_sightings()
        try:
            self.swap(msgspec.structs.replace(self.state, holder=None))
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

    def sessions(self) -> list[tuple[SessionDocument, bytes]]:
        """(document, stored bytes) of all sessions, also those that are over."""
        return self._place.catalogue.sessions()

    def live_sessions(self) -> list[SessionDocument]:
        """Those of others that are at work; commits are completed, what is dead is ended."""
        catalogue = self._place.catalogue
        live = []
        for document, data in self.sessions():
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
        if catalogue.session_damage:
            raise next(iter(catalogue.session_damage.values()))
        return live

    def wait(self) -> list[SessionDocument]:
        """The sessions that may rely on condemned packs; with `wait`, until there is none."""
        self._monitor.phase("waiting for runs at work")
        while True:
            waiting = [
                one for one in self.live_sessions() if one.generation < self.state.generation
            ]
            if not waiting or not self._request.wait:
                return waiting
            self._monitor.item(describe(waiting[0]))
            self._request.pause(POLL_S)
