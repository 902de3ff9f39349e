"""`forget` beside a snapshot whose clock was wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice
from rowvault.commands.forget import ForgetOptions, forget
from rowvault.core.errors import UsageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.find_snapshot import SnapshotRequest
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.retention import Period, Policy
from support.sample_repository import SMALL, sample_rows, take_snapshot

TABLES = {("shop", "orders"): sample_rows(5)}


@pytest.fixture
def access(tmp_path: Path) -> RepositoryAccess:
    """Two snapshots of the past, one of the year after the next."""
    repository = Repository.create(LocalStorage(tmp_path / "place"), None, SMALL)
    ahead = datetime.now(UTC) + timedelta(days=700) - datetime(2026, 11, 20, 10, tzinfo=UTC)
    for hour in (-24 * 800, -24 * 799, int(ahead / timedelta(hours=1))):
        take_snapshot(repository, TABLES, hour)
    return RepositoryAccess(str(tmp_path / "place"), lambda: b"")


def ids(access: RepositoryAccess) -> list[str]:
    with access.open() as repository:
        return [one.id for one in repository.snapshots()]


def test_it_takes_nobodys_place_and_is_told(access: RepositoryAccess) -> None:
    older, newer, future = ids(access)
    monitor = SilentMonitor()
    result = forget(ForgetOptions(access, policy=Policy({Period.LAST: 1})), monitor)
    assert [one.id for one in result.forgotten] == [older]
    assert ids(access) == [newer, future]
    (told,) = monitor.warnings
    assert future in told
    assert "of the future" in told


def test_it_is_forgotten_by_name(access: RepositoryAccess) -> None:
    future = ids(access)[-1]
    forget(
        ForgetOptions(access, snapshots=(SnapshotChoice(SnapshotRequest(future)),)), SilentMonitor()
    )
    assert future not in ids(access)


def test_a_source_of_which_nothing_else_is_left_counts_as_emptied(
    access: RepositoryAccess,
) -> None:
    before = ids(access)
    with pytest.raises(UsageError, match="--allow-remove-all"):
        forget(ForgetOptions(access, policy=Policy(tags=(("nobody",),))), SilentMonitor())
    assert ids(access) == before
