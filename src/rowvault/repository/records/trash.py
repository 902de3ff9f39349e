"""Forgotten snapshots: out of every list, and back again until a prune makes it final.

A snapshot is forgotten by putting its document under `trash/` and then removing it from
`snapshots/`; in between it is in both and counts as not forgotten. It comes back through a session
that commits it again, so that a prune at work at the same time either sees it or has won.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectExistsError,
    ObjectMissingError,
    SnapshotNotFoundError,
    UnsupportedFormatError,
)
from rowvault.core.ids import SnapshotId
from rowvault.core.instant import Instant
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.records.find_snapshot import FoundSnapshot, SnapshotFinder, SnapshotRequest
from rowvault.repository.records.ledger import Change, ChangeKind
from rowvault.repository.records.live_session import LiveSession
from rowvault.repository.records.prune_ledger import PruneLedger
from rowvault.repository.records.snapshot import ForgottenSnapshot, Snapshot, SnapshotListing
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.repository.records.sources import Sources
from rowvault.storage.protocol import Storage


class TrashListing(msgspec.Struct, frozen=True):
    """One object under `trash/`: its document, or why that cannot be read."""

    id: SnapshotId
    time: Instant
    """Of the snapshot; of the object's name where the document is damaged."""
    document: ForgottenSnapshot | None
    damage: DamageError | UnsupportedFormatError | None = None


class Trash:
    """The forgotten snapshots of one repository."""

    def __init__(self, storage: Storage, sealer: Sealer, snapshot_store: SnapshotStore) -> None:
        self._storage = storage
        self._sealer = sealer
        self._snapshot_store = snapshot_store
        self._ledger = PruneLedger(storage, sealer)

    def put(self, snapshot: Snapshot) -> None:
        """Forgets a snapshot; one that is forgotten already stays so. Raises StorageError."""
        name = names.forgotten(snapshot.time, snapshot.id)
        document = ForgottenSnapshot(snapshot, datetime.now(UTC))
        data = self._sealer.seal(DocumentType.FORGOTTEN, name, document)
        while True:
            try:
                self._storage.create(name, data)
                break
            except ObjectExistsError:
                # A run before this one ended between the two steps, or one that brought the
                # snapshot back has not ended yet.
                if self._holds(name, snapshot):
                    break
                self._storage.delete(name)
        self._storage.delete(names.snapshot(snapshot.time, snapshot.id))
        gone = Change(ChangeKind.FORGOTTEN, name.removeprefix(names.TRASH), snapshot.session or "")
        self._snapshot_store.ledger.extend(lambda state: [gone])
        # Overtaken by another forget and a prune, it would leave what nobody can bring back.
        if snapshot.session is not None and self._ledger.has_removed(snapshot.session):
            self._storage.delete(name)

    def listings(self) -> list[TrashListing]:
        """All that is forgotten, oldest snapshot first, the damaged ones too."""
        names_in_trash = self._storage.list(names.TRASH)
        listed = set(self._storage.list(names.SNAPSHOTS))
        found = []
        for name in names_in_trash:
            try:
                time, snapshot_id = names.split_forgotten(name)
            except DamageError:
                continue  # not a snapshot; nothing here
            if names.snapshot(time, snapshot_id) not in listed:
                one = self._read(name, time, snapshot_id)
                found += [one] if one is not None else []
        return sorted(found, key=lambda snapshot: (snapshot.time, snapshot.id))

    def take_back(self, spec: str) -> Snapshot:
        """Brings back the forgotten snapshot that a person means.

        Raises SnapshotNotFoundError, AmbiguousSnapshotError, its damage, RepositoryError,
        StorageError.
        """
        session = LiveSession(self._storage, self._snapshot_store, "undelete")
        try:
            # Read behind the session's beginning: a prune that does not wait for this session has
            # emptied the trash before.
            snapshot = self.resolve(SnapshotRequest(spec, changes=True)).snapshot
            self._require_recorded(snapshot)
            document = session.commit(snapshot, ())
        except BaseException:
            session.withdraw()
            raise
        self._snapshot_store.publish(document)
        self.delete(snapshot)
        return snapshot

    def _require_recorded(self, snapshot: Snapshot) -> None:
        """Raises CorruptError for what is not recorded as forgotten: its packs may be gone.

        Listed it may be: by a forget that has not recorded it yet.
        """
        if not self._snapshot_store.ledger.is_on():
            return
        state = self._snapshot_store.ledger.read()
        name = names.forgotten(snapshot.time, snapshot.id)
        stem = name.removeprefix(names.TRASH)
        if stem not in state.forgotten and stem not in state.listed:
            raise CorruptError(
                f"{name} has come back: a prune has removed snapshot {snapshot.id}, and what it "
                "held may be gone. Nothing was changed"
            )

    def delete(self, snapshot: Snapshot) -> None:
        """Removes what was forgotten of this very commit; it may have been forgotten again."""
        name = names.forgotten(snapshot.time, snapshot.id)
        if self._holds(name, snapshot):
            self._storage.delete(name)

    def sources(self) -> Sources:
        """To which source each snapshot belongs, forgotten or not."""
        forgotten = [one.document.snapshot for one in self.listings() if one.document is not None]
        return self._sources(forgotten)

    def _sources(self, forgotten: Sequence[Snapshot]) -> Sources:
        listed = [
            one.snapshot for one in self._snapshot_store.snapshots() if one.snapshot is not None
        ]
        return Sources([*listed, *forgotten])

    def resolve(self, request: SnapshotRequest) -> FoundSnapshot:
        """The forgotten snapshot that a person means, and what to tell of the choice.

        Raises SnapshotNotFoundError, AmbiguousSnapshotError, UsageError, its damage.
        """
        listings = self.listings()
        if not listings:
            raise SnapshotNotFoundError(
                "No snapshot is forgotten: there is nothing to bring back. What a prune has "
                "removed is gone."
            )
        forgotten = [one.document.snapshot for one in listings if one.document is not None]
        found = [
            SnapshotListing(
                one.id, one.time, None if one.document is None else one.document.snapshot,
                one.damage,
            )
            for one in listings
        ]  # fmt: skip
        tagged = partial(self._snapshot_store.tagged, forgotten)
        finder = SnapshotFinder(found, tagged, datetime.now(UTC), self._sources(forgotten))
        return finder.find(request)

    def _holds(self, name: str, snapshot: Snapshot) -> bool:
        """Whether the object of that name is of this very commit."""
        listing = self._read(name, snapshot.time, snapshot.id)
        document = None if listing is None else listing.document
        return document is not None and document.snapshot.session == snapshot.session

    def _read(self, name: str, time: datetime, snapshot_id: SnapshotId) -> TrashListing | None:
        try:
            data = self._storage.read(name)
            document = self._sealer.open(DocumentType.FORGOTTEN, name, data, ForgottenSnapshot)
        except ObjectMissingError:
            return None  # brought back, or pruned, since it was listed
        except (DamageError, UnsupportedFormatError) as error:
            return TrashListing(snapshot_id, time, None, error)
        return TrashListing(snapshot_id, document.snapshot.time, document)
