"""Bytes under names: where a repository's objects are kept."""

from rowvault.storage.local import LocalStorage
from rowvault.storage.location import open_storage
from rowvault.storage.protocol import Storage

__all__ = ["LocalStorage", "Storage", "open_storage"]
