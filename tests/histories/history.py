"""A random history of databases on a real server, and of the repository that keeps it.

Several backups run at once with random connections and compression, some are killed; snapshots are
forgotten, brought back and pruned; single objects are damaged beside a command and mended again. At
the end every snapshot that nobody forgot must be listed, must be whole, and must give on another
server exactly what the first one held when it was taken, compared with nothing of Rowvault in it.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pymysql

from histories.damage import damage_one
from histories.tables import Table, random_table, twins
from rowvault.repository.config import CutSizes, NodeSizes, Sizes
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.comparer import Fingerprint, differences, fingerprint
from support.forked import Zygote
from support.rowvault import environment
from support.server import DatabaseServer

DATABASES = ("soak_a", "soak_b")
SMALL = Sizes(
    data=CutSizes(1024, 4096, 16384),
    manifest=CutSizes(256, 1024, 4096),
    node=NodeSizes(2, 4, 16),
    pack_bytes=1 << 16,
)
"""Many blocks and packs for few rows."""
_LEVELS = ("auto", "off", "1", "6")
_PASSWORD = "soak"
_SQL_MODE = "SET SESSION sql_mode = '', time_zone = '+00:00', foreign_key_checks = 0"
_BROKEN_TABLE = (126, 127, 145)
"""Errors of a server that finds its own table corrupt."""
_DONE, _PARTIAL, _DAMAGED = 0, 3, 20


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes that fork commands, one for each that runs at a time."""

    zygotes: tuple[Zygote, ...]

    @classmethod
    def start(cls, *, small_chunks: bool) -> Workers:
        """With small row-chunks, tables of a few pages are divided."""
        prelude = "histories.small_chunks" if small_chunks else ""
        return cls(tuple(Zygote(prelude) for _ in range(3)))

    def stop(self) -> None:
        """Ends them."""
        for one in self.zygotes:
            one.stop()


@dataclass(slots=True)
class _Taken:
    """A snapshot that a backup reported."""

    databases: tuple[str, ...]
    marks: Fingerprint


class HistoryError(AssertionError):
    """Something was lost, or a command did what it must not; tells what went before."""


