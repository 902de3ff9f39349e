"""Carries the cases of one vendor: from one server, through a repository, to another, twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from fidelity.case import Topic
from support import comparer
from support.clients import pipe_into
from support.comparer import Fingerprint
from support.copying import make_bare
from support.rowvault import run, succeed
from support.sample_repository import create_cheap
from support.server import DatabaseServer

_SESSION = "SET SESSION sql_mode = '', time_zone = '+00:00'"
_PREPARATION = {
    "mariadb": [
        "SET GLOBAL log_bin_trust_function_creators = 1",
        "CREATE ROLE IF NOT EXISTS fidelity_role",
        *(
            f"INSTALL PLUGIN IF NOT EXISTS {name} SONAME 'ha_{name}'"
            for name in ("archive", "blackhole")
        ),
    ],
}
"""Engines that a server has only when they are asked for; functions that promise nothing;
a role that is a definer."""
_PASSWORD = {"ROWVAULT_PASSWORD": "p"}


@dataclass(frozen=True, slots=True)
class Trip:
    """What was made, what came back, and what was said."""

    made: Fingerprint
    built_bare: Fingerprint
    """Tables without rows whose keys were added to bare ones."""
    restored: Fingerprint
    """By LOAD DATA, where that is exact."""
    inserted: Fingerprint
    """By INSERT alone, on a server that does not allow LOAD DATA LOCAL."""
    loaded: Fingerprint
    """After `dump` through the vendor's client."""
    backup_code: int
    backup_warnings: list[str]
    restore_code: int
    restore_warnings: list[str]
    is_verified: bool
    left_out: list[str]
    incomplete: list[str]
    """What the snapshot lacks: warnings of the backup, and of the restore again."""
    load_statements: tuple[int, int]
    """How many LOAD DATA the server saw from the two restores."""

    def ways(self) -> Iterator[tuple[str, Fingerprint]]:
        """(how, what came back)"""
        yield "restore", self.restored
        yield "restore without LOAD DATA", self.inserted
        yield "dump and the client", self.loaded

    def differences(self, found: Fingerprint, labels: Iterable[str]) -> list[str]:
        """What is otherwise in `found`, of these labels; a line each."""
        wanted = set(labels)
        left = {label: mark for label, mark in self.made.items() if label in wanted}
        return comparer.differences(
            left, {label: mark for label, mark in found.items() if label in wanted}
        )


def make_trip(
    source: DatabaseServer, target: DatabaseServer, topics: Sequence[Topic], place: Path
) -> Trip:
    """Makes everything, carries it in both ways, and compares; empties both servers behind it."""
    databases = sorted({database for topic in topics for database, _ in topic.located()})
    repository = place / "repository"
    for server in (source, target):
        server.execute(*_PREPARATION.get(server.vendor, []))
    try:
        for topic in topics:
            _make(source, topic)
        made = comparer.fingerprint(source, databases)
        bare, _ = make_bare(source.url, target.url, databases)
        built_bare = comparer.fingerprint(target, databases)
        _empty(target, databases)
        create_cheap(repository, b"p")
        chosen = [word for name in databases for word in ("-d", _named(name))]
        backup_code, backup = _run_json(repository, "backup", source.url, *chosen)
        started = _load_statements(target)
        restore_code, restore = _run_json(repository, "restore", "latest", target.url)
        filled = _load_statements(target)
        restored = comparer.fingerprint(target, databases)
        _empty(target, databases)
        target.execute("SET GLOBAL local_infile = 0")
        _run_json(repository, "restore", "latest", target.url)
        load_statements = filled - started, _load_statements(target) - filled
        inserted = comparer.fingerprint(target, databases)
        _empty(target, databases)
        script = place / "dump.sql"
        succeed("-r", repository, "dump", "latest", "-o", script, env=_PASSWORD)
        pipe_into(target, script.read_bytes())
        loaded = comparer.fingerprint(target, databases)
    finally:
        target.execute("SET GLOBAL local_infile = 1")
        _empty(source, databases)
        _empty(target, databases)
    return Trip(
        made,
        {f"table {label}": built_bare[f"table {label}"] for label in bare},
        restored,
        inserted,
        loaded,
        backup_code,
        backup["warnings"],
        restore_code,
        restore["warnings"],
        restore["verified"] is True,
        restore["left_out"],
        restore["incomplete"],
        load_statements,
    )


def _load_statements(server: DatabaseServer) -> int:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_load'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[1])


def _run_json(repository: Path, *arguments: str | Path) -> tuple[int, Any]:
    done = run("--json", "-r", repository, *arguments, env=_PASSWORD)
    assert done.returncode in (0, 3), done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def _make(server: DatabaseServer, topic: Topic) -> None:
    with closing(server.connect()) as connection:
        connection.query(f"CREATE DATABASE {_named(topic.name)}")
    for _, case in topic.located():
        with closing(server.connect()) as connection:
            connection.query(_SESSION)
            connection.query(f"USE {_named(topic.name)}")
            for statement in case.makes:
                try:
                    connection.query(statement)
                except pymysql.MySQLError as error:
                    error.add_note(f"{topic.name}: {case.line}: {statement!r}")
                    raise


def _empty(server: DatabaseServer, databases: Sequence[str]) -> None:
    with closing(server.connect()) as connection:
        connection.query("SET SESSION foreign_key_checks = 0")
        for name in databases:
            connection.query(f"DROP DATABASE IF EXISTS {_named(name)}")


def _named(name: str) -> str:
    return "`" + re.sub("`", "``", name) + "`"
