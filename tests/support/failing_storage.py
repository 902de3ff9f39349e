"""Storages that fail on purpose: a process that is killed, a disk that is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rowvault.core.errors import StorageError
from rowvault.storage import Storage

Result = TypeVar("Result")


class KilledError(BaseException):
    """The process is gone; nothing catches it but the test."""


class StoppingStorage:
    """Ends at its n-th call, before or after the call has had its effect; then all calls end."""

    def __init__(self, inner: Storage, stop_at: int, *, after: bool) -> None:
        self.location = inner.location
        self.calls = 0
        self._inner = inner
        self._stop_at = stop_at
        self._after = after

    def _call(self, action: Callable[[], Result]) -> Result:
        self.calls += 1
        if self.calls > self._stop_at or (self.calls == self._stop_at and not self._after):
            raise KilledError
        result = action()
        if self.calls == self._stop_at:
            raise KilledError
        return result

    def create(
        self, name: str, data: bytes | bytearray | memoryview, *, is_bulk: bool = False
    ) -> None:
        self._call(lambda: self._inner.create(name, data, is_bulk=is_bulk))

    def swap(self, name: str, expected: bytes, data: bytes | bytearray | memoryview) -> None:
        self._call(lambda: self._inner.swap(name, expected, data))

    def read(self, name: str) -> bytes:
        return self._call(lambda: self._inner.read(name))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        return self._call(lambda: self._inner.read_range(name, offset, length))

    def view(self, name: str) -> memoryview:
        return self._call(lambda: self._inner.view(name))

    def size(self, name: str) -> int:
        return self._call(lambda: self._inner.size(name))

    def top(self) -> list[str]:
        return self._call(self._inner.top)

    def make_group(self, group: str) -> None:
        self._call(lambda: self._inner.make_group(group))

    def has_group(self, group: str) -> bool:
        return self._call(lambda: self._inner.has_group(group))

    def list(self, prefix: str) -> list[str]:
        return self._call(lambda: self._inner.list(prefix))

    def delete(self, name: str) -> None:
        self._call(lambda: self._inner.delete(name))


class StoppingAtChanges(StoppingStorage):
    """Counts the calls that change something: a stop at a reading call leaves the same state."""

    def __init__(self, inner: Storage, stop_at: int, *, after: bool) -> None:
        super().__init__(inner, stop_at, after=after)
        self.read = inner.read  # type: ignore[method-assign]
        self.read_range = inner.read_range  # type: ignore[method-assign]
        self.view = inner.view  # type: ignore[method-assign]
        self.size = inner.size  # type: ignore[method-assign]
        self.top = inner.top  # type: ignore[method-assign]
        self.has_group = inner.has_group  # type: ignore[method-assign]
        self.list = inner.list  # type: ignore[method-assign]


class FillingStorage:
    """Has room for so many bytes; afterwards writing fails, while reading and deleting work."""

    def __init__(self, inner: Storage, room: int) -> None:
        self._inner = inner
        self._room = room
        self.location = inner.location
        self.read = inner.read
        self.read_range = inner.read_range
        self.view = inner.view
        self.size = inner.size
        self.top = inner.top
        self.make_group = inner.make_group
        self.has_group = inner.has_group
        self.list = inner.list
        self.delete = inner.delete

    def create(
        self, name: str, data: bytes | bytearray | memoryview, *, is_bulk: bool = False
    ) -> None:
        self._take(len(data), name)
        self._inner.create(name, data, is_bulk=is_bulk)

    def swap(self, name: str, expected: bytes, data: bytes | bytearray | memoryview) -> None:
        self._take(len(data), name)
        self._inner.swap(name, expected, data)

    def _take(self, count: int, name: str) -> None:
        self._room -= count
        if self._room < 0:
            raise StorageError(f"The disk is full: {name} could not be written")
