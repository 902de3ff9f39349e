"""Sessions, snapshots and tags as objects of the storage: listed, published, withdrawn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from rowvault.core.errors import (
    DamageError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import SessionId, SnapshotId
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.crypto.secrets import Secrets
from rowvault.repository.records.ledger import Change, ChangeKind, Ledger
from rowvault.repository.records.prune_ledger import PruneLedger
from rowvault.repository.records.session_object import SessionDocument, SessionState, TagDocument
from rowvault.repository.records.session_watch import SessionWatch
from rowvault.repository.records.snapshot import ForgottenSnapshot, Snapshot, SnapshotListing
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)


Damage = dict[str, DamageError | UnsupportedFormatError]
"""What cannot be read, by object name."""


class SnapshotStore:
    """The small objects of one repository. Used from any thread.

    Whatever lists snapshots lists sessions first and completes what is committed there, so a
    commit is seen from the moment of its compare-and-swap.
    """

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        secrets: Secrets,
        ledger: Ledger,
        has_begun: Callable[[], object] = lambda: None,
    ) -> None:
        """`has_begun` is called once a session's object is there, and may refuse by an error."""
        self._has_begun = has_begun
        self.ledger = ledger
        self._storage = storage
        self._sealer = sealer
        self._secrets = secrets
        self._known: dict[str, SnapshotListing] = {}
        self.session_damage: Damage = {}
        """Session objects that the last listing could not read, by object name."""

    def snapshots(self) -> list[SnapshotListing]:
        """All snapshots, oldest first, the damaged ones too."""
        unpublished = self._complete_commits()
        known = self._published()
        for snapshot in unpublished:
            name = names.snapshot(snapshot.time, snapshot.id)
            known.setdefault(name, SnapshotListing(snapshot.id, snapshot.time, snapshot))
        return sorted(known.values(), key=lambda listing: (listing.time, listing.id))

    def published(self) -> list[SnapshotListing]:
        """Those that have an object of their own, the damaged ones too."""
        return list(self._published().values())

    def _published(self) -> dict[str, SnapshotListing]:
        known: dict[str, SnapshotListing] = {}
        for name in self._storage.list(names.SNAPSHOTS):
            listing = self._known.get(name) or self._read_listing(name)
            if listing is not None:
                known[name] = listing
        self._known = {name: one for name, one in known.items() if one.snapshot is not None}
        return known

    def is_listed(self, snapshot_id: SnapshotId) -> bool:
        """Whether a snapshot is published and not forgotten."""
        published = self._storage.list(names.SNAPSHOTS)
        return any(name.endswith(f"-{snapshot_id}") for name in published)

    def newest_name(self) -> tuple[datetime, SnapshotId] | None:
        """(time to the second, id) of the published snapshot with the latest time."""
        found = []
        for name in self._storage.list(names.SNAPSHOTS):
            try:
                found.append(names.split_snapshot(name))
            except DamageError:
                continue  # not a snapshot; listing them says so
        return max(found, default=None)

    def sessions(self) -> list[tuple[SessionDocument, bytes]]:
        """(document, stored bytes) of all session objects that can be read."""
        found = []
        damage: Damage = {}
        for name in self._storage.list(names.SESSIONS):
            try:
                data = self._storage.read(name)
                document = self._sealer.open(DocumentType.SESSION, name, data, SessionDocument)
                found.append((document, data))
            except ObjectMissingError:
                continue  # it ended since it was listed
            except (DamageError, UnsupportedFormatError) as error:
                _log.warning("%s", error)
                damage[name] = error
        self.session_damage = damage
        return found

    def begin_session(self, document: SessionDocument) -> bytes:
        """Stores an active session's object; its bytes. Raises what `has_begun` raises."""
        data = self.seal_session(document)
        self._storage.create(names.session(document.id), data)
        try:
            self._has_begun()
        except BaseException:
            self.drop_own_session(document, data)
            raise
        return data

    def seal_session(self, document: SessionDocument) -> bytes:
        """The bytes of a session object."""
        return self._sealer.seal(DocumentType.SESSION, names.session(document.id), document)

    def seal_snapshot(self, snapshot: Snapshot) -> bytes:
        """The bytes of a snapshot object; their number depends on the document alone."""
        name = names.snapshot(snapshot.time, snapshot.id)
        return self._sealer.seal(DocumentType.SNAPSHOT, name, snapshot)

    def seal_tag(self, snapshot: Snapshot, tag: str) -> bytes:
        """The bytes of a tag object; their number depends on snapshot and tag alone."""
        document = TagDocument(tag=tag, created=snapshot.time)
        return self._sealer.seal(DocumentType.TAG, self._tag_name(snapshot.id, tag), document)

    def publish(self, document: SessionDocument) -> None:
        """Makes a committed session's snapshot an object, and removes the session's; idempotent.

        Somebody else may publish the same at the same time, and a snapshot that was forgotten since
        must stay so: what this process made is taken away again only if this very commit was.
        """
        assert document.snapshot is not None
        snapshot = msgspec.structs.replace(document.snapshot, session=document.id)
        name, data = names.snapshot(snapshot.time, snapshot.id), self.seal_snapshot(snapshot)
        is_recorded = self._record(document, name)
        while self._is_there(document):
            if self._create_once(name, data):
                if not self._is_there(document):
                    if self.was_forgotten(snapshot):
                        self._take_away(name, data)
                    return
            elif not self._is_published(name, document):
                continue
            for tag in document.tags:
                self._create_once(self._tag_name(snapshot.id, tag), self.seal_tag(snapshot, tag))
            if is_recorded:
                self._storage.delete(names.session(document.id))
            return

    def _record(self, document: SessionDocument, name: str) -> bool:
        """Whether the ledger has the snapshot; else its session stays until it can be recorded.

        Entry first, then the snapshot's object, then the session's end: a process that stands still
        meanwhile sees by the session whether its own step is still to be made.
        """
        added = Change(ChangeKind.ADDED, name.removeprefix(names.SNAPSHOTS), document.id)
        try:
            self.ledger.extend(lambda state: [added] if self._is_there(document) else [])
        except (DamageError, UnsupportedFormatError) as error:
            _log.warning("snapshot %s is not recorded in the ledger yet: %s", name, error)
            return False
        return True

    def was_forgotten(self, snapshot: Snapshot) -> bool:
        """Whether this very commit is in the trash, or a prune has removed it for good.

        The trash first: what leaves it is in the ledger before.
        """
        name = names.forgotten(snapshot.time, snapshot.id)
        try:
            data = self._storage.read(name)
            forgotten = self._sealer.open(DocumentType.FORGOTTEN, name, data, ForgottenSnapshot)
            if forgotten.snapshot.session == snapshot.session:
                return True
        except ObjectMissingError:
            pass
        except (DamageError, UnsupportedFormatError) as error:
            _log.warning("%s", error)
        if snapshot.session is None:
            return False  # by a version that did not state it
        return PruneLedger(self._storage, self._sealer).has_removed(snapshot.session)

    def withdraw(self, document: SessionDocument, stored: bytes) -> bool:
        """Ends an active session without a result; False: it has changed meanwhile, and stays.

        The swap comes first: should the session's process live after all, it cannot commit now.
        """
        name = names.session(document.id)
        try:
            self._storage.swap(name, stored, self.seal_session(document.aborted()))
        except ObjectMissingError:
            return True
        except ObjectChangedError:
            _log.info("session %s has shown a sign of life", document.id)
            return False
        self._storage.delete(name)
        return True

    def drop_own_session(self, document: SessionDocument, stored: bytes) -> None:
        """Removes the object of this process's session unless it has committed.

        Needs no room on the disk; nobody else commits it, so looking before deleting is enough.
        """
        self._take_away(names.session(document.id), stored)

    def remove_dead_sessions(self, *, by_observation: bool = True) -> set[SessionId]:
        """Completes what is committed, ends what is over; the ids of the others.

        With `by_observation` also what processes of this boot have long seen without a sign of
        life, and what is seen is left to later ones.
        """
        live = set()
        elsewhere = []
        for document, data in self.sessions():
            if document.state is SessionState.COMMITTED:
                self.publish(document)
            elif document.state is SessionState.ABORTED:
                self._storage.delete(names.session(document.id))
            elif document.process.is_gone():
                _log.info("withdrawing session %s, whose process is gone", document.id)
                self.withdraw(document, data)
            else:
                live.add(document.id)
                if not document.process.is_here():
                    elsewhere.append((document, data))
        if elsewhere and by_observation:
            live -= self._end_lapsed(elsewhere)
        return live

    def _end_lapsed(self, sessions: list[tuple[SessionDocument, bytes]]) -> set[SessionId]:
        ledger = PruneLedger(self._storage, self._sealer)
        watch = SessionWatch(ledger.read_sightings())
        ended = {
            document.id
            for document, data in sessions
            if watch.judge(document).is_over and self.withdraw(document, data)
        }
        try:
            ledger.write_sightings(watch.sightings({one.id for one, _ in sessions} - ended))
        except StorageError as error:  # the next one begins to watch anew
            _log.info("sightings are not kept: %s", error)
        return ended

    def tags(self, snapshot_id: SnapshotId) -> list[str]:
        """The snapshot's tags, sorted; damaged ones are left out with a logged warning."""
        found, damage = self._read_tags(snapshot_id)
        for error in damage.values():
            _log.warning("%s", error)
        return sorted(found)

    def tagged(self, snapshots: Iterable[Snapshot]) -> dict[str, list[Snapshot]]:
        """Those of the snapshots that carry each tag, in their order."""
        found: dict[str, list[Snapshot]] = {}
        for snapshot in snapshots:
            for tag in self.tags(snapshot.id):
                found.setdefault(tag, []).append(snapshot)
        return found

    def add_tag(self, snapshot: Snapshot, tag: str) -> None:
        """Gives a snapshot a tag; one that it has stays. Raises StorageError."""
        self._create_once(self._tag_name(snapshot.id, tag), self.seal_tag(snapshot, tag))

    def remove_tag(self, snapshot_id: SnapshotId, tag: str) -> None:
        """Takes a tag from a snapshot. Raises StorageError."""
        self._storage.delete(self._tag_name(snapshot_id, tag))

    def remove_all_tags(self, snapshot_id: SnapshotId) -> None:
        """Removes what is left of a snapshot that is gone for good. Raises StorageError."""
        for name in self._storage.list(f"{names.TAGS}{snapshot_id}/"):
            self._storage.delete(name)

    def tag_damage(self, snapshot_id: SnapshotId) -> Damage:
        """The snapshot's tags that cannot be read, by object name."""
        return self._read_tags(snapshot_id)[1]

    def _read_tags(self, snapshot_id: SnapshotId) -> tuple[set[str], Damage]:
        found: set[str] = set()
        damage: Damage = {}
        for name in self._storage.list(f"{names.TAGS}{snapshot_id}/"):
            try:
                data = self._storage.read(name)
                found.add(self._sealer.open(DocumentType.TAG, name, data, TagDocument).tag)
            except ObjectMissingError:
                continue
            except (DamageError, UnsupportedFormatError) as error:
                damage[name] = error
        return found, damage

    def _complete_commits(self) -> list[Snapshot]:
        """Publishes committed sessions; the snapshots of those that could not be published."""
        unpublished = []
        for document, _ in self.sessions():
            if document.state is not SessionState.COMMITTED or document.snapshot is None:
                continue
            try:
                self.publish(document)
            except StorageError as error:  # a reader may have no right to write
                _log.info("session %s stays to be published: %s", document.id, error)
                unpublished.append(document.snapshot)
        return unpublished

    def _read_listing(self, name: str) -> SnapshotListing | None:
        try:
            time, snapshot_id = names.split_snapshot(name)
        except DamageError as error:
            _log.warning("%s", error)
            return None
        try:
            data = self._storage.read(name)
            snapshot = self._sealer.open(DocumentType.SNAPSHOT, name, data, Snapshot)
        except ObjectMissingError:
            return None  # forgotten since it was listed
        except (DamageError, UnsupportedFormatError) as error:
            return SnapshotListing(snapshot_id, time, None, error)
        return SnapshotListing(snapshot_id, snapshot.time, snapshot)

    def _is_there(self, document: SessionDocument) -> bool:
        """Once a committed session is gone, somebody has published it."""
        return names.session(document.id) in self._storage.list(names.SESSIONS)

    def _is_published(self, name: str, document: SessionDocument) -> bool:
        """Whether the object of that name is of this commit.

        One of a commit before it was left by a process that is about to take it away; it goes.
        """
        try:
            data = self._storage.read(name)
            found = self._sealer.open(DocumentType.SNAPSHOT, name, data, Snapshot)
        except ObjectMissingError:
            return False
        except (DamageError, UnsupportedFormatError) as error:
            _log.warning("%s", error)
            return True
        if found.session in (None, document.id):  # None: by a version that did not state it
            return True
        if self._is_there(document):
            self._take_away(name, data)
        return False

    def _take_away(self, name: str, data: bytes) -> None:
        """Removes an object that still has these bytes."""
        try:
            if self._storage.read(name) == data:
                self._storage.delete(name)
        except ObjectMissingError:
            return

    def _create_once(self, name: str, data: bytes) -> bool:
        """Whether the object was not there."""
        try:
            self._storage.create(name, data)
        except ObjectExistsError:
            return False  # somebody else completed it
        return True

    def _tag_name(self, snapshot_id: SnapshotId, tag: str) -> str:
        return names.tag(snapshot_id, self._secrets.tag_digest(tag))
