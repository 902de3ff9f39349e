"""A storage in front of another one: what is written stays in a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rowvault.core.errors import ObjectChangedError, ObjectExistsError, ObjectMissingError
from rowvault.storage.local import LocalStorage
from rowvault.storage.protocol import Content, Storage


class ScratchStorage:
    """Shows `below` with changes on top, and never changes it. Used by one thread at a time."""

    def __init__(self, below: Storage, directory: Path) -> None:
        self.location = below.location
        self._below = below
        self._above = LocalStorage(directory)
        self._written: set[str] = set()
        self._removed: set[str] = set()
        self._groups: set[str] = set()

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """See Storage.create."""
        try:
            self.size(name)
        except ObjectMissingError:
            self._put(name, data, is_bulk)
            return
        raise ObjectExistsError(f"{name} is there already")

    def swap(self, name: str, expected: bytes, data: Content) -> None:
        """See Storage.swap."""
        if self.read(name) != expected:
            raise ObjectChangedError(f"{name} is not as expected")
        self.delete(name)
        self._put(name, data)

    def read(self, name: str) -> bytes:
        """See Storage.read."""
        return self._of(name).read(name)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        return self._of(name).read_range(name, offset, length)

    def view(self, name: str) -> memoryview:
        """See Storage.view."""
        return self._of(name).view(name)

    def size(self, name: str) -> int:
        """See Storage.size."""
        return self._of(name).size(name)

    def top(self) -> list[str]:
        """See Storage.top."""
        return sorted({*self._below.top(), *self._above.top()})

    def make_group(self, group: str) -> None:
        """See Storage.make_group."""
        self._groups.add(group)

    def has_group(self, group: str) -> bool:
        """See Storage.has_group."""
        return self._is_above(group) or self._below.has_group(group)

    def list(self, prefix: str) -> list[str]:
        """See Storage.list."""
        below: list[str] = []
        if not prefix or not self._is_above(prefix) or self._below.has_group(prefix):
            below = self._below.list(prefix)
        written = {name for name in self._written if name.startswith(prefix)}
        return sorted({*below, *written} - self._removed)

    def delete(self, name: str) -> None:
        """See Storage.delete."""
        if name in self._written:
            self._above.delete(name)
            self._written.discard(name)
        self._removed.add(name)

    def _is_above(self, group: str) -> bool:
        return any(name.startswith(group) for name in (*self._written, *self._groups))

    def _of(self, name: str) -> Storage:
        if name in self._removed:
            raise ObjectMissingError(f"{name} is not there")
        return self._above if name in self._written else self._below

    def _put(self, name: str, data: Content, is_bulk: bool = False) -> None:
        self._above.create(name, data, is_bulk=is_bulk)
        self._written.add(name)
        self._removed.discard(name)


@contextmanager
def scratch(below: Storage) -> Iterator[ScratchStorage]:
    """One whose changes are gone afterwards."""
    with TemporaryDirectory(prefix="rowvault-") as directory:
        yield ScratchStorage(below, Path(directory))
