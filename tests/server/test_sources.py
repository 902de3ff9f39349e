"""Production and staging in one repository: neither is ever taken for the other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    path = tmp_path / "vault"
    succeed("-r", path, "init", "--no-encryption")
    return path


def fill(server: DatabaseServer, database: str, text: str) -> None:
    server.execute(
        f"CREATE DATABASE IF NOT EXISTS {database}",
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, whose VARCHAR(20))",
        f"INSERT INTO {database}.t VALUES (1, '{text}')",
    )


def test_production_never_gets_the_rows_of_staging(
    server: DatabaseServer, server_second: DatabaseServer, database: str, vault: Path
) -> None:
    production, staging = server, server_second
    fill(production, database, "production")
    fill(staging, database, "staging")
    ids = [
        run_json("-r", vault, "backup", one.url, "-d", database)["snapshot"]
        for one in (production, staging)
    ]
    names = [one["source"] for one in run_json("-r", vault, "snapshots")]
    assert len(set(names)) == 2

    for words in (("latest",), ("latest~0",), ("@2126-01-01",), (ids[1],)):
        done = run("-r", vault, "restore", *words, production.url, "--replace")
        assert done.returncode == 2, done.stderr
        more = ("--source", names[1]) if words != (ids[1],) else ()
        done = run("-r", vault, "restore", *words, production.url, "--replace", *more)
        assert done.returncode == 2, done.stderr
        assert f"--onto {names[0]}".encode() in done.stderr
        assert b"nothing was changed" in done.stderr
        assert run("-r", vault, "verify", "latest", production.url).returncode == 0

    own = run_json(
        "-r", vault, "restore", "latest", production.url, "--source", names[0], "--replace"
    )
    assert (own["snapshot"], own["verified"]) == (ids[0], True)
    for url, snapshot in ((production.url, ids[0]), (staging.url, ids[1])):
        assert run_json("-r", vault, "verify", "latest", url)["snapshot"] == snapshot
    onto = run_json(
        "-r", vault, "restore", ids[0], staging.url, "--replace", "--onto", names[1]
    )  # fmt: skip
    assert onto["source"] == names[0]
    assert run("-r", vault, "verify", ids[0], staging.url).returncode == 0
    staging.execute(f"DROP DATABASE {database}")


def test_a_failover_goes_on_under_a_given_name(
    server: DatabaseServer, server_second: DatabaseServer, database: str, vault: Path
) -> None:
    for one in (server, server_second):
        fill(one, database, "same")
    first = run_json("-r", vault, "backup", server.url, "-d", database, "--source", "prod")
    second = run_json("-r", vault, "backup", server_second.url, "-d", database, "--source", "prod")
    assert first["notices"] == []
    assert "recorded" in second["notices"][0]
    assert second["parent"] == first["snapshot"]
    found = run_json("-r", vault, "show", "latest")
    assert (found["id"], found["source"]) == (second["snapshot"], "prod")
    succeed("-r", vault, "restore", first["snapshot"], server_second.url, "--replace")
    server_second.execute(f"DROP DATABASE {database}")


def test_what_only_one_of_two_was_asked_to_hold_is_no_change(
    server: DatabaseServer, database: str, vault: Path
) -> None:
    fill(server, database, "one")
    server.execute(
        f"CREATE TABLE {database}.cache (id INT PRIMARY KEY)",
        f"CREATE VIEW {database}.whose AS SELECT whose FROM {database}.t",
    )
    whole, part, less = (
        run_json("-r", vault, "backup", server.url, *words)["snapshot"]
        for words in (
            ("-d", database),
            ("-t", f"{database}.t"),
            ("-d", database, "--exclude", f"{database}.cache"),
        )
    )

    def told(old: str, new: str) -> dict[str, str]:
        found = run_json("-r", vault, "diff", old, new)
        return {one.get("table") or one["name"]: one["status"]
                for one in [*found["tables"], *found["objects"]]}  # fmt: skip

    both_ways = {"t": "same", "cache": "not selected", "whose": "not selected"}
    assert told(whole, part) == told(part, whole) == both_ways
    assert told(whole, less) == {"t": "same", "cache": "not selected"}
    assert b"not selected" in succeed("-r", vault, "diff", whole, part)
    server.execute(f"DROP TABLE {database}.cache", f"DROP VIEW {database}.whose")
    last = run_json("-r", vault, "backup", server.url, "-d", database)["snapshot"]
    assert told(whole, last) == {"t": "same", "cache": "removed", "whose": "removed"}
    assert told(part, last) == {"t": "same"}
