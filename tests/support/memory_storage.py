"""A storage in memory: as quick as a test needs that opens thousands of small repositories.

It keeps the whole contract of Storage but durability (`tests/unit/storage/test_contract.py`).
"""

from __future__ import annotations

import threading

from rowvault.core.errors import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
)
from rowvault.storage.protocol import Content, check_name


class MemoryStorage:
    """Objects in a dictionary, which several storages may share. Used from any thread."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = {} if objects is None else objects
        self.location = "memory"
        self._lock = threading.Lock()

    def copy(self) -> MemoryStorage:
        """One that holds the same, and goes its own way."""
        return MemoryStorage(dict(self.objects))

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """See Storage.create."""
        taken = self.objects.setdefault(check_name(name), content := bytes(data))
        if taken is not content:
            raise ObjectExistsError(f"{self.location}: {name} is there already")

    def swap(self, name: str, expected: bytes, data: Content) -> None:
        """See Storage.swap."""
        with self._lock:
            if self.read(name) != expected:
                raise ObjectChangedError(f"{self.location}: {name} was changed by somebody else")
            self.objects[name] = bytes(data)

    def read(self, name: str) -> bytes:
        """See Storage.read."""
        try:
            return self.objects[check_name(name)]
        except KeyError:
            raise ObjectMissingError(f"{self.location}: {name} is not there") from None

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        return self.read(name)[offset : offset + length]

    def view(self, name: str) -> memoryview:
        """See Storage.view."""
        return memoryview(self.read(name))

    def size(self, name: str) -> int:
        """See Storage.size."""
        return len(self.read(name))

    def top(self) -> list[str]:
        """See Storage.top."""
        return sorted({name.partition("/")[0] + "/" * ("/" in name) for name in self.objects})

    def list(self, prefix: str) -> list[str]:
        """See Storage.list."""
        if prefix and not prefix.endswith("/"):
            raise StorageError(f"{prefix!r} is not the name of a group of objects")
        if prefix:
            check_name(prefix[:-1])
        return sorted(name for name in list(self.objects) if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """See Storage.delete."""
        with self._lock:
            self.objects.pop(check_name(name), None)
