"""How a command reaches its repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rowvault.repository.repository import Repository
from rowvault.storage.location import open_storage


@dataclass(frozen=True, slots=True)
class RepositoryAccess:
    """Where a repository is, and who knows its password."""

    location: str
    password: Callable[[], bytes]
    """Called only when the repository is encrypted."""

    @contextmanager
    def open(self) -> Iterator[Repository]:
        """The open repository, closed afterwards.

        Raises NoRepositoryError, WrongPasswordError, UnsupportedFormatError.
        """
        repository = Repository.open(open_storage(self.location), self.password)
        try:
            yield repository
        finally:
            repository.close()
