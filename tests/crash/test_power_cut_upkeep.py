"""After a power cut during a forget, an undelete, a prune, or a mix of them and backups, all holds.

A snapshot is where the run that was cut has left it, or where it was about to move it; what is
listed or in the trash reads back to the last row; and a prune and a backup go on from there.
`ROWVAULT_TEST_STATES` is the least number of distinct states that the histories make.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from crash.power_cut import Disk
from crash.proof import LISTED, NOWHERE, TRASH, Proof, found_snapshots, record
from rowvault.core.ids import SnapshotId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.session_object import ProcessIdentity
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, Row, Tables, open_plain, sample_rows, take_snapshot

STATES = int(os.environ.get("ROWVAULT_TEST_STATES", "2500"))
OPERATIONS = 12
"""Of one history."""
CONTINUED = 20
"""Every so many states are gone on from."""
ALL = PruneRequest(limits=PruneLimits(max_unused=0))


def _version(number: int) -> Tables:
    """Rows of which each number shares some, scattered, with the ones around it."""
    old, new = sample_rows(24, salt=f"{number // 4}"), sample_rows(24, salt=f"n{number}")
    rows: list[Row] = [
        one if place % 12 < 8 else other
        for place, (one, other) in enumerate(zip(old, new, strict=True))
    ]
    return {("shop", "orders"): rows}


VERSIONS = tuple(map(_version, range(OPERATIONS + 2)))


class Script:
    """Operations on one repository, each of which tells the proof what it is about to do."""

    def __init__(self, place: Path, proof: Proof) -> None:
        self.proof = proof
        self.repository = open_plain(LocalStorage(place))
        for number, one in enumerate(self.repository.snapshots()):
            proof.commit(one, number)
        self.taken = len(proof.promise.versions)

    def at(self, places: object) -> list[SnapshotId]:
        """The snapshots that are there."""
        return [one for one, where in self.proof.promise.places if where == places]

    def back_up(self) -> None:
        """The next version."""
        number = self.taken
        self.taken += 1
        snapshot = take_snapshot(self.repository, VERSIONS[number], number, ["daily"])
        self.proof.commit(snapshot, number)

    def fail_to_back_up(self) -> None:
        """A run that stores packs and then gives up."""
        session = self.repository.begin("test", SilentMonitor())
        session.put_data(b"of no use" * self.taken)
        session.abort()

    def forget(self, one: SnapshotId) -> None:
        """Into the trash."""
        self.proof.move([one], LISTED | TRASH)
        self.repository.forget(self.repository.find(one))
        self.proof.move([one], TRASH)

    def undelete(self, one: SnapshotId) -> None:
        """Out of it again."""
        self.proof.move([one], LISTED | TRASH)
        self.repository.trash.take_back(one)
        self.proof.move([one], LISTED)

    def prune(self) -> None:
        """With all that it can do: packs that are live in part are stored once more."""
        gone = self.at(TRASH)
        self.proof.move(gone, TRASH | NOWHERE)
        prune(self.repository, ALL, SilentMonitor())
        self.proof.move(gone, NOWHERE)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A repository with two snapshots."""
    place = tmp_path / "base"
    with Repository.create(LocalStorage(place), None, SMALL) as repository:
        for number in range(2):
            take_snapshot(repository, VERSIONS[number], number, ["first"])
    return place


@pytest.fixture(autouse=True)
def _dead_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that made a session does not outlive the power cut."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = ProcessIdentity.current()
    gone = msgspec.structs.replace(here, pid=ended.pid)
    monkeypatch.setattr(ProcessIdentity, "current", classmethod(lambda cls: gone))


def one_of_each(place: Path, proof: Proof) -> None:
    """The run under test: forget, undelete, prune."""
    script = Script(place, proof)
    first = script.at(LISTED)[0]
    script.forget(first)
    script.undelete(first)
    script.forget(first)
    script.prune()
    script.repository.close()


def step(script: Script, chance: random.Random) -> None:
    """One operation of a history."""
    listed, trash = script.at(LISTED), script.at(TRASH)
    choices = [script.back_up, script.prune, script.prune, script.fail_to_back_up]
    if len(listed) > 1:
        choices += [lambda: script.forget(chance.choice(listed))] * 2
    if trash:
        choices.append(lambda: script.undelete(chance.choice(trash)))
    chance.choice(choices)()


def random_history(seed: int) -> Callable[[Path, Proof], None]:
    """The run under test: some operations in an order that the seed decides."""

    def run(place: Path, proof: Proof) -> None:
        chance = random.Random(seed)
        script = Script(place, proof)
        for _ in range(OPERATIONS):
            step(script, chance)
        script.repository.close()

    return run


def goes_on(proof: Proof) -> list[str]:
    """What a prune and a backup after the power cut do not mend."""
    found = []
    for state, promise in list(proof.states)[::CONTINUED]:
        storage = MemoryStorage(dict(state))
        with open_plain(storage) as repository:
            report = prune(repository, ALL, SilentMonitor())
            last = take_snapshot(repository, VERSIONS[-1], len(VERSIONS))
            there = dict(found_snapshots(repository))
            found += [str(error) for error in check(repository, True, SilentMonitor()).errors]
        found += [f"the prune waits for {one}" for one in report.waits_for]
        found += [f"{name} is left" for name in storage.list("sessions/")]
        kept = {one for one, places in promise.places if places == LISTED}
        found += [f"snapshot {one} is lost" for one in (kept | {last.id}) - there.keys()]
        found += [f"{one} differs" for one in there if there[one][1] not in proof.versions]
    return found


def test_every_state_of_one_of_each_is_sound(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = record(base, one_of_each, Disk(base), monkeypatch, VERSIONS)
    assert proof.problems() == []
    assert goes_on(proof) == []


def test_every_state_of_many_histories_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    count, seed = 0, 0
    while count < STATES:
        seed += 1
        place = tmp_path / str(seed)
        with Repository.create(LocalStorage(place), None, SMALL) as repository:
            take_snapshot(repository, VERSIONS[0])
        proof = record(place, random_history(seed), Disk(place), monkeypatch, VERSIONS)
        assert proof.problems() == [], f"seed {seed}"
        assert goes_on(proof) == [], f"seed {seed}"
        count += proof.distinct_count()
    tell(f"{count} states after a power cut in {seed} histories")


MUTANTS: dict[str, Callable[[str, bool], bool]] = {
    "files": lambda path, is_directory: not is_directory,
    "names of forgotten snapshots": lambda path, is_directory: path == "trash",
    "names of snapshots": lambda path, is_directory: path == "snapshots",
    "names of packs": lambda path, is_directory: path.startswith("packs/"),
    "names of segments": lambda path, is_directory: path == "index",
    "names of rounds": lambda path, is_directory: path == "gc",
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_upkeep_without_one_fsync_is_caught(
    mutant: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = record(base, one_of_each, Disk(base, MUTANTS[mutant]), monkeypatch, VERSIONS)
    assert proof.is_broken()
