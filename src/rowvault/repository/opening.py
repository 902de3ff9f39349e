"""What is at a place before a repository is open: its config and slots, or something else."""

from __future__ import annotations

from collections.abc import Callable

from rowvault.core.errors import (
    DamageError,
    MissingError,
    NoRepositoryError,
    ObjectMissingError,
    RepositoryExistsError,
    StorageError,
    WrongPasswordError,
)
from rowvault.repository import names
from rowvault.repository.config import Config, decode_config
from rowvault.repository.crypto.ciphers import CipherName
from rowvault.repository.crypto.key_ring import refuse_removed
from rowvault.repository.crypto.key_slot import StoredSlot, decode_slot
from rowvault.repository.crypto.recovery_key import looks_like_recovery_key, read_recovery_key
from rowvault.repository.crypto.sealed import Sealer
from rowvault.repository.crypto.secrets import Secrets
from rowvault.storage.protocol import Storage

_OURS = frozenset(group.partition("/")[0] + "/" for group in names.GROUPS)


def exists(storage: Storage) -> RepositoryExistsError:
    """The error that says so."""
    return RepositoryExistsError(
        f"There is a repository at {storage.location} already; it was left as it is."
    )


def require_free(storage: Storage) -> None:
    """Raises unless nothing is there but key slots of an `init` that was cut short, or is at work.

    They are left alone: a repository ignores slots of another id. Raises RepositoryExistsError,
    NoRepositoryError where other files are, StorageError.
    """
    top = storage.top()
    if names.CONFIG in top:
        decode_config(storage.read(names.CONFIG), storage.location)
        raise exists(storage)
    content = _content(storage)
    if any(map(names.is_object, content)):
        raise RepositoryExistsError(
            f"{storage.location} holds a repository whose config is missing; bring that back "
            "from a copy, or choose another place."
        )
    others = [name for name in top if name not in _OURS] + content
    if storage.has_group(names.KEYS):
        others += [name for name in storage.list(names.KEYS) if not _is_slot(storage, name)]
    if others:
        raise NoRepositoryError(
            f"{storage.location} is not empty and not a repository (it holds {others[0]}, for "
            "example); choose an empty or a new directory."
        )


def _is_slot(storage: Storage, name: str) -> bool:
    try:
        decode_slot(storage.read(name), name)
    except (DamageError, StorageError):
        return False
    return True


def _content(storage: Storage) -> list[str]:
    """What stands in the groups, keys apart; an `init` makes them empty."""
    groups = [one for one in _OURS if one != names.KEYS and storage.has_group(one)]
    return [name for group in sorted(groups) for name in storage.list(group)]


def read_config(storage: Storage) -> bytes:
    """The config object's bytes. Raises NoRepositoryError, MissingError, StorageError."""
    try:
        return storage.read(names.CONFIG)
    except ObjectMissingError:
        if any(map(names.is_object, _content(storage))):
            raise MissingError(
                f"The repository at {storage.location} has lost its config object; bring it back "
                "from a copy of the repository."
            ) from None
        raise NoRepositoryError(
            f"There is no repository at {storage.location}; `rowvault init` makes one."
        ) from None


def unlock(storage: Storage, config: Config, password: Callable[[], bytes]) -> tuple[str, Secrets]:
    """(id of the slot that opened, the secrets); `password` is called only where it is needed.

    Raises WrongPasswordError, DamageError, StorageError.
    """
    slots, damage = _read_slots(storage, config)
    clear = config.cipher is CipherName.NONE
    usable = [one for one in slots if (one.slot.clear is not None) == clear]
    if not usable:
        if damage:
            raise type(damage[0])(f"{damage[0]}; bring it back from a copy of the repository")
        raise MissingError(
            f"The repository at {storage.location} has no key slot left; bring `keys/` back from "
            "a copy of the repository."
        )
    given = b"" if clear else password()
    refusal: WrongPasswordError | None = None
    for slot in usable:
        try:
            secrets = slot.open(given)
            if secrets is not None and not clear:
                refuse_removed(storage, Sealer(config.cipher, secrets, config.id), slot.id)
        except DamageError as error:
            damage.append(error)
            continue
        except WrongPasswordError as error:
            refusal = error  # another slot may have the same password
            continue
        if secrets is not None:
            return slot.id, secrets
    if clear:
        raise type(damage[0])(f"{damage[0]}; bring it back from a copy of the repository")
    if refusal is not None:
        raise refusal
    reason = "".join(f" ({error})" for error in damage)
    if looks_like_recovery_key(given) and read_recovery_key(given) is None:
        reason += ": it looks like a recovery key, but has a typo in it"
    raise WrongPasswordError(f"Wrong password for the repository at {storage.location}{reason}.")


def _read_slots(storage: Storage, config: Config) -> tuple[list[StoredSlot], list[DamageError]]:
    """The repository's slots; those of an `init` that was cut short belong to another id."""
    slots: list[StoredSlot] = []
    damage: list[DamageError] = []
    for name in storage.list(names.KEYS):
        try:
            stored = decode_slot(storage.read(name), name)
        except DamageError as error:
            damage.append(error)
            continue
        if stored.slot.repository == config.id:
            slots.append(stored)
    return slots, damage
