"""`init`: makes a repository."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.repository import Repository
from rowvault.storage.location import open_storage


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Where to make a repository."""

    location: str
    new_password: Callable[[], bytes] | None
    """None: everything is kept in clear."""
    relative: RepositoryAccess | None = None
    """Share cuts and ids with this repository."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """The repository that was made."""

    location: str
    id: str
    encrypted: bool


def init(options: InitOptions) -> InitResult:
    """Makes a repository.

    Raises RepositoryExistsError, NoRepositoryError, StorageError, UsageError, and with a relative
    what opening that raises.
    """
    with options.relative.open() if options.relative else nullcontext() as relative:
        password = None if options.new_password is None else options.new_password()
        storage = open_storage(options.location)
        repository = Repository.create(storage, password, relative=relative)
    try:
        return InitResult(repository.location, repository.id, repository.encrypted)
    finally:
        repository.close()
