"""After a power cut in a history whose blocks are stored as deltas, nothing that is kept is lost.

Backups store blocks on earlier versions of them; snapshots in between are forgotten, so a prune
keeps dead bases, stores others anew, and moves the rest; a repair saves what it can of chains of
which a base is damaged.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from crash.power_cut import Disk
from crash.proof import LISTED, NOWHERE, TRASH, Proof, found_snapshots, record
from crash.test_power_cut_repair import mend, problems, states_of
from crash.test_prune_stops import dying_process
from crash.test_repair_stops import rows_given
from rowvault.codec.frames import BlockType
from rowvault.core.ids import SnapshotId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.config import CutSizes
from rowvault.repository.index.index import Location
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.delta_base_marks import BaseMarker
from rowvault.upkeep.live_blocks import LiveMarks, SnapshotWalk
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import MIDDLING, Tables, open_plain, take_snapshot

__all__ = ["dying_process"]

SIZES = msgspec.structs.replace(MIDDLING, data=CutSizes(1024, 4096, 16384), pack_bytes=1 << 11)
"""Blocks of which a part changes in each version; several packs for each backup."""
ROWS = 300
CYCLE = 29
"""In each version one row of so many is new."""
AT_START = 3
"""Versions that are there before the run."""
CONTINUED = 40
"""Every so many states are gone on from."""
STATES = int(os.environ.get("ROWVAULT_TEST_STATES", "2500")) // 10
OPERATIONS = 8
ALL = PruneRequest(limits=PruneLimits(max_unused=0))


Script = Callable[["History", Repository, Proof, list[Snapshot]], None]


def _text(place: int, number: int) -> bytes:
    last = max((one for one in range(1, number + 1) if (place + 7 * one) % CYCLE == 0), default=0)
    return sha256(f"{place} {last}".encode()).hexdigest().encode()


def _version(number: int) -> Tables:
    rows = [(str(place).encode(), _text(place, number)) for place in range(1, ROWS + 1)]
    return {("shop", "orders"): rows}


VERSIONS = tuple(map(_version, range(10)))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Some versions, each as what changed since earlier ones."""
    place = tmp_path / "base"
    with Repository.create(LocalStorage(place), None, SIZES) as repository:
        parent: Snapshot | None = None
        for number in range(AT_START):
            parent = take_snapshot(repository, VERSIONS[number], number, parent=parent)
    return place


def places(repository: Repository) -> list[tuple[bytes, Location]]:
    """(half of the id, place) of all data blocks that the index lists."""
    repository.internals.index.refresh()
    found = [
        (stored[:16], segment.decode(stored))
        for segment in repository.internals.index.segments
        for stored in segment.records()
    ]
    return [one for one in found if one[1].type is BlockType.DATA]


def dead_bases(repository: Repository) -> int:
    """Frames that no snapshot refers to, and on which one builds that a snapshot does refer to."""
    index = repository.internals.index
    index.refresh()
    marks = LiveMarks(index.segments)
    walk = SnapshotWalk(repository.read_data, repository.read_node)
    for snapshot in repository.snapshots():
        walk.walk(snapshot, lambda kind, ids: [not one for _, one in marks.mark(kind, ids)])
    BaseMarker(marks, index, repository.internals.blocks).mark_all()
    return sum(
        marks.is_marked(BlockType.DATA, prefix) and not marks.is_referred(BlockType.DATA, prefix)
        for prefix, _ in places(repository)
    )


@dataclass
class History:
    """The run under test, and what there was of deltas on its way."""

    script: Script
    depths: Counter[int] = field(default_factory=Counter)
    """How many frames of each depth were there in front of the first prune."""
    dead_bases: list[int] = field(default_factory=list)
    """Behind each prune."""
    reports: list[PruneReport] = field(default_factory=list)

    def __call__(self, place: Path, proof: Proof) -> None:
        with open_plain(LocalStorage(place)) as repository:
            taken = repository.snapshots()
            for number, snapshot in enumerate(taken):
                proof.commit(snapshot, number)
            self.script(self, repository, proof, taken)

    def back_up(
        self, repository: Repository, proof: Proof, taken: list[Snapshot], count: int
    ) -> None:
        for number in range(len(taken), len(taken) + count):
            snapshot = take_snapshot(repository, VERSIONS[number], number, parent=taken[-1])
            proof.commit(snapshot, number)
            taken.append(snapshot)

    def forget(self, repository: Repository, proof: Proof, ids: list[SnapshotId]) -> None:
        for one in ids:
            proof.move([one], LISTED | TRASH)
            repository.forget(repository.find(one))
            proof.move([one], TRASH)

    def prune(self, repository: Repository, proof: Proof) -> None:
        if not self.reports:
            self.depths.update(one.depth for _, one in places(repository))
        gone = [one for one, where in proof.promise.places if where == TRASH]
        proof.move(gone, TRASH | NOWHERE)
        self.reports.append(prune(repository, ALL, SilentMonitor()))
        proof.move(gone, NOWHERE)
        self.dead_bases.append(dead_bases(repository))


