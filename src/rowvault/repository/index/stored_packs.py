"""The packs as files: which ones are there, whose they are, and how large."""

from __future__ import annotations

from rowvault.core.errors import DamageError, ObjectMissingError, UnsupportedFormatError
from rowvault.core.ids import PackName, SessionId
from rowvault.repository import names
from rowvault.repository.index.index import unlisted
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackKeys, PackReader
from rowvault.storage.protocol import Storage


class StoredPacks:
    """Looks at the packs of one repository."""

    def __init__(self, storage: Storage, keys: PackKeys) -> None:
        self._storage = storage
        self._keys = keys

    def all(self) -> dict[PackName, PackType]:
        """Those that are there; what is none, `check` names. Raises StorageError."""
        return {name: kind for kind, name in unlisted(self._storage.list(names.PACKS), set())}

    def session_of(self, kind: PackType, name: PackName) -> SessionId | None:
        """The run that made a pack; None where its header cannot be read."""
        try:
            return PackReader(self._storage, self._keys, kind, name).header.session
        except (DamageError, UnsupportedFormatError):
            return None

    def size(self, kind: PackType, name: PackName) -> int:
        """Bytes of a pack; 0 where it is not there any more."""
        try:
            return self._storage.size(names.pack(kind, name))
        except ObjectMissingError:
            return 0
