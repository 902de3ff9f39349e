"""After a power cut at any moment of a run, every committed snapshot is whole and `check` agrees.

All legal states of the file system are built from a record of the run's system calls, and each one
is opened, checked to the last byte, and read.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crash.power_cut import Disk, State, recorded
from rowvault.core.errors import NoRepositoryError, RowvaultError
from rowvault.core.ids import SnapshotId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.check import check
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.storage import LocalStorage
from support.sample_repository import (
    SMALL,
    Tables,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

OLD: Tables = {("shop", "orders"): sample_rows(60)}
NEW: Tables = {("shop", "orders"): sample_rows(160, salt="n"), ("shop", "items"): sample_rows(9)}


@dataclass(frozen=True)
class Promise:
    """What a run has reported as done."""

    is_created: bool = True
    committed: tuple[tuple[str, int], ...] = ()
    """(snapshot, number of its rows' version)"""


class Proof:
    """Collects the states of a run, each once, with what was promised when the power failed."""

    def __init__(self, versions: Sequence[Tables]) -> None:
        self.versions = versions
        """All that a snapshot may hold."""
        self.promise = Promise()
        self.states: dict[bytes, tuple[State, Promise]] = {}

    def commit(self, snapshot: Snapshot, version: int) -> None:
        """A run has reported a snapshot."""
        committed = (*self.promise.committed, (snapshot.id, version))
        self.promise = replace(self.promise, committed=committed)

    def collect(self, disk: Disk) -> None:
        """All states that a power cut now may leave."""
        for state in disk.states():
            mark = hashlib.sha256(repr((state, self.promise)).encode()).digest()
            self.states.setdefault(mark, (state, self.promise))

    def problems(self, place: Path) -> list[str]:
        """What does not hold in one of the states; empty when all of them are sound."""
        found = []
        for state, promise in self.states.values():
            _build(place, state)
            try:
                found += self._problems(place, promise)
            except NoRepositoryError as error:
                if promise.is_created:
                    found.append(str(error))
            except RowvaultError as error:
                found.append(f"{type(error).__name__}: {error}")
            shutil.rmtree(place)
        return found

    def _problems(self, place: Path, promise: Promise) -> list[str]:
        repository = open_plain(LocalStorage(place))
        found = [str(error) for error in check(repository, True, SilentMonitor()).errors]
        there = {one.id: read_snapshot(repository, one) for one in repository.snapshots()}
        repository.close()
        for snapshot, version in promise.committed:
            if there.get(SnapshotId(snapshot)) != self.versions[version]:
                found.append(f"snapshot {snapshot} is lost or differs")
        return found + [
            f"{one} was never taken" for one in there if there[one] not in self.versions
        ]


def _build(directory: Path, state: State) -> None:
    directory.mkdir()
    for name, content in state:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A repository with one snapshot."""
    place = tmp_path / "base"
    take_snapshot(Repository.create(LocalStorage(place), None, SMALL), OLD)
    return place


Run = Callable[[Path, Proof], None]


def back_up(place: Path, proof: Proof) -> None:
    """The run under test: a backup on top of the first one."""
    repository = open_plain(LocalStorage(place))
    for snapshot in repository.snapshots():
        proof.commit(snapshot, 0)
    with repository.begin("test", SilentMonitor()) as session:
        snapshot = session.commit(put_all(session, repository, NEW, 1), ["daily"])
    proof.commit(snapshot, 1)
    repository.close()


def record(
    place: Path,
    run: Run,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    versions: Sequence[Tables] = (OLD, NEW),
) -> Proof:
    """Runs it on the disk, and collects all states on the way."""
    proof = Proof(versions)
    disk.load()
    disk.on_change = proof.collect
    with recorded(disk, monkeypatch):
        run(place, proof)
    proof.collect(disk)
    return proof


def test_every_state_of_a_backup_is_sound(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = record(base, back_up, Disk(base), monkeypatch)
    assert proof.problems(tmp_path / "state") == []
    with capsys.disabled():
        print(f"\n{len(proof.states)} states after a power cut during a backup", end=" ")


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
    proof = record(tmp_path / "new", start, Disk(tmp_path / "new"), monkeypatch)
    assert proof.problems(tmp_path / "state") == []


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
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = [OLD] + [
        {("shop", "orders"): sample_rows(60, salt=str(number))} for number in range(1, 14)
    ]
    proof = record(base, history, Disk(base), monkeypatch, versions)
    assert proof.problems(tmp_path / "state") == []
    with capsys.disabled():
        print(f"\n{len(proof.states)} states after a power cut in a history of backups", end=" ")


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
    proof = record(tmp_path / "new", start, disk, monkeypatch)
    assert proof.problems(tmp_path / "state") != []
