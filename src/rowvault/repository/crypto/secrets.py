"""The repository's two secrets, and every key that is derived from them.

`identity` decides ids and cuts, `master` encrypts and authenticates; so two repositories may share
the first one and still not be able to read each other. Derivation: BLAKE3 derive_key with a context
string for each purpose (BLAKE3 specification, section 2.3).
"""

from __future__ import annotations

import os

import msgspec
from blake3 import blake3

from rowvault.codec.frames import BlockType
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId, RepositoryId, SessionId

SECRET_BYTES = 32
_PREFIX = "rowvault format 1: "
_ID_PURPOSE = {BlockType.DATA: "data block id", BlockType.NODE: "tree node id"}


def derive(purpose: str, material: bytes) -> bytes:
    """32 bytes for one purpose from key material."""
    return blake3(material, derive_key_context=_PREFIX + purpose).digest()


class Secrets(msgspec.Struct, frozen=True):
    """32 random bytes each; what a key slot protects."""

    identity: bytes
    master: bytes

    def __post_init__(self) -> None:
        if len(self.identity) != SECRET_BYTES or len(self.master) != SECRET_BYTES:
            raise CorruptError("a key slot holds secrets of a wrong length")

    def __repr__(self) -> str:
        """Nothing that a log or traceback could give away."""
        return "Secrets(...)"

    @classmethod
    def random(cls) -> Secrets:
        """Fresh secrets from the operating system."""
        return cls(identity=os.urandom(SECRET_BYTES), master=os.urandom(SECRET_BYTES))

    def related(self) -> Secrets:
        """The same identity under a fresh master key: equal ids and cuts, nothing else."""
        return Secrets(identity=self.identity, master=os.urandom(SECRET_BYTES))

    def config_key(self) -> bytes:
        """Authenticates the config object."""
        return derive("config", self.master)

    def slot_key(self) -> bytes:
        """Authenticates key slots, and so proves that both secrets are whole."""
        return derive("key slot", self.identity + self.master)

    def note_key(self, salt: bytes) -> bytes:
        """Hides label and host of one key slot; the salt is never used twice."""
        return derive("key slot note", self.master + salt)

    def sealed_key(self, salt: bytes) -> bytes:
        """Seals one small object; the salt is never used twice."""
        return derive("sealed object", self.master + salt)

    def segment_key(self) -> bytes:
        """Authenticates segments of the block index."""
        return derive("index segment", self.master)

    def session_key(self, session_id: SessionId) -> bytes:
        """Stands above the keys of all packs that one session writes."""
        return derive("session", self.master + bytes.fromhex(session_id))

    def cut_key(self) -> bytes:
        """16 bytes, see CutRule."""
        return derive("block cut", self.identity)[:16]

    def row_key(self) -> bytes:
        """16 bytes, see CutRule."""
        return derive("row sum", self.identity)[:16]

    def gear_key(self) -> bytes:
        """32 bytes, see CutRule."""
        return derive("gear table", self.identity)

    def node_cut_key(self) -> bytes:
        """32 bytes, see NodeRule."""
        return derive("node cut", self.identity)

    def tag_digest(self, tag: str) -> str:
        """16 hex digits that stand for a tag in an object's name."""
        return blake3(tag.encode(), key=derive("tag name", self.identity)).hexdigest(length=8)


def pack_key(session_key: bytes, salt: bytes) -> bytes:
    """The key of one pack; its salt is never used twice."""
    return derive("pack", session_key + salt)


class IdMaker:
    """Names blocks by the keyed BLAKE3-256 of their raw bytes. Used from any thread."""

    def __init__(self, secrets: Secrets) -> None:
        self._keys = {
            kind: derive(purpose, secrets.identity) for kind, purpose in _ID_PURPOSE.items()
        }

    def __call__(self, kind: BlockType, raw: bytes) -> BlockId:
        """The id of these raw bytes as a block of this type."""
        return BlockId(blake3(raw, key=self._keys[kind]).digest())


def new_repository_id() -> RepositoryId:
    """A random id."""
    return RepositoryId(os.urandom(16).hex())


def new_session_id() -> SessionId:
    """A random id."""
    return SessionId(os.urandom(16).hex())