def thinned_out(
    history: History, repository: Repository, proof: Proof, taken: list[Snapshot]
) -> None:
    """Of what is kept after this, several blocks build on one that is dead."""
    history.back_up(repository, proof, taken, 5)
    history.forget(repository, proof, [taken[number].id for number in (0, 2, 3, 5)])
    history.prune(repository, proof)
    history.back_up(repository, proof, taken, 1)
    history.forget(repository, proof, [taken[1].id, taken[6].id])
    history.prune(repository, proof)


def at_random(seed: int) -> Script:
    """Backups, forgets and prunes in an order that the seed decides."""

    def script(
        history: History, repository: Repository, proof: Proof, taken: list[Snapshot]
    ) -> None:
        chance = random.Random(seed)
        for _ in range(OPERATIONS):
            older = [one for one, where in proof.promise.places if where == LISTED][:-1]
            choice = chance.choice(["back up", "back up", "forget", "forget", "prune"])
            if choice == "back up" and len(taken) < len(VERSIONS) - 1:
                history.back_up(repository, proof, taken, 1)
            elif choice == "forget" and older:
                history.forget(repository, proof, [chance.choice(older)])
            else:
                history.prune(repository, proof)
        history.prune(repository, proof)

    return script


def goes_on(proof: Proof) -> list[str]:
    """What does not hold after another backup, stored as deltas, and a prune."""
    found = []
    for state, promise in list(proof.states)[::CONTINUED]:
        storage = MemoryStorage(dict(state))
        with open_plain(storage) as repository:
            parent = repository.snapshots()[-1]
            last = take_snapshot(repository, VERSIONS[-1], len(VERSIONS), parent=parent)
            prune(repository, ALL, SilentMonitor())
            there = dict(found_snapshots(repository))
            found += [str(error) for error in check(repository, True, SilentMonitor()).errors]
        kept = {one for one, where in promise.places if where == LISTED}
        found += [f"snapshot {one} is lost" for one in (kept | {last.id}) - there.keys()]
        found += [f"{one} differs" for one in there if there[one][1] not in proof.versions]
    return found


def sound(history: History, place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many states the history makes, all of which hold."""
    proof = record(place, history, Disk(place), monkeypatch, VERSIONS)
    assert history.depths.total() > history.depths[0] + 5  # the rest are deltas
    assert proof.problems() == []
    assert goes_on(proof) == []
    return proof.distinct_count()


@pytest.mark.usefixtures("dying_process")
def test_every_state_of_a_history_of_deltas_is_sound(
    base: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    history = History(thinned_out)
    count = sound(history, base, monkeypatch)
    assert max(history.depths) >= 3
    assert history.dead_bases[0] > 0
    assert sum(report.renewed_blocks for report in history.reports) > 0
    assert sum(report.repacked_packs for report in history.reports) > 0
    deltas = history.depths.total() - history.depths[0]
    tell(
        f"{count} states after a power cut in a history of {deltas} deltas, up to "
        f"{max(history.depths)} deep; {history.dead_bases[0]} dead bases kept"
    )


@pytest.mark.usefixtures("dying_process")
def test_every_state_of_many_histories_of_deltas_is_sound(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    count = seed = renewed = 0
    while count < STATES:
        seed += 1
        place = Path(shutil.copytree(base, tmp_path / str(seed)))
        history = History(at_random(seed))
        count += sound(history, place, monkeypatch)
        renewed += sum(report.renewed_blocks for report in history.reports)
    assert renewed > 0
    tell(f"{count} states after a power cut in {seed} histories of deltas; {renewed} were renewed")


@pytest.fixture
def damaged(base: Path) -> Path:
    """A bit is flipped in a delta on which others build."""
    with open_plain(LocalStorage(base)) as repository:
        blocks = repository.internals.blocks
        built_on = Counter(
            below
            for prefix, place in places(repository)
            for below in blocks.header(prefix, place).bases
        )
        _, place = max(
            (
                (prefix, one)
                for prefix, one in places(repository)
                if prefix in built_on and one.depth
            ),
            key=lambda both: built_on[both[0]],
        )
    path = base / names.pack(place.pack_type, place.pack)
    data = bytearray(path.read_bytes())
    data[place.offset + place.frame_bytes - 20] ^= 1
    path.write_bytes(data)
    return base


@pytest.mark.usefixtures("dying_process")
def test_every_state_of_a_repair_of_deltas_is_sound(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    with open_plain(LocalStorage(damaged)) as repository:
        errors = [str(one) for one in check(repository, True, SilentMonitor()).errors]
    assert any("it builds on block" in one for one in errors)
    expected = rows_given(LocalStorage(damaged))
    states = states_of(record(damaged, mend, Disk(damaged), monkeypatch, ()))
    assert list(problems(states, expected)) == []
    tell(f"{len(states)} states after a power cut during a repair of deltas")
