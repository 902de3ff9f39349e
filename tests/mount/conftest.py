"""A repository with some snapshots of odd tables, and real mounts of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mount.mounting import Mount, mounts
from mount.odd_tables import fill
from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.source.sqlite.snapshot import SqliteSource
from rowvault.storage.location import open_storage
from support.small_vault import create_small


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without FUSE the tests that mount are skipped, except where it must be there."""
    if os.path.exists("/dev/fuse") or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("fuse"):
            item.add_marker(pytest.mark.skip(reason="/dev/fuse is not here"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's directory: three snapshots of one file, the second of them tagged."""
    directory = tmp_path_factory.mktemp("mount")
    with create_small(directory / "vault") as repository:
        for number, tags in ((40, ()), (300, ("nightly", "a/b")), (900, ())):
            fill(directory / "source.db", number)
            source = SqliteSource(directory / "source.db")
            run_backup(repository, source, BackupRequest(tags=tags), SilentMonitor())
    return directory / "vault"


@pytest.fixture
def repository(place: Path) -> Iterator[Repository]:
    """The same, open."""
    with Repository.open(open_storage(str(place)), lambda: b"") as opened:
        yield opened


@pytest.fixture
def mount(tmp_path: Path, place: Path) -> Iterator[Mount]:
    """Mounts a repository, by default the common one; unmounts at the end."""
    with mounts(tmp_path, place) as made:
        yield made
