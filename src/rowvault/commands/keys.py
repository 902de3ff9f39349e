"""`key list|add|remove|change`: who can open a repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rowvault.commands.access import RepositoryAccess
from rowvault.repository import Key


def list_keys(access: RepositoryAccess) -> list[Key]:
    """All keys, oldest first. Raises UsageError where the repository is not encrypted."""
    with access.open() as repository:
        return repository.keys.all()


@dataclass(frozen=True, slots=True)
class AddedKey:
    """A key that was made."""

    key: Key
    recovery_key: str | None
    """Its printed form, of a recovery key; it is stored nowhere."""


@dataclass(frozen=True, slots=True)
class AddKeyOptions:
    """Which key to add."""

    repository: RepositoryAccess
    new_password: Callable[[], bytes] | None
    """None: a recovery key."""
    label: str = ""


def add_key(options: AddKeyOptions) -> AddedKey:
    """Adds a key. Raises UsageError, RepositoryError."""
    with options.repository.open() as repository:
        keys = repository.keys
        if options.new_password is None:
            key, text = keys.add_recovery(options.label)
            return AddedKey(key, text)
        return AddedKey(keys.add(options.new_password(), options.label), None)


@dataclass(frozen=True, slots=True)
class RemoveKeyOptions:
    """Which key to take away."""

    repository: RepositoryAccess
    key: str
    force: bool = False
    """Also the one that this command opens the repository with."""


def remove_key(options: RemoveKeyOptions) -> Key:
    """Takes a key away, never the last one. Raises UsageError, RepositoryError."""
    with options.repository.open() as repository:
        return repository.keys.remove(options.key, force=options.force)


@dataclass(frozen=True, slots=True)
class ChangeKeyOptions:
    """A new password for which key."""

    repository: RepositoryAccess
    new_password: Callable[[], bytes]
    key: str | None = None
    """None: the one that opens the repository."""


def change_key(options: ChangeKeyOptions) -> tuple[Key, Key]:
    """(new key, the one that it replaces). Raises UsageError, RepositoryError."""
    with options.repository.open() as repository:
        keys = repository.keys
        if options.key:
            keys.find(options.key)  # before a person types a password in vain
        return keys.change(options.new_password(), options.key)
