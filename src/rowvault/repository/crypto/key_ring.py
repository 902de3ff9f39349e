"""The repository's keys: listed, added, removed, changed (docs/format.md, "Keys").

A key is added by creating its slot, and removed by one compare-and-swap of the list of removed
ones; the slot itself goes afterwards. So of two removals at once one sees the other, and a run
that ends in the middle leaves a repository that opens with the old key or with the new one.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime

import msgspec

from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    RepositoryError,
    UnsupportedFormatError,
    UsageError,
    WrongPasswordError,
)
from rowvault.core.ids import RepositoryId
from rowvault.core.partly import partly
from rowvault.repository import names
from rowvault.repository.crypto.key_slot import (
    Argon2Parameters,
    SlotKind,
    StoredSlot,
    decode_slot,
    seal_slot,
)
from rowvault.repository.crypto.recovery_key import make_recovery_key
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.crypto.secrets import Secrets
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)


class RemovedKeys(msgspec.Struct, frozen=True):
    """What stands in `gc/keys`: slots that open nothing any more, also where they come back."""

    slots: tuple[str, ...] = ()


class Key(msgspec.Struct, frozen=True):
    """One way into the repository, as a person sees it."""

    id: str
    kind: SlotKind
    label: str
    created: datetime
    host: str
    in_use: bool
    """It opened the repository for this command."""


class KeyRing:
    """All keys of one open repository."""

    def __init__(
        self,
        storage: Storage,
        repository: RepositoryId,
        secrets: Secrets,
        sealer: Sealer,
        used: str,
    ) -> None:
        """`used` is the id of the slot that opened it; no ring is made where nothing is secret."""
        self._storage = storage
        self._repository = repository
        self._secrets = secrets
        self._sealer = sealer
        self._used = used

    def all(self) -> list[Key]:
        """All keys, oldest first. Raises CorruptError where one was altered."""
        removed, _ = read_removed(self._storage, self._sealer)
        return [self._key(slot) for slot in self._slots(removed)]

    def add(self, password: bytes, label: str, cost: Argon2Parameters | None = None) -> Key:
        """One more password. Raises UsageError for an empty one, StorageError."""
        return self._add(password, label, SlotKind.PASSWORD, cost)

    def add_recovery(self, label: str, cost: Argon2Parameters | None = None) -> tuple[Key, str]:
        """A key made here and its printed form, which is kept nowhere else. Raises StorageError."""
        recovery_key = make_recovery_key()
        return self._add(recovery_key.encode(), label, SlotKind.RECOVERY, cost), recovery_key

    def change(
        self, password: bytes, which: str | None, cost: Argon2Parameters | None = None
    ) -> tuple[Key, Key]:
        """(new, old): a new password in place of one key, by default of the one in use.

        The old one goes after the new one is durable and was seen to open. Raises UsageError.
        """
        old = self.find(which or self._used)
        if old.kind is SlotKind.RECOVERY:
            raise UsageError(
                f"Key {old.id} is a recovery key, which cannot be given another form: add a new "
                "one (`key add --recovery`), then remove this one."
            )
        new = self._add(password, old.label, old.kind, cost)
        with partly("added", lambda _: self._both_open(new, old)) as done:
            done.append(new.id)
            self._remove(old)
        return new, old

    def _both_open(self, new: Key, old: Key) -> str:
        return (
            f"Both passwords open the repository now: the new key {new.id} is made, and the old "
            f"one is there still; `rowvault key remove {old.id}` takes it away."
        )

    def remove(self, which: str, *, force: bool = False) -> Key:
        """Takes a key away; with `force` also the one in use, but never the last one.

        Raises UsageError, and RepositoryError where another one would not be left.
        """
        key = self.find(which)
        if key.in_use and not force:
            raise UsageError(
                f"Key {key.id} is the one that this command uses. Open the repository with "
                "another one, or say --force."
            )
        self._remove(key)
        return key

    def find(self, which: str) -> Key:
        """The key whose id begins so. Raises UsageError."""
        keys = self.all()
        found = [key for key in keys if which and key.id.startswith(which.lower())]
        if len(found) != 1:
            ids = ", ".join(key.id for key in found or keys)
            what = "No key has an id that begins" if not found else "Several keys begin"
            raise UsageError(f"{what} with {which!r}; there are {ids}.")
        return found[0]

    def _add(
        self, password: bytes, label: str, kind: SlotKind, cost: Argon2Parameters | None
    ) -> Key:
        if not password:
            raise UsageError("the new password is empty")
        slot_id = os.urandom(8).hex()
        name = names.key_slot(slot_id)
        now = datetime.now(UTC).replace(microsecond=0)
        self._storage.create(
            name,
            seal_slot(
                self._secrets, self._repository, now, password, cost or Argon2Parameters(),
                slot_id, label, kind,
            ),
        )  # fmt: skip
        stored = decode_slot(self._storage.read(name), name)
        if stored.open(password) != self._secrets:
            raise CorruptError(f"the key slot {name} does not open with what it was made of")
        return self._key(stored)

    def _remove(self, key: Key) -> None:
        while True:
            # The list of removed keys first: what is removed after this read makes the swap fail.
            removed, stored = read_removed(self._storage, self._sealer)
            if not [slot for slot in self._slots(removed) if slot.id != key.id]:
                raise RepositoryError(
                    f"Key {key.id} is the last one: without it nobody could ever read the "
                    "repository again. Add another one first."
                )
            document = RemovedKeys(tuple(sorted({*removed, key.id})))
            data = self._sealer.seal(DocumentType.REMOVED_KEYS, names.REMOVED_KEYS, document)
            try:
                if stored is None:
                    self._storage.create(names.REMOVED_KEYS, data)
                else:
                    self._storage.swap(names.REMOVED_KEYS, stored, data)
                break
            except (ObjectChangedError, ObjectExistsError, ObjectMissingError):
                continue  # somebody else has removed a key: look again what is left
        for slot_id in document.slots:
            self._storage.delete(names.key_slot(slot_id))

    def _slots(self, removed: frozenset[str]) -> list[StoredSlot]:
        """Slots that open this repository, oldest first."""
        found = []
        for name in self._storage.list(names.KEYS):
            try:
                slot = decode_slot(self._storage.read(name), name)
            except ObjectMissingError:
                continue
            except DamageError as error:
                _log.warning("%s", error)
                continue
            if slot.slot.repository != self._repository or slot.id in removed:
                continue
            if slot.sealed.is_authentic(self._secrets.slot_key()):
                found.append(slot)
            else:
                _log.warning("the key slot %s was not made by this repository", name)
        return sorted(found, key=lambda slot: (slot.slot.created, slot.id))

    def _key(self, slot: StoredSlot) -> Key:
        note = slot.note(self._secrets)
        return Key(
            id=slot.id,
            kind=slot.slot.kind,
            label=note.label,
            created=slot.slot.created,
            host=note.host,
            in_use=slot.id == self._used,
        )


def read_removed(storage: Storage, sealer: Sealer) -> tuple[frozenset[str], bytes | None]:
    """Ids of removed slots, and the list's bytes; None where there is none. Raises DamageError."""
    try:
        data = storage.read(names.REMOVED_KEYS)
    except ObjectMissingError:
        return frozenset(), None
    document = sealer.open(DocumentType.REMOVED_KEYS, names.REMOVED_KEYS, data, RemovedKeys)
    return frozenset(document.slots), data


def refuse_removed(storage: Storage, sealer: Sealer, slot_id: str) -> None:
    """Raises WrongPasswordError where a removed slot has come back, or could not go yet.

    A damaged list is logged: whoever has a key can still read the repository.
    """
    try:
        removed, _ = read_removed(storage, sealer)
    except (DamageError, UnsupportedFormatError) as error:
        _log.warning("%s", error)
        return
    if slot_id in removed:
        raise WrongPasswordError(
            f"The key with this password, {slot_id}, was removed from the repository at "
            f"{storage.location}; use another one."
        )
