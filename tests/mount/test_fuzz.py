"""Random reads of two mounts while snapshots come, are forgotten and pruned: never a wrong byte.

`ROWVAULT_TEST_MOUNT_ROUNDS` says how many rounds the writer makes (default 6).
"""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mount.mounting import Mount, await_true
from mount.odd_tables import fill
from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.mount.node import Directory, File, SymbolicLink
from rowvault.mount.tree import MountedSnapshots, RepositoryDirectory
from rowvault.repository.repository import Repository
from rowvault.source.sqlite.snapshot import SqliteSource
from rowvault.storage.location import open_storage
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.small_vault import create_small

pytestmark = pytest.mark.fuse

ROUNDS = int(os.environ.get("ROWVAULT_TEST_MOUNT_ROUNDS", "6"))
READERS = 4
ALL = PruneRequest(limits=PruneLimits(max_unused=0))
GONE = (errno.ENOENT, errno.ESTALE, errno.EIO)


def texts(directory: Directory, path: str) -> Iterator[tuple[str, bytes]]:
    """What each file below must read, made without any mount."""
    for name, node in directory.entries():
        if isinstance(node, File):
            yield f"{path}/{name}", b"".join(chunk.text() for _, chunk in node.open().chunks(0))
        elif not isinstance(node, SymbolicLink):
            yield from texts(node, f"{path}/{name}")


class Truth:
    """What every living snapshot's files hold. Used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, bytes] = {}
        self._forgotten: set[str] = set()

    def add(self, repository: Repository) -> None:
        """Learns the newest snapshot."""
        name = list(MountedSnapshots(repository).listed())[-1]
        directory = RepositoryDirectory(MountedSnapshots(repository)).child("snapshots")
        assert directory is not None
        assert not isinstance(directory, File | SymbolicLink)
        found = directory.child(name)
        assert found is not None
        assert not isinstance(found, File | SymbolicLink)
        learned = dict(texts(found, f"snapshots/{name}"))
        with self._lock:
            self._files |= learned

    def forget(self, snapshot_id: str) -> None:
        """From now on its files may be gone."""
        with self._lock:
            self._forgotten.add(snapshot_id)

    def is_forgotten(self, path: str) -> bool:
        """Whether it may be gone."""
        with self._lock:
            return path.split("/")[1].rpartition("-")[2] in self._forgotten

    def pick(self, rng: random.Random) -> tuple[str, bytes]:
        """A path that was there, and what it holds."""
        with self._lock:
            return rng.choice(list(self._files.items()))

    def living(self) -> list[tuple[str, bytes]]:
        """All that must be there."""
        with self._lock:
            files = list(self._files.items())
        return [(path, text) for path, text in files if not self.is_forgotten(path)]


def act(rng: random.Random, top: Path, truth: Truth) -> None:
    """One random look at a random file, which must be as it should be."""
    path, text = truth.pick(rng)
    try:
        look(rng, top / path, text)
    except OSError as error:
        if error.errno not in GONE or not truth.is_forgotten(path):
            raise


def look(rng: random.Random, path: Path, text: bytes) -> None:
    kind = rng.randrange(10)
    if kind == 0:
        assert path.stat().st_size == len(text), path
    elif kind == 1:
        assert path.name in os.listdir(path.parent), path
    elif kind == 2:
        assert not (path.parent / f"none{rng.random()}.sql").exists()
    elif kind == 3:
        assert path.read_bytes() == text, path
    else:
        with open(path, "rb", buffering=0) as file:
            for _ in range(rng.randrange(1, 8)):
                offset = rng.randrange(len(text) + 2000)
                size = rng.choice([0, 1, 13, 512, 4096, 5000, 70_001])
                expected = text[offset : offset + size]
                found = read(file.fileno(), size, offset, len(expected))
                assert found == expected, (path, offset, size)


def read(descriptor: int, size: int, offset: int, expected: int) -> bytes:
    """`size` bytes of an open file; fewer where it ends, `expected` bytes behind `offset`.

    A read may end early where what is behind its first bytes fails: the next one says so (read(2)).
    """
    found = os.pread(descriptor, size, offset)
    while 0 < len(found) < expected:
        rest = os.pread(descriptor, size - len(found), offset + len(found))
        if not rest:
            break
        found += rest
    return found


def write(rng: random.Random, place: Path, source: Path, truth: Truth) -> None:
    """One round: a backup; sometimes a snapshot is forgotten, sometimes pruned too."""
    fill(source, rng.randrange(1, 300))
    with Repository.open(open_storage(str(place)), lambda: b"") as repository:
        run_backup(repository, SqliteSource(source), BackupRequest(), SilentMonitor())
        truth.add(repository)
        snapshots = repository.snapshots()
        if len(snapshots) > 2 and rng.random() < 0.7:
            victim = rng.choice(snapshots[:-1])
            truth.forget(victim.id)
            repository.forget(victim)
            if rng.random() < 0.7:
                prune(repository, ALL, SilentMonitor())


@pytest.mark.parametrize("seed", [1])
def test_never_a_wrong_byte_and_never_a_hang(mount: Mount, tmp_path: Path, seed: int) -> None:
    place, source, truth = tmp_path / "vault", tmp_path / "source.db", Truth()
    create_small(place).close()
    rng = random.Random(seed)
    write(rng, place, source, truth)
    tops = [mount(repository=place), mount(repository=place)]
    done = threading.Event()

    def read(number: int) -> int:
        own = random.Random(seed * 1000 + number)
        count = 0
        while not done.is_set():
            act(own, own.choice(tops), truth)
            count += 1
        return count

    with ThreadPoolExecutor(READERS) as readers:
        reading = [readers.submit(read, number) for number in range(READERS)]
        try:
            for _ in range(ROUNDS):
                write(rng, place, source, truth)
        finally:
            done.set()
        assert min(one.result() for one in reading) > 0
    living = truth.living()
    names = {path.split("/")[1] for path, _ in living}
    for top in tops:
        await_true(lambda top=top: set(os.listdir(top / "snapshots")) == names)
        for path, text in living:
            assert (top / path).read_bytes() == text, path
