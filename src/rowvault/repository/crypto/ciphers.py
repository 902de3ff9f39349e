"""Sealing bytes so that every later change of them is seen (docs/format.md, "Ciphers").

Both ciphers append a tag of 16 bytes over the payload, the associated data and the nonce, under a
key that is used for one pack or one small object alone.
"""

from __future__ import annotations

import enum
import hmac
from typing import Protocol

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rowvault.codec.frames import TAG_BYTES
from rowvault.core.errors import CorruptError

NONCE_BYTES = 12


class CipherName(enum.StrEnum):
    """The values are stored in the config."""

    AES_256_GCM = "aes-256-gcm"
    NONE = "none"


class Cipher(Protocol):
    """One key. A nonce is never used twice under it. Used from any thread."""

    def seal(self, nonce: int, associated: bytes, payload: bytes) -> bytes:
        """The payload, encrypted or not, and its tag."""
        ...

    def open(self, nonce: int, associated: bytes, sealed: bytes | memoryview) -> bytes:
        """The payload. Raises CorruptError when anything differs from what was sealed."""
        ...


class AesGcmCipher:
    """AES-256-GCM (NIST SP 800-38D)."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, nonce: int, associated: bytes, payload: bytes) -> bytes:
        """See Cipher.seal."""
        return self._aead.encrypt(nonce.to_bytes(NONCE_BYTES, "big"), payload, associated)

    def open(self, nonce: int, associated: bytes, sealed: bytes | memoryview) -> bytes:
        """See Cipher.open."""
        try:
            return self._aead.decrypt(nonce.to_bytes(NONCE_BYTES, "big"), sealed, associated)
        except InvalidTag:
            raise CorruptError("the authentication tag does not match") from None


class PlainCipher:
    """No secrecy; the tag is keyed BLAKE3, cut to 16 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, nonce: int, associated: bytes, payload: bytes) -> bytes:
        """See Cipher.seal."""
        return payload + self._tag(nonce, associated, payload)

    def open(self, nonce: int, associated: bytes, sealed: bytes | memoryview) -> bytes:
        """See Cipher.open."""
        payload, tag = bytes(sealed[:-TAG_BYTES]), bytes(sealed[-TAG_BYTES:])
        if not hmac.compare_digest(tag, self._tag(nonce, associated, payload)):
            raise CorruptError("the authentication tag does not match")
        return payload

    def _tag(self, nonce: int, associated: bytes, payload: bytes) -> bytes:
        hasher = blake3(nonce.to_bytes(NONCE_BYTES, "big"), key=self._key)
        hasher.update(len(associated).to_bytes(4, "little"))
        hasher.update(associated)
        hasher.update(payload)
        return hasher.digest(length=TAG_BYTES)


def make_cipher(name: CipherName, key: bytes) -> Cipher:
    """The cipher of that name under a key of 32 bytes."""
    return AesGcmCipher(key) if name is CipherName.AES_256_GCM else PlainCipher(key)