@dataclass
class History:
    """One seed's history; `rows`: of the largest table, at most."""

    source: DatabaseServer
    target: DatabaseServer
    workers: Workers
    repository: Path
    seed: int
    rows: int = 1500
    steps: int = 8
    natural: bool = False
    """Row-chunks and blocks are as large as a user's."""
    counts: Counter[str] = field(default_factory=Counter)
    _tables: list[Table] = field(default_factory=list)
    _twin_changes: list[str] = field(default_factory=list)
    _taken: dict[str, _Taken] = field(default_factory=dict)
    _forgotten: list[str] = field(default_factory=list)
    _log: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Raises HistoryError."""
        self._chance = random.Random(f"history {self.seed} {self.source.vendor}")
        sizes = None if self.natural else SMALL
        password = _PASSWORD.encode() if self.seed % 2 else None
        Repository.create(LocalStorage(self.repository), password, sizes).close()
        try:
            self._make()
            self._backups()
            for _ in range(self.steps):
                self._step()
            self._judge()
        except HistoryError:
            raise
        except Exception as error:
            raise HistoryError(f"{error!r}\n{self._told()}") from error
        finally:
            for server in (self.source, self.target):
                server.execute(*(f"DROP DATABASE IF EXISTS {name}" for name in DATABASES))

    # -- what happens

    def _make(self) -> None:
        chance = self._chance
        self._execute([f"CREATE DATABASE {name}" for name in DATABASES])
        for _ in range(chance.randint(2, 5)):
            self._add_table()
        if chance.random() < 0.4:
            made, self._twin_changes = twins(chance, DATABASES[0])
            self._execute(made)
        self._execute(
            [f"CREATE VIEW {DATABASES[0]}.v AS SELECT 1 AS one"] if chance.random() < 0.3 else []
        )

    def _add_table(self) -> None:
        chance = self._chance
        table = random_table(self.source.vendor, chance, chance.choice(DATABASES))
        self._execute([table.create()])
        self._tables.append(table)
        # The last digit is why: a table without rows, or with one, is a case of its own.
        count = chance.choice([0, 1, self.rows // 5, self.rows, self.rows])
        self._execute(list(table.inserts(chance, count)))
        self._execute([f"ANALYZE TABLE {table.place}"])

    def _step(self) -> None:
        ways: list[tuple[Callable[[], None], int]] = [
            (self._change_and_back_up, 5),
            (self._forget, 2),
            (self._undelete, 1),
            (self._prune, 3),
            (self._damage, 4),
        ]
        way = self._chance.choices([one for one, _ in ways], [weight for _, weight in ways])[0]
        way()

    def _change_and_back_up(self) -> None:
        for _ in range(self._chance.randint(1, 4)):
            self._change()
        self._backups()

    def _change(self) -> None:
        chance = self._chance
        if not self._tables:
            self._add_table()
            return
        table = chance.choice(self._tables)
        ways: list[Callable[[], list[str]]] = [
            lambda: [table.update(chance)],
            lambda: [table.update(chance)],
            lambda: [table.delete(chance)],
            lambda: list(table.inserts(chance, chance.randint(1, 60))),
            lambda: [table.add_column()],
            lambda: [table.rename(chance)],
            lambda: self._twin_changes,
            lambda: self._drop(table),
        ]
        try:
            self._execute(chance.choice(ways)())
        except pymysql.err.InternalError as error:
            if error.args[0] not in _BROKEN_TABLE:
                raise
            # MariaDB's Aria breaks an index of its own now and then: no case for a backup.
            self.counts["tables broken by the server"] += 1
            self._execute(self._drop(table))

    def _drop(self, table: Table) -> list[str]:
        self._tables.remove(table)
        return [f"DROP TABLE {table.place}"]

    def _backups(self) -> None:
        chance = self._chance
        marks = fingerprint(self.source, DATABASES)
        orders = [self._order() for _ in range(chance.choice([1, 1, 2, 3]))]
        with ThreadPoolExecutor(len(orders)) as pool:
            runs = pool.map(self._back_up, self.workers.zygotes, orders)
            for (databases, _, _), done in zip(orders, list(runs), strict=True):
                if done is None:
                    continue
                self._expect(done, _DONE)
                snapshot = json.loads(done.stdout)["snapshot"]
                self._taken[snapshot] = _Taken(databases, marks)

    def _order(self) -> tuple[tuple[str, ...], list[str], float | None]:
        """(databases, words, life in seconds or None) of a backup."""
        chance = self._chance
        databases = chance.choice([DATABASES, DATABASES, DATABASES[:1], DATABASES[1:]])
        words = [word for name in databases for word in ("-d", name)]
        words += ["-j", str(chance.randint(1, 4)), "--compression", chance.choice(_LEVELS)]
        return databases, words, chance.uniform(0, 1.0) if chance.random() < 0.25 else None

    def _back_up(
        self, zygote: Zygote, order: tuple[tuple[str, ...], list[str], float | None]
    ) -> subprocess.CompletedProcess[bytes] | None:
        _, words, lives_s = order
        return self._run(["backup", _address(self.source), "--json", *words], lives_s, zygote)

    def _forget(self) -> None:
        kept = sorted(self._taken)
        if len(kept) > 2:
            for one in self._chance.sample(kept, self._chance.randint(1, len(kept) - 2)):
                # Before the command: who is killed may have done it.
                del self._taken[one]
                self._forgotten.append(one)
                self._must(["forget", one, "--allow-remove-all"], _DONE)

    def _undelete(self) -> None:
        if self._forgotten:
            self._run(["undelete", self._chance.choice(self._forgotten)])

    def _prune(self) -> None:
        chance = self._chance
        lives_s = chance.uniform(0, 0.6) if chance.random() < 0.3 else None
        done = self._run(self._prune_words(chance.choice(["0%", "5%", "50%"])), lives_s)
        if done is not None:
            self._expect(done, _DONE)

    def _prune_words(self, unused: str) -> list[str]:
        """Where every backup was killed, the packs may as well be half a copy: it must be meant."""
        is_meant = [] if self._taken or self._forgotten else ["--allow-remove-all"]
        return ["prune", "--max-unused", unused, *is_meant]

    def _damage(self) -> None:
        """Beside the damage each command may fail; what it must not is lose anything."""
        damage = damage_one(self.repository, self._chance)
        if damage is None:
            return
        self._note(f"damage: {damage}")
        if self._beside() and damage.is_index_segment and not damage.path.exists():
            self._note("mended by a prune, which has removed packs that the segment lists")
            return
        damage.mend()
        self._note("mended")

    def _beside(self) -> bool:
        """Whether a prune was among the commands."""
        chance = self._chance
        has_pruned = False
        for words in chance.sample(self._verbs(), chance.randint(1, 3)):
            done = self._run(words)
            assert done is not None
            has_pruned |= words[0] == "prune" and "--dry-run" not in words
            if b"Traceback" in done.stderr:
                raise self._wrong(done, "a traceback")
            if done.returncode == _DONE and words[0] == "backup":
                snapshot = json.loads(done.stdout)["snapshot"]
                self._taken[snapshot] = _Taken(DATABASES, fingerprint(self.source, DATABASES))
        return has_pruned

    def _verbs(self) -> list[list[str]]:
        whole = [word for name in DATABASES for word in ("-d", name)]
        one = self._chance.choice(sorted(self._taken) or ["latest"])
        return [
            ["backup", _address(self.source), "--json", *whole, "-j", "2"],
            ["prune", "--max-unused", "0%"],
            ["prune", "--dry-run"],
            ["check"],
            ["check", "--read-data"],
            ["snapshots"],
            ["stats"],
            ["dump", one, "-o", str(self.repository.with_name("dump.sql")), "--force"],
        ]

    # -- what must hold

    def _judge(self) -> None:
        self._must(self._prune_words("0%"), _DONE)
        self._must(["check", "--read-data"], _DONE)
        done = self._must(["snapshots", "--json"], _DONE)
        listed = {one["id"] for one in json.loads(done.stdout)}
        lost = self._taken.keys() - listed
        if lost:
            raise HistoryError(f"these snapshots are gone: {sorted(lost)}\n{self._told()}")
        for number, (snapshot, taken) in enumerate(sorted(self._taken.items())):
            self._compare(number, snapshot, taken)
        shutil.rmtree(self.repository)

    def _compare(self, number: int, snapshot: str, taken: _Taken) -> None:
        target = self.target
        target.execute(*(f"DROP DATABASE IF EXISTS {name}" for name in DATABASES))
        words = ["restore", snapshot, _address(target), "-j", str(number % 3 + 1)]
        self._must([*words, *(["--no-verify"] if number % 2 else [])], _DONE)
        found = fingerprint(target, taken.databases)
        due = {label: mark for label, mark in taken.marks.items() if _is_of(label, taken.databases)}
        wrong = differences(due, found)
        if wrong:
            raise HistoryError(f"snapshot {snapshot} came back as {wrong}\n{self._told()}")
        self.counts["snapshots compared"] += 1

    # -- how

    def _execute(self, statements: list[str]) -> None:
        with closing(self.source.connect()) as connection:
            connection.query(_SQL_MODE)
            for one in statements:
                self._note(one[:100])
                connection.query(one)

    def _run(
        self, words: list[str], lives_s: float | None = None, zygote: Zygote | None = None
    ) -> subprocess.CompletedProcess[bytes] | None:
        """None: it was killed."""
        env = environment({"ROWVAULT_PASSWORD": _PASSWORD, "MYSQL_PWD": "test"})
        arguments = ["-r", str(self.repository), *words]
        done = (zygote or self.workers.zygotes[0]).run(arguments, env, lives_s)
        assert done is not None
        killed = done.returncode == -9 and lives_s is not None
        self._note(f"rowvault {' '.join(words)}: {'killed' if killed else done.returncode}")
        self.counts[f"{words[0]} {'killed' if killed else 'ended'}"] += 1
        return None if killed else done

    def _must(self, words: list[str], code: int) -> subprocess.CompletedProcess[bytes]:
        done = self._run(words)
        assert done is not None
        self._expect(done, code)
        return done

    def _expect(self, done: subprocess.CompletedProcess[bytes], code: int) -> None:
        if done.returncode != code or b"Traceback" in done.stderr:
            raise self._wrong(done, f"exit {done.returncode} where {code} is due")

    def _wrong(self, done: subprocess.CompletedProcess[bytes], what: str) -> HistoryError:
        said = (done.stdout[-1500:] + done.stderr[-3000:]).decode(errors="replace")
        return HistoryError(f"{what}: {' '.join(done.args)}\n{said}\n{self._told()}")

    def _note(self, line: str) -> None:
        self._log.append(line)

    def _told(self) -> str:
        return f"seed {self.seed}, {self.source.vendor}:\n" + "\n".join(self._log[-60:])


def _address(server: DatabaseServer) -> str:
    """Without the password, which the environment holds."""
    return f"mysql://test@127.0.0.1:{server.port}/"


def _is_of(label: str, databases: tuple[str, ...]) -> bool:
    """Of a label such as `rows soak_a.t`."""
    name = label.partition(" ")[2]
    return name.partition(".")[0] in databases
