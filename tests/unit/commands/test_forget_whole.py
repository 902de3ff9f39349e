"""`forget` where only incomplete snapshots of a source would be left."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.commands.forget import ForgetOptions, forget
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.find_snapshot import SnapshotRequest
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL, put_all, sample_rows

TABLES = {("shop", "orders"): sample_rows(5)}


@pytest.fixture
def access(tmp_path: Path) -> RepositoryAccess:
    """Two whole snapshots, then two that lack a table."""
    with Repository.create(LocalStorage(tmp_path / "place"), None, SMALL) as repository:
        for number in range(4):
            with repository.begin("test", SilentMonitor()) as session:
                draft = put_all(session, repository, TABLES, number)
                lacks = ("`shop`.`own` cannot be seen",) if number > 1 else ()
                session.commit(msgspec.structs.replace(draft, missing=lacks))
    return RepositoryAccess(str(tmp_path / "place"), lambda: b"")


def names(access: RepositoryAccess) -> list[str]:
    with access.open() as repository:
        return [one.id for one in repository.snapshots()]


def drop(access: RepositoryAccess, *ids: str, dry_run: bool = False) -> list[str]:
    """What it warns of."""
    monitor = SilentMonitor()
    chosen = tuple(SnapshotChoice(SnapshotRequest(one)) for one in ids)
    forget(ForgetOptions(access, snapshots=chosen, dry_run=dry_run), monitor)
    return monitor.warnings


def test_the_last_whole_one_is_missed(access: RepositoryAccess) -> None:
    first, second, third, fourth = names(access)
    assert drop(access, first) == []
    for dry_run in (True, False):
        (told,) = drop(access, second, dry_run=dry_run)
        assert f"undelete {second}" in told
        assert third in told
        assert fourth in told
    assert drop(access, third) == []


def test_of_several_at_once_the_newest_is_named(access: RepositoryAccess) -> None:
    first, second, third, _ = names(access)
    (told,) = drop(access, first, second, third)
    assert f"undelete {second}" in told
    assert third not in told
