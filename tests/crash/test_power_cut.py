"""After a power cut at any moment of a run, every committed snapshot is whole and `check` agrees.

All legal states of the file system are built from a record of the run's system calls, and each one
is opened, checked to the last byte, and read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crash.power_cut import Disk
from crash.proof import Promise, Proof, record
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import (
    SMALL,
    Tables,
    open_plain,
    put_all,
    sample_rows,
    take_snapshot,
)

OLD: Tables = {("shop", "orders"): sample_rows(60)}
NEW: Tables = {("shop", "orders"): sample_rows(160, salt="n"), ("shop", "items"): sample_rows(9)}
VERSIONS = (OLD, NEW)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A repository with one snapshot."""
    place = tmp_path / "base"
    take_snapshot(Repository.create(LocalStorage(place), None, SMALL), OLD)
    return place


def back_up(place: Path, proof: Proof) -> None:
    """The run under test: a backup on top of the first one."""
    repository = open_plain(LocalStorage(place))
    for snapshot in repository.snapshots():
        proof.commit(snapshot, 0)
    with repository.begin("test", SilentMonitor()) as session:
        snapshot = session.commit(put_all(session, repository, NEW, 1), ["daily"])
    proof.commit(snapshot, 1)
    repository.close()


def test_every_state_of_a_backup_is_sound(
    base: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    proof = record(base, back_up, Disk(base), monkeypatch, VERSIONS)
    assert proof.problems() == []
    tell(f"{len(proof.states)} states after a power cut during a backup")


def start(place: Path, proof: Proof) -> None:
    """The run under test: a repository is made, and its first backup."""
    proof.promise = Promise(is_created=False)
    repository = Repository.create(LocalStorage(place), None, SMALL)
    proof.promise = Promise()
    proof.commit(take_snapshot(repository, OLD), 0)
    repository.close()


def test_every_state_of_a_beginning_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    proof = record(tmp_path / "new", start, Disk(tmp_path / "new"), monkeypatch, VERSIONS)
    assert proof.problems() == []


def history(place: Path, proof: Proof) -> None:
    """The run under test: many backups, some of which fail, until index segments are merged."""
    repository = open_plain(LocalStorage(place))
    for snapshot in repository.snapshots():
        proof.commit(snapshot, 0)
    for version in range(1, len(proof.versions)):
        with repository.begin("test", SilentMonitor()) as session:
            draft = put_all(session, repository, proof.versions[version], version)
            if version % 3:
                proof.commit(session.commit(draft), version)
    repository.close()


def test_every_state_of_a_history_is_sound(
    base: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    versions = [OLD] + [
        {("shop", "orders"): sample_rows(60, salt=str(number))} for number in range(1, 14)
    ]
    proof = record(base, history, Disk(base), monkeypatch, versions)
    assert proof.problems() == []
    tell(f"{len(proof.states)} states after a power cut in a history of backups")


MUTANTS: dict[str, Callable[[str, bool], bool]] = {
    "files": lambda path, is_directory: not is_directory,
    "names of packs": lambda path, is_directory: path.startswith("packs/"),
    "names of segments": lambda path, is_directory: path == "index",
    "names of snapshots": lambda path, is_directory: path == "snapshots",
    "names of directories": lambda path, is_directory: path == "",
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_writer_without_one_fsync_is_caught(
    mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    disk = Disk(tmp_path / "new", MUTANTS[mutant])
    proof = record(tmp_path / "new", start, disk, monkeypatch, VERSIONS)
    assert proof.is_broken()
