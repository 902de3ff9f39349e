"""Real processes on one repository: backups at once, a prune beside them, a prune that is killed.

`ROWVAULT_TEST_KILLS` says how many prunes are killed (default 6).
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.sample_repository import (
    SMALL,
    Row,
    open_plain,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

KILLS = int(os.environ.get("ROWVAULT_TEST_KILLS", "6"))
ALL = PruneRequest(limits=PruneLimits(max_unused=0))

CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from concurrency.test_processes import back_up, run_prune
from rowvault.storage import LocalStorage
storage = LocalStorage(sys.argv[1])
print("ready", flush=True)
if sys.argv[3] == "prune":
    run_prune(storage)
else:
    for number in range(int(sys.argv[3]), int(sys.argv[3]) + int(sys.argv[4])):
        back_up(storage, number)
"""


def content(number: int) -> dict[tuple[str, str], list[Row]]:
    """Rows of which each number shares some with the ones around it."""
    old, new = sample_rows(400, salt=f"{number // 3}"), sample_rows(400, salt=f"n{number}")
    return {
        ("shop", "orders"): [
            one if place % 20 < 14 else other
            for place, (one, other) in enumerate(zip(old, new, strict=True))
        ]
    }


def back_up(storage: LocalStorage, number: int) -> None:
    with open_plain(storage) as repository:
        take_snapshot(repository, content(number), number)


def run_prune(storage: LocalStorage) -> None:
    with open_plain(storage) as repository:
        prune(repository, ALL, SilentMonitor())


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    """A process that has opened its modules and is about to begin."""
    tests = str(Path(__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(place), tests, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    _, errors = child.communicate()
    assert child.returncode == 0, errors


def assert_whole(place: Path, numbers: set[int]) -> None:
    with open_plain(LocalStorage(place)) as repository:
        found = set()
        for snapshot in repository.snapshots():
            number = snapshot.time.microsecond
            found.add(number)
            assert read_snapshot(repository, snapshot) == content(number)
        assert found == numbers
        assert check(repository, True, SilentMonitor()).errors == []


def make(place: Path) -> None:
    Repository.create(LocalStorage(place), None, SMALL).close()


def test_backups_at_once(tmp_path: Path) -> None:
    make(tmp_path / "place")
    children = [start(tmp_path / "place", str(first), "3") for first in (0, 3, 6)]
    for child in children:
        end(child)
    assert_whole(tmp_path / "place", set(range(9)))
    run_prune(LocalStorage(tmp_path / "place"))
    assert_whole(tmp_path / "place", set(range(9)))


def test_backups_beside_prunes(tmp_path: Path) -> None:
    place = tmp_path / "place"
    make(place)
    for number in range(3):
        back_up(LocalStorage(place), number)
    writers = [start(place, str(first), "4") for first in (3, 7)]
    with open_plain(LocalStorage(place)) as repository:
        for _ in range(2):
            repository.forget(repository.find("latest~1"))
            run_prune(LocalStorage(place))
    for child in writers:
        end(child)
    with open_plain(LocalStorage(place)) as repository:
        left = {snapshot.time.microsecond for snapshot in repository.snapshots()}
    assert len(left) == 11 - 2
    assert_whole(place, left)
    run_prune(LocalStorage(place))
    assert_whole(place, left)
    assert LocalStorage(place).list("sessions/") == []


def test_a_paused_backup_that_comes_back_cannot_commit(tmp_path: Path) -> None:
    """SIGSTOP for longer than the lease, which is nothing here; then SIGCONT."""
    place = tmp_path / "place"
    make(place)
    for number in range(2):
        back_up(LocalStorage(place), number)
    storage = LocalStorage(place)
    with open_plain(storage) as repository:
        repository.forget(repository.find("latest~1"))
    child = start(place, "2", "200")
    while not (stopped := storage.list("sessions/")) or _is_locked(place):
        assert child.poll() is None
        child.send_signal(signal.SIGCONT)
        child.send_signal(signal.SIGSTOP)
        while _state_of(child.pid) != "T":
            pass
    with open_plain(storage) as repository:
        prune(
            repository,
            PruneRequest(
                limits=PruneLimits(max_unused=0), wait=True, lease_s=0, pause=lambda seconds: None
            ),
            SilentMonitor(),
        )
    assert storage.list("sessions/") == []
    child.send_signal(signal.SIGCONT)
    _, errors = child.communicate()
    assert child.returncode != 0, stopped
    assert "was ended by somebody else" in errors
    with open_plain(storage) as repository:
        left = {snapshot.time.microsecond for snapshot in repository.snapshots()}
    assert_whole(place, left)


def _is_locked(place: Path) -> bool:
    """Whether the child was stopped in the instant in which it keeps everybody else out."""
    with (place / ".lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _state_of(pid: int) -> str:
    """proc(5): `T` is a stopped process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_killed_prune(tmp_path: Path) -> None:
    """At random moments; every snapshot that was kept reads back, and the next prune ends it."""
    base = tmp_path / "base"
    make(base)
    for number in range(6):
        back_up(LocalStorage(base), number)
    with open_plain(LocalStorage(base)) as repository:
        for snapshot in repository.snapshots()[::2]:
            repository.forget(snapshot)
    whole = shutil.copytree(base, tmp_path / "whole")
    began = time.monotonic()
    end(start(whole, "prune"))
    length = time.monotonic() - began
    clean = _bulk(whole)
    chance = random.Random(8)
    killed = 0
    for number in range(KILLS):
        place = shutil.copytree(base, tmp_path / f"kill {number}")
        child = start(place, "prune")
        try:
            child.wait(timeout=chance.uniform(0, length))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.communicate()
        assert_whole(place, {1, 3, 5})
        run_prune(LocalStorage(place))
        assert_whole(place, {1, 3, 5})
        assert _bulk(place) < 1.1 * clean
        assert LocalStorage(place).list("sessions/") == []
        shutil.rmtree(place)
    assert killed > 0


def _bulk(place: Path) -> int:
    storage = LocalStorage(place)
    return sum(storage.size(name) for kind in ("packs/", "index/") for name in storage.list(kind))
