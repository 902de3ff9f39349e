"""Backups while definitions change, and while connections are killed: exact, or no snapshot."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from support import changes, comparer
from support.accounts import make_account
from support.rowvault import run, run_json, start, succeed
from support.server import DatabaseServer

BACKUPS = int(os.environ.get("ROWVAULT_TEST_BACKUPS", "4"))
KILLS = int(os.environ.get("ROWVAULT_TEST_KILLS", "3"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "vault"
    succeed("-r", place, "init", "--no-encryption")
    return place


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    server.execute("DROP DATABASE IF EXISTS moving", "CREATE DATABASE moving")
    yield server
    server.execute("DROP DATABASE moving")


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    server_second.execute("DROP DATABASE IF EXISTS moving")
    yield server_second
    server_second.execute("DROP DATABASE IF EXISTS moving")


CASES = {
    "locked": (["ALL ON *.*"], []),
    "compared": (["ALL ON *.*"], ["--no-lock"]),
    "kept": (["SELECT ON *.*"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_definitions_that_change_at_random(
    case: str, source: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    grants, options = CASES[case]
    changes.make_tables(source, "moving")
    url = make_account(source, "saver", *grants)
    outcomes = []
    with changes.changes(source, "moving") as changed:
        for _ in range(BACKUPS):
            changed.clear()
            assert changed.wait(120)
            done = run("-r", repository, "backup", url, "-d", "moving", "-j", "4", *options)
            assert b"Traceback" not in done.stderr
            assert done.returncode in (0, 1, 3), done.stderr.decode()
            assert b"swapped for another" not in done.stderr
            outcomes.append(done.returncode)
    print(source.vendor, case, "exit codes", outcomes)
    saved = run_json("-r", repository, "snapshots")
    assert len(saved) == sum(code != 1 for code in outcomes)
    for one in saved:
        target.execute("DROP DATABASE IF EXISTS moving")
        succeed("-r", repository, "restore", one["id"], target.url)
        changes.assert_legal(target, "moving")
    if case == "locked":
        assert 1 not in outcomes


@pytest.fixture
def large(source: DatabaseServer) -> DatabaseServer:
    """Enough rows that a backup takes a while."""
    rows = ", ".join(f"({number}, REPEAT('{number} ', 60))" for number in range(2000))
    source.execute(
        "USE moving",
        "CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, part INT, note VARCHAR(900))",
        f"INSERT INTO item (part, note) VALUES {rows}",
        *["INSERT INTO item (part, note) SELECT part + 1, REVERSE(note) FROM item"] * 6,
        "CREATE TABLE other LIKE item",
        "INSERT INTO other SELECT * FROM item",
    )
    return source


def test_any_connection_that_is_killed_fails_the_backup(
    large: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    """The one that reads the catalogue and those that read rows, in turn."""
    url = make_account(large, "saver", "ALL ON *.*")
    chance = random.Random(1)
    killed = 0
    for _ in range(4 * KILLS):
        if killed == KILLS:
            break
        backup = start("-r", repository, "backup", url, "-d", "moving", "-j", "3")
        was_killed = _kill_one(large, backup, chance)
        _, message = backup.communicate()
        if not was_killed:
            continue
        killed += 1
        print(message.decode())
        assert backup.returncode == 1, message.decode()
        assert b"Traceback" not in message
        assert message.count(b"Error:") <= 1, message.decode()
        assert run_json("-r", repository, "snapshots") == []
        # What was stored serves later runs, so that these would be over too soon.
        large.execute("UPDATE moving.item SET note = REVERSE(note)")
    assert killed == KILLS
    expected = comparer.fingerprint(large, ["moving"])
    succeed("-r", repository, "backup", url, "-d", "moving")
    assert run_json("-r", repository, "check", "--read-data")["errors"] == []
    succeed("-r", repository, "restore", "latest", target.url)
    assert comparer.differences(expected, comparer.fingerprint(target, ["moving"])) == []


def _kill_one(server: DatabaseServer, backup: subprocess.Popen[bytes], chance: Any) -> bool:
    """A connection that reads rows right now, or the first one; False: the backup was over."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        while backup.poll() is None:
            cursor.execute("SHOW FULL PROCESSLIST")
            own = sorted((row[0], row[7] or "") for row in cursor.fetchall() if row[1] == "saver")
            reading = [number for number, statement in own if "`note`" in statement]
            if reading:
                try:
                    cursor.execute(f"KILL {chance.choice([*reading, own[0][0]])}")
                except pymysql.err.OperationalError:
                    return False  # it ended by itself
                return True
    return False
