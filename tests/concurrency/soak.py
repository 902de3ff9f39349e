"""Real processes at work on one repository for a while, and a killer among them.

Two writers back up SQLite files of their own, a keeper forgets, brings back and prunes, readers
dump, restore and check. Any of them is killed now and then. What a file holds proves itself: it
states the digest of its own rows. The processes are forked from some that have done the imports, so
that the time goes into what they do.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from support.forked import Zygote
from support.rowvault import environment

ROWS = 3000
CHANGED = 60
KEPT = 4
"""Snapshots that the keeper leaves at least."""
LONGEST_LIFE_S = 1.0
"""A process that is to be killed lives at most so long."""


def make_file(path: Path, chance: random.Random) -> None:
    """A file of two tables."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("CREATE TABLE proof (digest TEXT)")
        rows = [(number, chance.randbytes(40).hex()) for number in range(ROWS)]
        connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)
        connection.execute("INSERT INTO proof VALUES (?)", (digest(connection),))
    connection.close()


def change_file(path: Path, chance: random.Random) -> str:
    """Some rows change, in one or a few places; the digest from now on."""
    connection = sqlite3.connect(path)
    with connection:
        for first in chance.sample(range(ROWS), chance.randint(1, 4)):
            rows = [(chance.randbytes(chance.randint(20, 50)).hex(), first + at)
                    for at in range(CHANGED)]  # fmt: skip
            connection.executemany("UPDATE orders SET text = ? WHERE id = ?", rows)
        found = digest(connection)
        connection.execute("UPDATE proof SET digest = ?", (found,))
    connection.close()
    return found


def digest(connection: sqlite3.Connection) -> str:
    """Of all rows."""
    rows = connection.execute("SELECT id, text FROM orders ORDER BY id").fetchall()
    return sha256(repr(rows).encode()).hexdigest()


def proven_digest(connection: sqlite3.Connection) -> str:
    """The digest that the rows have and that the file states."""
    stated = connection.execute("SELECT digest FROM proof").fetchall()
    assert stated == [(digest(connection),)], "the rows are not those that the file states"
    return str(stated[0][0])


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What an assertion shows of a process."""
    output = done.stdout[-2000:].decode(errors="replace")
    return f"exit {done.returncode}\n{output}\n{done.stderr.decode()}"


def digest_of_dump(text: bytes) -> str:
    """What a dump holds once it is loaded."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(text.decode())
        return proven_digest(connection)
    finally:
        connection.close()


class Soak:
    """The actors, and what they know together."""

    def __init__(self, directory: Path, repository: Path, seconds: float, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.taken: dict[str, str] = {}
        """Snapshot that was reported -> digest."""
        self.touched: set[str] = set()
        """Snapshots that the keeper may have forgotten."""
        self._directory = directory
        self._repository = repository
        self._seed = seed
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._first = threading.Event()
        self._zygotes: dict[int, Zygote] = {}
        """Thread -> what forks its processes."""

    def run(self) -> None:
        """Until the time is over or something is wrong."""
        actors: list[Callable[[random.Random], None]] = [self._write, self._write, self._keep]
        actors += [self._read, self._check]
        threads = [
            threading.Thread(target=self._act, args=(number, actor))
            for number, actor in enumerate(actors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def kept(self) -> dict[str, str]:
        """Snapshots that must be there, with their digests."""
        with self._lock:
            return {one: rows for one, rows in self.taken.items() if one not in self.touched}

    def command(
        self, chance: random.Random, *words: str | Path
    ) -> subprocess.CompletedProcess[bytes] | None:
        """Runs one process; None: it was killed."""
        lives_s = chance.uniform(0, LONGEST_LIFE_S) if chance.random() < 0.4 else None
        zygote = self._zygotes[threading.get_ident()]
        arguments = ["-r", *map(str, (self._repository, *words))]
        done = zygote.run(arguments, environment(), lives_s)
        assert done is not None
        if done.returncode == -signal.SIGKILL and lives_s is not None:
            self._count(f"{words[0]} killed")
            return None
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        self._count(f"{words[0]} ended with {done.returncode}")
        return done

    def _act(self, number: int, actor: Callable[[random.Random], None]) -> None:
        chance = random.Random(f"{self._seed} {number}")
        zygote = self._zygotes[threading.get_ident()] = Zygote()
        try:
            actor(chance)
        except Exception as error:  # the test shows it
            self._count("failed")
            self.failures.append(f"{actor.__name__}: {error!r}")
        finally:
            zygote.stop()

    def _goes_on(self) -> bool:
        return time.monotonic() < self._ends and not self.failures

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def _write(self, chance: random.Random) -> None:
        path = self._directory / f"{threading.get_ident()}.db"
        make_file(path, chance)
        while self._goes_on():
            rows = change_file(path, chance)
            done = self.command(chance, "backup", f"sqlite:///{path}", "--json")
            if done is not None:
                assert done.returncode == 0, said(done)
                with self._lock:
                    self.taken[json.loads(done.stdout)["snapshot"]] = rows
                self._first.set()

    def _keep(self, chance: random.Random) -> None:
        gone: list[str] = []
        while self._goes_on():
            kept = sorted(self.kept())
            for one in chance.sample(kept, max(0, len(kept) - KEPT)):
                with self._lock:
                    self.touched.add(one)
                gone.append(one)
                done = self.command(chance, "forget", one, "--allow-remove-all")
                assert done is None or done.returncode == 0, said(done)
            if gone and chance.random() < 0.3:
                self.command(chance, "undelete", chance.choice(gone))
            done = self.command(chance, "prune", "--max-unused", "0%")
            assert done is None or done.returncode in (0, 3), said(done)

    def _read(self, chance: random.Random) -> None:
        target = self._directory / "restored.db"
        while self._goes_on():
            if not self._first.wait(timeout=1):
                continue
            with self._lock:
                taken = dict(self.taken)
            one = chance.choice(sorted(taken))
            if chance.random() < 0.5:
                done = self.command(chance, "dump", one)
                found = digest_of_dump(done.stdout) if done and done.returncode == 0 else None
            else:
                done = self.command(
                    chance, "restore", one, f"sqlite:///{target}", "--replace", "--onto", target
                )
                found = digest_of_file(target) if done and done.returncode == 0 else None
            assert found in (None, taken[one]), "a read gave other rows"
            if done is not None and found is None:
                assert one in self.touched, said(done)

    def _check(self, chance: random.Random) -> None:
        while self._goes_on():
            extra = ["--read-data"] * chance.randint(0, 1)
            done = self.command(chance, "check", *extra)
            assert done is None or done.returncode == 0, said(done)


def digest_of_file(path: Path) -> str:
    """What a file that was restored holds."""
    connection = sqlite3.connect(path)
    try:
        return proven_digest(connection)
    finally:
        connection.close()
