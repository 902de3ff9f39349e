"""A command over several things that fails in the middle says which are done."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.cli.failure import notes_of
from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.commands.forget import ForgetOptions, UndeleteOptions, forget, undelete
from rowvault.commands.tags import TagOptions, add_tags
from rowvault.core.errors import StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.core.partly import done_before
from rowvault.repository.records.find_snapshot import SnapshotRequest
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.repository.records.trash import Trash
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL, sample_rows, take_snapshot


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    repository = Repository.create(LocalStorage(tmp_path / "place"), None, SMALL)
    tables = {("shop", "orders"): sample_rows(5)}
    return [take_snapshot(repository, tables, number).id for number in range(4)]


@pytest.fixture
def access(tmp_path: Path, ids: list[str]) -> RepositoryAccess:
    return RepositoryAccess(str(tmp_path / "place"), lambda: b"")


def chosen(*names: str) -> tuple[SnapshotChoice, ...]:
    return tuple(SnapshotChoice(SnapshotRequest(name)) for name in names)


def failing_after(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, error: BaseException
) -> None:
    """The second call and all after it fail."""
    plain = getattr(owner, name)
    calls = []

    def call(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > 1:
            raise error
        return plain(*arguments)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("error", [StorageError("full"), KeyboardInterrupt()])
def test_forget(
    ids: list[str],
    access: RepositoryAccess,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    failing_after(monkeypatch, Trash, "put", error)
    with pytest.raises(type(error)) as raised:
        forget(ForgetOptions(access, chosen(*ids[:3])), SilentMonitor())
    (done,) = done_before(raised.value)["forgotten"]
    (told,) = notes_of(raised.value)
    assert done in ids[:3]
    before, _, after = told.partition("not forgotten yet")
    assert done in before
    assert all(one in after for one in set(ids[:3]) - {done})


def test_undelete(
    ids: list[str], access: RepositoryAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(ForgetOptions(access, chosen(*ids[:3])), SilentMonitor())
    failing_after(monkeypatch, Trash, "take_back", StorageError("full"))
    with pytest.raises(StorageError) as raised:
        undelete(UndeleteOptions(access, chosen(*ids[:3])))
    assert done_before(raised.value) == {"snapshots": [ids[0]]}


def test_tags(ids: list[str], access: RepositoryAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_after(monkeypatch, SnapshotStore, "add_tag", StorageError("full"))
    with pytest.raises(StorageError) as raised:
        add_tags(TagOptions(access, SnapshotChoice(SnapshotRequest(ids[0])), ("a", "b")))
    assert done_before(raised.value) == {"tags": ["a"]}


def test_an_error_before_anything_is_done_has_no_note(
    ids: list[str], access: RepositoryAccess
) -> None:
    with pytest.raises(Exception, match="ffff") as raised:
        forget(ForgetOptions(access, chosen(ids[0], "ffff")), SilentMonitor())
    assert not done_before(raised.value)
    assert not notes_of(raised.value)
