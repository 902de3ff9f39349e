"""Several keys to one repository: added, removed, changed, also by two at once and half-way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rowvault.core.errors import (
    CorruptError,
    RepositoryError,
    UsageError,
    WrongPasswordError,
)
from rowvault.repository.crypto.key_ring import KeyRing
from rowvault.repository.crypto.key_slot import SlotKind
from rowvault.repository.crypto.recovery_key import make_recovery_key, read_recovery_key
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.failing_storage import KilledError, StoppingStorage
from support.sample_repository import CHEAP, SMALL, open_plain, sample_rows, take_snapshot

FIRST, SECOND = b"first password", b"second password"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """A repository with a snapshot, made with the first password."""
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, FIRST, SMALL, CHEAP) as repository:
        take_snapshot(repository, {("a", "b"): sample_rows(3)})
    return storage


def ring(storage: LocalStorage | StoppingStorage, password: bytes = FIRST) -> KeyRing:
    return Repository.open(storage, lambda: password).keys


def opens(storage: LocalStorage, password: bytes) -> bool:
    try:
        with Repository.open(storage, lambda: password) as repository:
            return len(repository.snapshots()) == 1
    except WrongPasswordError:
        return False


def test_a_new_repository_has_one_key(storage: LocalStorage) -> None:
    (key,) = ring(storage).all()
    assert (key.kind, key.label, key.in_use) == (SlotKind.PASSWORD, "", True)
    assert key.host


def test_several_passwords(storage: LocalStorage) -> None:
    added = ring(storage).add(SECOND, "ops", CHEAP)
    assert opens(storage, FIRST)
    assert opens(storage, SECOND)
    assert not opens(storage, b"third")
    by_label = {key.label: key for key in ring(storage, SECOND).all()}
    assert by_label["ops"].id == added.id
    assert by_label["ops"].in_use
    assert not by_label[""].in_use


def test_labels_and_hosts_are_secret(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A short name would stand in some random text sooner or later.
    monkeypatch.setattr(socket, "gethostname", lambda: "ledger-of-the-bank")
    key = ring(storage).add(SECOND, "the finance department", CHEAP)
    assert key.host == "ledger-of-the-bank"
    for name in storage.list("keys/"):
        assert b"finance" not in storage.read(name)
        assert key.host.encode() not in storage.read(name)


def test_a_removed_key_opens_nothing(storage: LocalStorage) -> None:
    old = ring(storage).all()[0]
    ring(storage).add(SECOND, "", CHEAP)
    bytes_of_old = storage.read(f"keys/{old.id}")
    ring(storage, SECOND).remove(old.id[:6])
    assert not opens(storage, FIRST)
    assert opens(storage, SECOND)
    storage.create(f"keys/{old.id}", bytes_of_old)  # somebody puts it back
    with pytest.raises(WrongPasswordError, match="was removed"):
        Repository.open(storage, lambda: FIRST)
    assert [key.id for key in ring(storage, SECOND).all()] != [old.id]
    storage.create("keys/" + "0" * 16, bytes_of_old)  # under another name
    assert not opens(storage, FIRST)


def test_the_same_password_again_after_removal(storage: LocalStorage) -> None:
    """A slot that came back does not stand in the way of a valid one with the same password."""
    old = ring(storage).all()[0]
    kept = storage.read(f"keys/{old.id}")
    ring(storage).add(FIRST, "again", CHEAP)
    ring(storage, FIRST).remove(old.id, force=True)
    storage.create(f"keys/{old.id}", kept)
    assert opens(storage, FIRST)


def test_the_key_in_use_and_the_last_one_stay(storage: LocalStorage) -> None:
    keys = ring(storage)
    only = keys.all()[0]
    with pytest.raises(UsageError, match="--force"):
        keys.remove(only.id)
    with pytest.raises(RepositoryError, match="last one"):
        keys.remove(only.id, force=True)
    keys.add(SECOND, "", CHEAP)
    keys.remove(only.id, force=True)
    assert not opens(storage, FIRST)
    assert opens(storage, SECOND)


@pytest.mark.parametrize("which", ["", "zz", "g"])
def test_no_such_key(storage: LocalStorage, which: str) -> None:
    with pytest.raises(UsageError, match="there are"):
        ring(storage).find(which)


def test_a_changed_password_keeps_the_label(storage: LocalStorage) -> None:
    added = ring(storage).add(SECOND, "ops", CHEAP)
    new, old = ring(storage, SECOND).change(b"third", None, CHEAP)
    assert (old.id, new.label) == (added.id, "ops")
    assert opens(storage, b"third")
    assert opens(storage, FIRST)
    assert not opens(storage, SECOND)


def test_recovery_key(storage: LocalStorage) -> None:
    keys = ring(storage)
    key, text = keys.add_recovery("safe", CHEAP)
    assert key.kind is SlotKind.RECOVERY
    assert opens(storage, text.encode())
    assert opens(storage, text.lower().replace("-", " ").encode())
    typo = text[:-1] + ("0" if text[-1] != "0" else "2")
    with pytest.raises(WrongPasswordError, match="typo"):
        Repository.open(storage, lambda: typo.encode())
    with pytest.raises(UsageError, match="recovery key"):
        keys.change(SECOND, key.id)
    # The right form is no password of its own.
    with pytest.raises(WrongPasswordError) as other:
        Repository.open(storage, lambda: make_recovery_key().encode())
    assert "typo" not in str(other.value)


def test_every_typo_of_one_character_is_seen() -> None:
    text = make_recovery_key()
    assert read_recovery_key(text.encode()) == text
    for at in range(5, len(text)):
        for character in "0123456789ABCDEFGHJKMNPQRSTVWXYZ-":
            if character != text[at]:
                assert read_recovery_key(f"{text[:at]}{character}{text[at + 1 :]}".encode()) is None
    for at in range(5, len(text) - 1):
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if swapped.replace("-", "") != text.replace("-", ""):
            assert read_recovery_key(swapped.encode()) is None


def test_a_repository_in_clear_has_no_keys(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "clear")
    Repository.create(storage, None, SMALL)
    with pytest.raises(UsageError, match="not encrypted"):
        _ = open_plain(storage).keys


def test_two_removals_at_once_leave_one_key(storage: LocalStorage) -> None:
    """Each sees two keys and removes one; whoever is second finds that it would be the last."""
    ring(storage).add(SECOND, "", CHEAP)
    ids = [key.id for key in ring(storage).all()]
    rings = [ring(storage, FIRST), ring(storage, SECOND)]
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def remove(number: int) -> None:
        barrier.wait()
        try:
            rings[number].remove(ids[number], force=True)
            outcomes.append("removed")
        except RepositoryError:
            outcomes.append("refused")

    threads = [threading.Thread(target=remove, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "removed"]
    assert opens(storage, FIRST) + opens(storage, SECOND) == 1


def test_a_removal_meets_another_one_in_between(storage: LocalStorage) -> None:
    """The other one comes at each storage call in turn."""
    ring(storage).add(SECOND, "", CHEAP)
    first, second = (key.id for key in ring(storage).all())
    counting = StoppingStorage(storage, 10**9, after=False)
    keys = ring(counting)
    before = counting.calls
    for at in range(before + 1, before + 12):
        kept = {name: storage.read(name) for name in storage.list("")}
        meddling = _Meddling(storage, at, lambda: ring(storage, SECOND).remove(second, force=True))
        try:
            ring(meddling).remove(first, force=True)
        except RepositoryError:
            pass
        assert opens(storage, FIRST) + opens(storage, SECOND) >= 1
        for name in storage.list("gc/"):
            storage.delete(name)
        for name, data in kept.items():
            if name not in storage.list("keys/") and name.startswith("keys/"):
                storage.create(name, data)
    assert len(keys.all()) == 2


class _Meddling(StoppingStorage):
    """Does something else right before its n-th call."""

    def __init__(self, inner: LocalStorage, at: int, act: Callable[[], object]) -> None:
        super().__init__(inner, 10**9, after=False)
        self._at = at
        self._act = act

    def _call(self, action: Callable[[], object]) -> object:  # type: ignore[override]
        if self.calls + 1 == self._at:
            try:
                self._act()
            except RepositoryError:
                pass
        return super()._call(action)


@pytest.mark.parametrize("after", [False, True])
def test_a_change_cut_short_opens_with_old_or_new(tmp_path: Path, after: bool) -> None:
    def make(place: Path) -> LocalStorage:
        storage = LocalStorage(place)
        with Repository.create(storage, FIRST, SMALL, CHEAP) as repository:
            take_snapshot(repository, {("a", "b"): sample_rows(3)})
        return storage

    counting = StoppingStorage(make(tmp_path / "count"), 10**9, after=False)
    ring(counting).change(SECOND, None, CHEAP)
    outcomes = set()
    for stop_at in range(1, counting.calls + 1):
        storage = make(tmp_path / str(stop_at))
        with pytest.raises(KilledError):
            ring(StoppingStorage(storage, stop_at, after=after)).change(SECOND, None, CHEAP)
        outcomes.add((opens(storage, FIRST), opens(storage, SECOND)))
        password = SECOND if opens(storage, SECOND) else FIRST
        ring(storage, password).add(b"one more", "", CHEAP)
    assert outcomes == {(True, False), (True, True), (False, True)}


def test_an_altered_label_is_damage(storage: LocalStorage) -> None:
    (key,) = ring(storage).all()
    name = f"keys/{key.id}"
    data = storage.read(name).replace(b'"kind": "password"', b'"kind": "recovery"')
    storage.delete(name)
    storage.create(name, data)
    with pytest.raises((CorruptError, WrongPasswordError)):
        Repository.open(storage, lambda: FIRST)
