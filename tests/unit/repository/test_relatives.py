"""Repositories that share ids and cuts, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.errors import UsageError, WrongPasswordError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import CHEAP, SMALL, sample_rows, take_snapshot

TABLES = {("shop", "orders"): sample_rows(200)}


def roots(repository: Repository) -> list[object]:
    snapshot = take_snapshot(repository, TABLES)
    return [snapshot.manifest, *(one.root for one in repository.manifest(snapshot).tables())]


def test_equal_rows_are_equal_trees_in_relatives(tmp_path: Path) -> None:
    first = Repository.create(LocalStorage(tmp_path / "a"), b"one", SMALL, CHEAP)
    storage = LocalStorage(tmp_path / "b")
    Repository.create(storage, b"two", cost=CHEAP, relative=first)
    second = Repository.open(storage, lambda: b"two")
    assert second.id != first.id
    assert second.cut_rule == first.cut_rule
    assert roots(second) == roots(first)
    assert not set(storage.list("packs/")) & set(LocalStorage(tmp_path / "a").list("packs/"))
    with pytest.raises(WrongPasswordError):
        Repository.open(storage, lambda: b"one")


def test_a_relative_in_clear_would_give_the_identity_away(tmp_path: Path) -> None:
    first = Repository.create(LocalStorage(tmp_path / "a"), b"one", SMALL, CHEAP)
    with pytest.raises(UsageError, match="identity"):
        Repository.create(LocalStorage(tmp_path / "b"), None, relative=first)
    assert not (tmp_path / "b").exists()


def test_a_relative_may_be_encrypted_where_the_first_is_not(tmp_path: Path) -> None:
    first = Repository.create(LocalStorage(tmp_path / "a"), None, SMALL)
    second = Repository.create(LocalStorage(tmp_path / "b"), b"two", cost=CHEAP, relative=first)
    assert second.encrypted
    assert roots(second) == roots(first)


def test_a_session_names_what_it_builds_on(tmp_path: Path) -> None:
    repository = Repository.create(LocalStorage(tmp_path / "a"), None, SMALL)
    parent = take_snapshot(repository, TABLES)
    with repository.begin("test", SilentMonitor(), parent=parent.id):
        [(document, _)] = repository.internals.snapshot_store.sessions()
        assert document.parent == parent.id
    with repository.begin("test", SilentMonitor()):
        [(document, _)] = repository.internals.snapshot_store.sessions()
        assert document.parent is None
