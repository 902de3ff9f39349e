"""Small sealed objects: snapshot documents, sessions, tags (docs/format.md, "Sealed objects").

magic 8 | version 1 | type 1 | reserved 2 | salt 32 | payload | tag 16
"""

from __future__ import annotations

import enum
import os
import struct
from typing import TypeVar

import msgspec

from rowvault.codec.frames import TAG_BYTES
from rowvault.core.decoding import decode_json
from rowvault.core.errors import CorruptError, TruncatedError
from rowvault.core.ids import RepositoryId
from rowvault.core.versions import reader_of
from rowvault.repository.crypto.ciphers import CipherName, make_cipher
from rowvault.repository.crypto.secrets import Secrets

MAGIC = b"ROWVSEAL"
VERSION = 1
"""What is written."""
_CONTEXTS = {1: b"rowvault sealed 1"}
"""Version -> how the associated data begin: the versions that are read."""
_HEADER = struct.Struct("<8sBBH32s")

Document = TypeVar("Document", bound=msgspec.Struct)


class DocumentType(enum.IntEnum):
    """The numbers are stored."""

    SNAPSHOT = 1
    SESSION = 2
    TAG = 3
    FORGOTTEN = 4
    REMOVED_KEYS = 5
    PRUNE_STATE = 6
    PRUNE_ROUND = 7
    SIGHTINGS = 8
    READ_MARK = 9
    LEDGER_ENTRY = 10


class Sealer:
    """Makes and opens the sealed objects of one repository. Used from any thread."""

    def __init__(self, cipher: CipherName, secrets: Secrets, repository: RepositoryId) -> None:
        self._cipher = cipher
        self._secrets = secrets
        self._repository = bytes.fromhex(repository)

    def seal(self, kind: DocumentType, name: str, document: msgspec.Struct) -> bytes:
        """The object's bytes; they open under this object name alone."""
        salt = os.urandom(32)
        header = _HEADER.pack(MAGIC, VERSION, kind, 0, salt)
        payload = msgspec.json.encode(document, order="deterministic")
        cipher = make_cipher(self._cipher, self._secrets.sealed_key(salt))
        return header + cipher.seal(0, self._associated(VERSION, header, name), payload)

    def open(
        self, kind: DocumentType, name: str, data: bytes, document_type: type[Document]
    ) -> Document:
        """The document. Raises TruncatedError, CorruptError, UnsupportedFormatError."""
        if len(data) < _HEADER.size + TAG_BYTES:
            raise TruncatedError(f"{name} has {len(data)} bytes, too few for a sealed object")
        header = data[: _HEADER.size]
        magic, version, stated, reserved, salt = _HEADER.unpack(header)
        if magic != MAGIC or stated != kind or reserved:
            raise CorruptError(f"{name} does not start like an object of its kind")
        reader_of(_CONTEXTS, version, name)
        cipher = make_cipher(self._cipher, self._secrets.sealed_key(salt))
        try:
            associated = self._associated(version, header, name)
            payload = cipher.open(0, associated, data[_HEADER.size :])
            return decode_json(payload, document_type)
        except (CorruptError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptError(f"{name} is damaged: {error}") from error

    def _associated(self, version: int, header: bytes, name: str) -> bytes:
        return _CONTEXTS[version] + self._repository + header + name.encode()
