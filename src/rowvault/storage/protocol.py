"""Bytes under names: all that a repository asks of the place that holds it."""

from __future__ import annotations

import functools
import re
from typing import Protocol

from rowvault.core.errors import StorageError

Content = bytes | bytearray | memoryview
"""What can be written without a copy."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Storage(Protocol):
    """Objects that are written whole and read whole or in ranges. Used from any thread.

    Names are relative paths of plain ASCII parts joined by `/`. What `create` and `swap` have
    returned from is durable: it survives a power cut. All failures are StorageError.

    Objects stand in groups, whose names end with `/`. A group is there once it was made, or an
    object in it; deleting its objects leaves it. So what a copy or a mount lacks is told from what
    is empty. A place that cannot keep an empty group by itself, as an object store, must keep a
    mark of it.
    """

    location: str
    """The place, in words fit for a message."""

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """Writes a new object; nothing of it is seen before it is whole and durable.

        `is_bulk`: nobody will read it soon, so no cache should keep it in place of something else.
        Raises ObjectExistsError when the name is taken; the object there stays as it is.
        """
        ...

    def swap(self, name: str, expected: bytes, data: Content) -> None:
        """Replaces an object whose content is `expected`, atomically and durably.

        Raises ObjectMissingError, and ObjectChangedError when the content is another.
        """
        ...

    def read(self, name: str) -> bytes:
        """The whole object. Raises ObjectMissingError."""
        ...

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer where the object ends earlier.

        Raises ObjectMissingError.
        """
        ...

    def view(self, name: str) -> memoryview:
        """The whole object, read only, mapped where the place can. Raises ObjectMissingError."""
        ...

    def size(self, name: str) -> int:
        """Bytes of the object. Raises ObjectMissingError."""
        ...

    def top(self) -> list[str]:
        """First parts of all names, sorted; a group's ends with `/`. Reads no further."""
        ...

    def make_group(self, group: str) -> None:
        """Makes a group durable; one that is there stays as it is."""
        ...

    def has_group(self, group: str) -> bool:
        """Whether a group is there, empty or not."""
        ...

    def list(self, prefix: str) -> list[str]:
        """All names below `prefix`, sorted; `prefix` is empty or a group's name.

        Never a part of them. What cannot be an object's name is told too: a file as it is, a
        directory with `/` behind it, and that is not looked into. Raises GroupMissingError.
        """
        ...

    def delete(self, name: str) -> None:
        """Removes the object; one that is not there is no error."""
        ...


def is_part(text: str) -> bool:
    """Whether this can be a part of an object's name."""
    return _PART.fullmatch(text) is not None


@functools.lru_cache(4096)
def check_name(name: str) -> str:
    """The name itself. Raises StorageError when it could leave the repository or hide in it."""
    if not all(map(is_part, name.split("/"))):
        raise StorageError(f"{name!r} is not the name of an object in a repository")
    return name
