"""What a file system serves: directories, files and symbolic links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rowvault.render.document import Document


@dataclass(frozen=True, slots=True)
class File:
    """A file; its content never changes, unless it can be renewed."""

    time: datetime
    length: int
    """In bytes; exact."""
    open: Callable[[], Document]
    """Its text. Raises DamageError."""
    renew: Callable[[], File] | None = None
    """The file as it is now, where its content may change. Raises DamageError, StorageError."""


@dataclass(frozen=True, slots=True)
class SymbolicLink:
    """A symbolic link."""

    time: datetime
    target: str


class Directory(Protocol):
    """A directory. All methods raise DamageError, StorageError."""

    @property
    def time(self) -> datetime:
        """When what it shows was taken."""
        ...

    @property
    def changes(self) -> bool:
        """Whether its entries may come and go while mounted."""
        ...

    def entries(self) -> Iterator[tuple[str, Node]]:
        """All entries by name."""
        ...

    def child(self, name: str) -> Node | None:
        """One entry; None where there is none of that name."""
        ...


Node = Directory | File | SymbolicLink
