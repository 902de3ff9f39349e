"""A run finds its parent and stands still; the parent is forgotten and pruned; the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.vaults import change_database, make_database
from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.errors import SnapshotNotFoundError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.source.sqlite.snapshot import SqliteSource
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    MIDDLING,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

LAZY = PruneRequest(limits=PruneLimits(max_unused=float("inf")))
"""Packs that are needed in part stay as they are, with dead deltas whose bases go."""

ROWS = sample_rows(300)
CHANGED = [(key, b"%s!" % text if place % 12 == 0 else text)
           for place, (key, text) in enumerate(ROWS)]  # fmt: skip
OTHERS = {("shop", "others"): sample_rows(300, salt="others")}
FIRST = {("shop", "orders"): ROWS}
SECOND = {("shop", "orders"): CHANGED, **OTHERS}


def forget_and_prune(repository: Repository, *gone: str) -> None:
    for one in gone:
        repository.forget(repository.find(one))
    prune(repository, LAZY, SilentMonitor())


def test_a_parent_that_was_pruned_meanwhile_vouches_for_nothing() -> None:
    """Its deltas lie in a pack that another snapshot needs; what they build on has gone."""
    storage = MemoryStorage()
    with Repository.create(storage, None, MIDDLING) as other:
        first = take_snapshot(other, FIRST, 0)
        second = take_snapshot(other, SECOND, 1, parent=first)
        take_snapshot(other, OTHERS, 2)
    with open_plain(storage) as repository:
        parent = repository.find(second.id)
        assert read_snapshot(repository, parent) == SECOND  # its tree is at hand
        with open_plain(storage) as other:
            forget_and_prune(other, first.id, second.id)
        with repository.begin("backup", SilentMonitor(), parent=parent.id) as session:
            assert session.parent is None
            draft = put_all(session, repository, SECOND, 3, parent=parent)
            snapshot = session.commit(draft)
    with open_plain(storage) as repository:
        assert check(repository, True, SilentMonitor()).errors == []
        assert read_snapshot(repository, repository.find(snapshot.id)) == SECOND


def test_a_parent_that_is_there_vouches(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, None, MIDDLING) as repository:
        first = take_snapshot(repository, FIRST, 0)
        with repository.begin("backup", SilentMonitor(), parent=first.id) as session:
            assert session.parent == first.id
        with repository.begin("backup", SilentMonitor()) as session:
            assert session.parent is None
        repository.forget(first)
        with repository.begin("backup", SilentMonitor(), parent=first.id) as session:
            assert session.parent is None


def test_a_backup_whose_parent_goes_before_it_begins_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "shop.db"
    make_database(source, 500)
    storage = LocalStorage(tmp_path / "vault")
    repository = Repository.create(storage, None, MIDDLING)
    snapshots = []
    for number in range(2):
        if number:
            change_database(source)
        monitor = SilentMonitor()
        snapshots.append(run_backup(repository, SqliteSource(source), BackupRequest(), monitor))
    before = repository.begin

    def overtaken(*arguments: object, **options: object) -> WriteSession:
        monkeypatch.undo()
        with open_plain(storage) as other:
            forget_and_prune(other, *(str(one.snapshot) for one in snapshots))
        return before(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(repository, "begin", overtaken)
    monitor = SilentMonitor()
    result = run_backup(repository, SqliteSource(source), BackupRequest(), monitor)
    assert result.parent is None
    assert any(str(snapshots[-1].snapshot) in one for one in monitor.warnings)
    with open_plain(storage) as fresh:
        snapshot = fresh.find("latest")
        assert (snapshot.id, snapshot.parent) == (result.snapshot, None)
        assert check(fresh, True, SilentMonitor()).errors == []


def test_whoever_forgets_late_leaves_no_ghost_in_the_trash() -> None:
    """It read the list, stood still, and the snapshot was forgotten and pruned meanwhile."""
    storage = MemoryStorage()
    with Repository.create(storage, None, MIDDLING) as repository:
        first = take_snapshot(repository, FIRST, 0)
        take_snapshot(repository, OTHERS, 1)
        late = repository.find(first.id)
        with open_plain(storage) as other:
            forget_and_prune(other, first.id)
        repository.forget(late)
        assert repository.trash.listings() == []
        with pytest.raises(SnapshotNotFoundError):
            repository.trash.take_back(first.id)
