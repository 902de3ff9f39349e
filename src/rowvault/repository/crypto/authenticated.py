"""Objects in clear JSON under a MAC: the config and the key slots.

{"document": {...}, "mac": "64 hex digits"}; the MAC is keyed BLAKE3-256 over the bytes of the
inner document as they stand.
"""

from __future__ import annotations

import hmac

import msgspec
from blake3 import blake3

from rowvault.core.decoding import decode_json
from rowvault.core.errors import CorruptError


class AuthenticatedDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The inner document's bytes and their MAC."""

    document: msgspec.Raw
    mac: str

    def is_authentic(self, key: bytes) -> bool:
        """Whether the MAC is that of this document under this key."""
        found = self.mac.encode(errors="replace")  # only ASCII strings can be compared as such
        return hmac.compare_digest(found, _mac(bytes(self.document), key).encode())


def encode_authenticated(document: msgspec.Struct, key: bytes) -> bytes:
    """The object's bytes."""
    encoded = msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=1)
    return msgspec.json.encode(AuthenticatedDocument(msgspec.Raw(encoded), _mac(encoded, key)))


def split_authenticated(data: bytes) -> AuthenticatedDocument:
    """The parts, not yet verified. Raises CorruptError."""
    try:
        return decode_json(data, AuthenticatedDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptError(f"it is not a document with its MAC: {error}") from error


def _mac(document: bytes, key: bytes) -> str:
    return blake3(document, key=key).hexdigest()
