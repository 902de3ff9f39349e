"""`init`: makes a repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rowvault.repository.repository import Repository
from rowvault.storage.location import open_storage


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Where to make a repository."""

    location: str
    new_password: Callable[[], bytes] | None
    """None: everything is kept in clear."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """The repository that was made."""

    location: str
    id: str
    encrypted: bool


def init(options: InitOptions) -> InitResult:
    """Makes a repository. Raises RepositoryExistsError, NoRepositoryError, StorageError."""
    password = None if options.new_password is None else options.new_password()
    repository = Repository.create(open_storage(options.location), password)
    try:
        return InitResult(repository.location, repository.id, repository.encrypted)
    finally:
        repository.close()
