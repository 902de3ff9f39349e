"""A session's object while its process is at work: created, kept alive, committed or withdrawn.

Whoever may end sessions judges by heartbeats that it observes itself, see `session_watch`. If
somebody has ended this one, the next swap fails, and with it the commit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from rowvault.core.errors import (
    ObjectChangedError,
    ObjectMissingError,
    RepositoryError,
    StorageError,
)
from rowvault.core.ids import SessionId, SnapshotId
from rowvault.repository import names
from rowvault.repository.crypto.secrets import new_session_id
from rowvault.repository.records.session_object import SessionDocument
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

HEARTBEAT_S = 30.0
"""Seconds between two heartbeats."""


class LiveSession:
    """One session of this process. Used from any thread.

    | state | guarded by |
    |---|---|
    | `_document`, `_stored`, `_lost`, every swap | `_lock` |
    """

    def __init__(
        self,
        storage: Storage,
        snapshot_store: SnapshotStore,
        command: str,
        parent: SnapshotId | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        """Creates the object. Raises StorageError."""
        self.id: SessionId = new_session_id()
        self._storage = storage
        self._snapshot_store = snapshot_store
        self._heartbeat_s = heartbeat_s
        self._lock = threading.Lock()
        self._lost = False
        self._document = SessionDocument.active(self.id, command, parent)
        self._stored = snapshot_store.begin_session(self._document)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """Somebody else has ended this session; it can commit nothing."""
        return self._lost

    def beat(self) -> None:
        """One heartbeat; survives a disk that is full or away. Raises RepositoryError if lost."""
        try:
            self._swap(lambda document: document.beating())
        except StorageError as error:
            _log.info("session %s could not show that it is alive: %s", self.id, error)

    def acknowledge(self, generation: int) -> None:
        """States up to which generation of prunes the session knows what is condemned."""
        self._swap(lambda document: msgspec.structs.replace(document, generation=generation))

    def confirm(self) -> None:
        """Raises RepositoryError where somebody else has ended the session; StorageError."""
        with self._lock:
            try:
                if self._storage.read(names.session(self.id)) == self._stored:
                    return
            except ObjectMissingError:
                pass
            raise self._ended()

    def commit(self, snapshot: Snapshot, tags: tuple[str, ...]) -> SessionDocument:
        """The one step that makes a snapshot; the document to publish.

        Raises RepositoryError when somebody has ended the session, StorageError.
        """
        self._swap(lambda document: document.committed(snapshot, tags))
        self._stop()
        return self._document

    def withdraw(self) -> None:
        """Ends the session without a result; an object that cannot be removed stays."""
        self._stop()
        with self._lock:
            try:
                self._snapshot_store.drop_own_session(self._document, self._stored)
            except StorageError as error:  # the failure that led here matters more
                _log.info("session object %s stays: %s", self.id, error)

    def _swap(self, change: Callable[[SessionDocument], SessionDocument]) -> None:
        with self._lock:
            if self._lost:
                raise self._ended()
            document = change(self._document)
            data = self._snapshot_store.seal_session(document)
            try:
                self._storage.swap(names.session(self.id), self._stored, data)
            except (ObjectChangedError, ObjectMissingError) as error:
                raise self._ended() from error
            self._document, self._stored = document, data

    def _ended(self) -> RepositoryError:
        self._lost = True
        return RepositoryError(
            f"Session {self.id} was ended by somebody else, so there is no snapshot; what it "
            "stored serves the next run. A session is ended when its process showed no sign of "
            "life for minutes, as one does that was stopped, or whose machine slept."
        )

    def _stop(self) -> None:
        self._done.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _beat(self) -> None:
        while not self._done.wait(self._heartbeat_s):
            try:
                self.beat()
            except RepositoryError as error:
                _log.warning("%s", error)
                return
