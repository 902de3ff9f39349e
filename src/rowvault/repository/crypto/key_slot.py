"""Key slots: the secrets, wrapped by a password or in clear (docs/format.md, "Keys")."""

from __future__ import annotations

import enum
import os
import socket
from datetime import datetime
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from rowvault.core.decoding import decode_json
from rowvault.core.errors import CorruptError
from rowvault.core.ids import RepositoryId
from rowvault.core.instant import Instant
from rowvault.repository.crypto.authenticated import (
    AuthenticatedDocument,
    encode_authenticated,
    split_authenticated,
)
from rowvault.repository.crypto.recovery_key import read_recovery_key
from rowvault.repository.crypto.secrets import SECRET_BYTES, Secrets

_MAXIMUM_MEMORY_KIB = 4 << 20
_MAXIMUM_PASSES = 64
_MAXIMUM_LANES = 64


class Argon2Parameters(msgspec.Struct, frozen=True):
    """The cost of trying one password (RFC 9106)."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        # Bounds, so that a forged slot cannot ask for all memory before its tag is checked.
        if not (
            8 * self.lanes <= self.memory_kib <= _MAXIMUM_MEMORY_KIB
            and 0 < self.passes <= _MAXIMUM_PASSES
            and 0 < self.lanes <= _MAXIMUM_LANES
        ):
            raise ValueError("Argon2id parameters are out of bounds")


class SlotKind(enum.StrEnum):
    """What opens a slot. The values are stored."""

    PASSWORD = "password"
    RECOVERY = "recovery"
    """A recovery key, in its printed form, see `recovery_key`."""


class SlotNote(msgspec.Struct, frozen=True):
    """What only those may read who can open the repository."""

    label: str = ""
    host: str = ""
    """Where the slot was made."""


class KeySlot(msgspec.Struct, frozen=True, kw_only=True):
    """One way to the secrets."""

    repository: RepositoryId
    created: Instant
    kdf: Literal["argon2id", "none"]
    kind: SlotKind = SlotKind.PASSWORD
    id: str = ""
    """That of the object's name, so that the slot opens under no other one."""
    note: bytes = b""
    """AES-256-GCM of a SlotNote, under a key that the master secret and the salt make."""
    argon2id: Argon2Parameters = Argon2Parameters()
    salt: bytes = b""
    nonce: bytes = b""
    wrapped: bytes = b""
    """AES-256-GCM of identity | master under the key that Argon2id makes of the password."""
    clear: Secrets | None = None
    """Instead of all the above where `kdf` is `none`."""


def seal_slot(
    secrets: Secrets,
    repository: RepositoryId,
    created: datetime,
    password: bytes | None,
    cost: Argon2Parameters,
    slot_id: str,
    label: str = "",
    kind: SlotKind = SlotKind.PASSWORD,
) -> bytes:
    """A key slot object; without password the secrets stand in it in clear."""
    if password is None:
        slot = KeySlot(
            repository=repository, created=created, kdf="none", clear=secrets, id=slot_id
        )
    else:
        salt, nonce = os.urandom(16), os.urandom(12)
        wrapped = AESGCM(_stretch(password, salt, cost)).encrypt(
            nonce, secrets.identity + secrets.master, _associated(repository)
        )
        note = msgspec.json.encode(SlotNote(label, socket.gethostname()))
        slot = KeySlot(
            repository=repository,
            created=created,
            kdf="argon2id",
            kind=kind,
            id=slot_id,
            note=AESGCM(secrets.note_key(salt)).encrypt(nonce, note, None),
            argon2id=cost,
            salt=salt,
            nonce=nonce,
            wrapped=wrapped,
        )
    return encode_authenticated(slot, secrets.slot_key())


class StoredSlot(msgspec.Struct, frozen=True):
    """A slot as it is stored, not yet opened."""

    name: str
    slot: KeySlot
    sealed: AuthenticatedDocument

    @property
    def id(self) -> str:
        """16 hex digits: what `key list` shows."""
        return self.name.rpartition("/")[2]

    def note(self, secrets: Secrets) -> SlotNote:
        """Label and host; empty where they cannot be read."""
        if not self.slot.note:
            return SlotNote()
        try:
            note = AESGCM(secrets.note_key(self.slot.salt)).decrypt(
                self.slot.nonce, self.slot.note, None
            )
            return decode_json(note, SlotNote)
        except (InvalidTag, msgspec.MsgspecError):
            return SlotNote()

    def open(self, password: bytes) -> Secrets | None:
        """The secrets; None when the password is not that of this slot.

        A recovery key may be typed in any of its forms.

        Raises CorruptError, naming the object, where the slot was changed.
        """
        if self.slot.kind is SlotKind.RECOVERY:
            key = read_recovery_key(password)
            if key is None:
                return None  # no guess is spent on it
            password = key.encode()
        secrets = self.slot.clear or _unwrap(self.slot, password)
        if secrets is not None and not self.sealed.is_authentic(secrets.slot_key()):
            raise CorruptError(f"the key slot {self.name} was changed after it was made")
        return secrets


def decode_slot(data: bytes, name: str) -> StoredSlot:
    """Raises CorruptError, naming the object."""
    try:
        sealed = split_authenticated(data)
        slot = decode_json(sealed.document, KeySlot)
        bytes.fromhex(slot.repository)
    except (msgspec.MsgspecError, ValueError, CorruptError) as error:
        raise CorruptError(f"the key slot {name} is damaged: {error}") from error
    if (slot.kdf == "none") != (slot.clear is not None) or (
        slot.kdf == "argon2id" and (len(slot.nonce) != 12 or len(slot.salt) < 8)
    ):
        raise CorruptError(f"the key slot {name} is damaged: its parts do not fit together")
    if slot.id and slot.id != name.rpartition("/")[2]:
        raise CorruptError(f"the key slot {name} is that of another name, {slot.id}")
    return StoredSlot(name, slot, sealed)


def _unwrap(slot: KeySlot, password: bytes) -> Secrets | None:
    key = _stretch(password, slot.salt, slot.argon2id)
    try:
        secret = AESGCM(key).decrypt(slot.nonce, slot.wrapped, _associated(slot.repository))
    except InvalidTag:
        return None
    return Secrets(identity=secret[:SECRET_BYTES], master=secret[SECRET_BYTES:])


def _stretch(password: bytes, salt: bytes, cost: Argon2Parameters) -> bytes:
    return Argon2id(
        salt=salt,
        length=32,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(password)


def _associated(repository: RepositoryId) -> bytes:
    return b"rowvault key slot 1" + bytes.fromhex(repository)
