"""A storage in memory: as quick as a test needs that opens thousands of small repositories.

It keeps the whole contract of Storage but durability (`tests/unit/storage/test_contract.py`).
Groups stand among the objects, as empty ones whose names end with `/`.
"""

from __future__ import annotations

import threading

from rowvault.core.errors import (
    GroupMissingError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
)
from rowvault.repository.names import GROUPS
from rowvault.storage import Storage
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
        self._make_groups_of(name)
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

    def make_group(self, group: str) -> None:
        """See Storage.make_group."""
        self._make_groups_of(_checked(group) + "any")

    def has_group(self, group: str) -> bool:
        """See Storage.has_group."""
        _checked(group)
        return any(name.startswith(group) for name in list(self.objects))

    def list(self, prefix: str) -> list[str]:
        """See Storage.list."""
        if prefix and not self.has_group(prefix):
            raise GroupMissingError(f"{self.location}: the directory {prefix} is missing")
        found = [name for name in list(self.objects) if name.startswith(prefix)]
        return sorted(name for name in found if not name.endswith("/"))

    def delete(self, name: str) -> None:
        """See Storage.delete."""
        with self._lock:
            self.objects.pop(check_name(name), None)

    def _make_groups_of(self, name: str) -> None:
        end = name.find("/")
        while end >= 0:
            self.objects.setdefault(name[: end + 1], b"")
            end = name.find("/", end + 1)


def copied(storage: Storage) -> MemoryStorage:
    """A repository's objects and groups, in memory."""
    copy = MemoryStorage({name: storage.read(name) for name in storage.list("")})
    for group in filter(storage.has_group, GROUPS):
        copy.make_group(group)
    return copy


def _checked(group: str) -> str:
    if not group.endswith("/"):
        raise StorageError(f"{group!r} is not the name of a group of objects")
    check_name(group[:-1])
    return group
