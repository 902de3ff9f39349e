"""What `doctor` foretells is what happens, and what it says to grant is what is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rowvault.source.protocol import Selection
from support import comparer
from support.accounts import make_account
from support.copying import source_at
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

GRANTS = {
    "everything": ["ALL ON *.*"],
    "RELOAD": ["SELECT, RELOAD ON *.*"],
    "LOCK TABLES": ["SELECT, LOCK TABLES ON d.*"],
    "SELECT": ["SELECT ON d.*"],
}


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    """With everything that needs a right of its own."""
    server.execute(
        "DROP DATABASE IF EXISTS d",
        "CREATE DATABASE d",
        "USE d",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
        "INSERT INTO t VALUES (1, 2), (3, 4)",
        "CREATE TABLE m (id INT) ENGINE = MyISAM",
        "INSERT INTO m VALUES (5)",
        "CREATE DEFINER = root@localhost VIEW v AS SELECT id FROM t",
        "CREATE DEFINER = root@localhost PROCEDURE p() SELECT 1",
        "CREATE DEFINER = root@localhost FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
        "CREATE DEFINER = root@localhost TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @x = 1",
        "CREATE DEFINER = root@localhost EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1",
    )
    yield server
    server.execute("DROP DATABASE d")


@pytest.mark.parametrize("grants", GRANTS)
def test_the_way_is_foretold(source: DatabaseServer, grants: str) -> None:
    selection = Selection(databases=("d",))
    url = make_account(source, "doc", *GRANTS[grants])
    foretold = source_at(url).examine(selection).moment
    with source_at(url).open_snapshot(3, selection) as snapshot:
        taken = snapshot.moment
    assert (foretold.method, foretold.definitions) == (taken.method, taken.definitions)
    assert bool(foretold.reason) is bool(taken.reason)
    assert bool(foretold.definitions_reason) is bool(taken.definitions_reason)


def doctor(url: str, *options: str) -> tuple[int, Any]:
    done = run("--json", "doctor", url, *options)
    assert b"Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("options", [[], ["-d", "d"]], ids=["all", "one database"])
def test_what_it_says_to_grant_makes_a_whole_backup(
    options: list[str], source: DatabaseServer, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    url = make_account(source, "doc", "SELECT ON d.*")
    code, before = doctor(url, *options)
    assert code == 3
    assert before["problems"] == []
    told = "\n".join(before["omissions"])
    assert "d.m" in told
    assert "triggers" in told
    assert run("-r", vault, "backup", url, *options).returncode == 3
    source.execute(*before["grants"]["backup"])
    code, after = doctor(url, *options)
    assert (code, after["omissions"], after["grants"]["backup"]) == (0, [], [])
    done = run_json("-r", vault, "backup", url, *options)
    assert done["warnings"] == []
    source.execute(*after["grants"]["users"])
    code, with_users = doctor(url, *options, "--users")
    assert (with_users["problems"], with_users["grants"]["users"]) == ([], [])
    assert run("-r", vault, "backup", url, *options, "--users").returncode == code


def test_what_it_says_to_grant_makes_a_whole_restore(
    source: DatabaseServer, server_second: DatabaseServer, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    server_second.execute("DROP DATABASE IF EXISTS d")
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", source.url, "-d", "d")
    url = make_account(server_second, "doc")
    server_second.execute(*doctor(url)[1]["grants"]["restore"])
    restored = run_json("-r", vault, "restore", "latest", url)
    assert (restored["verified"], restored["warnings"]) == (True, [])
    expected = comparer.fingerprint(source, ["d"])
    assert comparer.differences(expected, comparer.fingerprint(server_second, ["d"])) == []
    server_second.execute("DROP DATABASE d")


def test_a_table_that_may_not_be_read_is_a_problem(source: DatabaseServer) -> None:
    url = make_account(source, "doc", "INSERT ON d.*")
    code, found = doctor(url, "-d", "d")
    assert code == 1
    assert "d.m" in found["problems"][0]


def test_it_holds_nothing(source: DatabaseServer) -> None:
    done = succeed("doctor", source.url, "-d", "d").decode()
    assert "d.m: without transactions" in done
    assert "d.m: without a key" in done
    source.execute("SET SESSION lock_wait_timeout = 1", "CREATE TABLE d.more (id INT)")
