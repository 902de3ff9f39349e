"""Bytes under names: where a repository's objects are kept."""

from rowvault.storage.local import LocalStorage
from rowvault.storage.protocol import Storage

__all__ = ["LocalStorage", "Storage"]
