"""Each way to fail: one exit code, one message, no traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from cli.vaults import PASSWORD, Vault, make_database
from support.rowvault import run, run_json, succeed


def _fails(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> str:
    """The message of a run that must have failed with `code`."""
    message = done.stderr.decode()
    assert done.returncode == code, message
    assert done.stdout == b""
    assert "Traceback" not in message
    assert "error: " in message
    for word in words:
        assert word in message
    return message


def _fails_json(done: subprocess.CompletedProcess[bytes], code: int, kind: str) -> None:
    assert done.returncode == code, done.stderr.decode()
    document = json.loads(done.stdout)
    assert document.keys() == {"error"}
    assert document["error"].keys() == {"kind", "message", "exit_code"}
    assert (document["error"]["kind"], document["error"]["exit_code"]) == (kind, code)
    assert document["error"]["message"]
    assert b"error:" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("snapshots",),
        ("-r", "/tmp", "no-such-command"),
        ("-r", "/tmp", "backup"),
        ("-r", "/tmp", "backup", "sqlite:///x.db", "-j", "0"),
        ("-r", "/tmp", "backup", "sqlite:///x.db", "-t", "items"),
        ("-r", "/tmp", "restore", "latest", "sqlite:///x.db", "--rename", "a"),
        ("-r", "/tmp", "dump", "latest", "--format", "csv"),
        ("-r", "/tmp", "snapshots", "-q", "-v"),
        ("-r", "s3://bucket/prefix", "snapshots"),
    ],
)
def test_usage(arguments: tuple[str, ...]) -> None:
    _fails(run(*arguments), 2)
    _fails_json(run(*arguments, "--json"), 2, "usage")


def test_a_dump_to_standard_output_is_not_json(vault: Vault) -> None:
    _fails_json(run("-r", vault.path, "dump", "latest", "--json"), 2, "usage")


def test_nothing_named() -> None:
    done = run()
    assert done.returncode == 2
    assert b"Commands:" in done.stderr


@pytest.mark.parametrize("verb", [("snapshots",), ("check",), ("show", "latest"), ("ls", "latest")])
def test_no_repository(tmp_path: Path, verb: tuple[str, ...]) -> None:
    _fails(run("-r", tmp_path, *verb), 10, str(tmp_path), "rowvault init")
    _fails_json(run("-r", tmp_path / "nowhere", *verb, "--json"), 10, "no_repository")
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    _fails(run("-r", tmp_path, "init", "--no-encryption"), 10, "letter.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_newer_format(empty_vault: Path, tmp_path: Path) -> None:
    config = empty_vault / "config"
    config.write_text(config.read_text().replace('"format": 1', '"format": 2'))
    before = sorted(empty_vault.rglob("*"))
    make_database(tmp_path / "shop.db", rows=10)
    for verb in (
        ("snapshots",),
        ("check",),
        ("backup", f"sqlite:///{tmp_path / 'shop.db'}"),
        ("init",),
    ):
        _fails(run("-r", empty_vault, *verb, env=PASSWORD), 1, "format 2", "newer version")
    _fails_json(run("-r", empty_vault, "ls", "latest", "--json"), 1, "unsupported_format")
    assert sorted(empty_vault.rglob("*")) == before


def test_a_file_is_no_place_for_a_repository(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        _fails(run("-r", place, "init", "--no-encryption"), 1, "is not a directory", str(place))
        _fails(run("-r", place, "snapshots"), 10, str(place))


def test_init_twice(empty_vault: Path) -> None:
    before = (empty_vault / "config").read_bytes()
    _fails(run("-r", empty_vault, "init", "--no-encryption"), 1, "already")
    _fails_json(run("-r", empty_vault, "init", "--no-encryption", "--json"), 1, "repository_exists")
    assert (empty_vault / "config").read_bytes() == before


def test_a_wrong_password(tmp_path: Path) -> None:
    path = tmp_path / "v"
    assert run_json("-r", path, "init", env=PASSWORD)["encrypted"] is True
    assert succeed("-r", path, "snapshots", "-q", env=PASSWORD) == b""
    wrong = {"ROWVAULT_PASSWORD": "wrong"}
    _fails(run("-r", path, "snapshots", env=wrong), 12)
    _fails_json(run("-r", path, "snapshots", "--json", env=wrong), 12, "wrong_password")
    _fails(run("-r", path, "snapshots"), 2, "ROWVAULT_PASSWORD_FILE")
    assert b"wrong\n" not in run("-vv", "-r", path, "snapshots", env=wrong).stderr


def test_the_password_reaches_no_stream(tmp_path: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source, rows=10)
    secret = {"ROWVAULT_PASSWORD": "s3cr3t-s3cr3t"}
    for arguments in (["init"], ["backup", f"sqlite:///{source}"], ["snapshots"]):
        done = run("-vv", "-r", tmp_path / "v", *arguments, env=secret)
        assert done.returncode == 0
        assert b"s3cr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["latest~7", "ffffffffffffffff", "@1999-01-01", "no such"])
def test_no_such_snapshot(vault: Vault, name: str) -> None:
    _fails(run("-r", vault.path, "show", name), 1)
    _fails_json(run("-r", vault.path, "show", name, "--json"), 1, "snapshot_not_found")


@pytest.mark.parametrize("name", ["nowhere", "main.nothing", "nowhere.items"])
@pytest.mark.parametrize(
    "verb", [("ls", "latest"), ("dump", "latest"), ("diff", "latest", "latest")]
)
def test_no_such_table(vault: Vault, verb: tuple[str, ...], name: str) -> None:
    _fails(run("-r", vault.path, *verb, name), 2)


def test_sources_that_cannot_be_read(tmp_path: Path, empty_vault: Path) -> None:
    missing = tmp_path / "missing.db"
    _fails(run("-r", empty_vault, "backup", f"sqlite:///{missing}"), 1, "missing.db")
    assert not missing.exists()
    text = tmp_path / "text.db"
    text.write_text("this is not a database, and it is long enough to be sure of that\n" * 100)
    _fails(run("-r", empty_vault, "backup", f"sqlite:///{text}"), 1, "text.db")
    _fails(run("-r", empty_vault, "backup", "mysql://nobody@127.0.0.1:1/"), 1, "127.0.0.1")
    _fails(run("-r", empty_vault, "backup", "postgres://x/"), 2, "mysql://")
    assert run_json("-r", empty_vault, "snapshots") == []


def test_an_unknown_table_of_the_source(vault: Vault, empty_vault: Path) -> None:
    done = run("-r", empty_vault, "backup", vault.url, "-t", "main.nothing")
    _fails(done, 1, "nothing")


def test_a_target_in_the_way(vault: Vault, tmp_path: Path) -> None:
    target = tmp_path / "old.db"
    make_database(target, rows=5)
    arguments = ("-r", vault.path, "restore", "latest", f"sqlite:///{target}")
    _fails(run(*arguments), 1, "items", "--replace")
    _fails_json(run(*arguments, "--json"), 1, "target_exists")
    with closing(sqlite3.connect(target)) as database:
        assert database.execute("SELECT count(*) FROM items").fetchone() == (5,)
    _fails(run(*arguments, "--resume"), 2, "leaves nothing to go on with")
    _fails(run(*arguments, "--replace"), 2, "--onto", str(target))
    succeed(*arguments, "--replace", "--onto", target)


def test_a_target_in_no_directory(vault: Vault, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'no' / 'x.db'}"
    _fails(run("-r", vault.path, "restore", "latest", target), 1, "no directory", "make it first")


def test_a_dump_into_no_directory(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "no" / "dump.sql"
    _fails(run("-r", vault.path, "dump", "latest", "-o", file), 1, "No such file or directory")


def test_damage(vault: Vault, tmp_path: Path) -> None:
    copy = tmp_path / "vault"
    shutil.copytree(vault.path, copy)
    for pack in (copy / "packs" / "data").rglob("*"):
        if pack.is_file():
            pack.chmod(0o600)
            data = bytearray(pack.read_bytes())
            data[len(data) // 2] ^= 1
            pack.write_bytes(data)
    done = run("-r", copy, "check", "--read-data", "--json")
    assert done.returncode == 20
    errors = json.loads(done.stdout)["errors"]
    assert errors
    assert all(error.keys() == {"kind", "message", "object", "snapshots"} for error in errors)
    assert {name for error in errors for name in error["snapshots"]} == set(vault.snapshots)
    done = run("-r", copy, "check", "--read-data")
    assert done.returncode == 20
    assert b"damage: " in done.stderr
    done = run("-r", copy, "dump", "latest")
    assert done.returncode == 20
    assert b"rowvault check --read-data" in done.stderr
    _fails_json(
        run("-r", copy, "restore", "latest", f"sqlite:///{tmp_path}/r", "--json"), 20, "corrupt"
    )


@pytest.mark.parametrize("name", ["config", "keys"])
def test_damage_that_keeps_the_repository_shut(vault: Vault, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "vault"
    shutil.copytree(vault.path, copy)
    for path in [copy / name] if name == "config" else (copy / name).iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    for verb in (("check",), ("ls", "latest"), ("backup", vault.url)):
        done = run("-r", copy, *verb)
        _fails(done, 20, "bring it back")
        assert b"rowvault check" not in done.stderr


def test_an_omission(tmp_path: Path, empty_vault: Path) -> None:
    """A collation that a program made for itself cannot be carried; the rows are."""
    source = tmp_path / "shop.db"
    make_database(source, rows=10)
    with closing(sqlite3.connect(source)) as database:
        database.create_collation("house", lambda a, b: (a > b) - (a < b))
        database.execute("CREATE TABLE odd (x TEXT COLLATE house PRIMARY KEY)")
        database.commit()
    done = run("-r", empty_vault, "backup", f"sqlite:///{source}", "--json")
    assert done.returncode == 3, done.stderr.decode()
    warnings = json.loads(done.stdout)["warnings"]
    assert any("house" in warning for warning in warnings)
    assert b"warning: " in done.stderr
    assert run_json("-r", empty_vault, "show", "latest")["warnings"] == warnings
    assert b"left out" in succeed("-r", empty_vault, "show", "latest")


def test_relating_to_what_cannot_be_opened(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    succeed("-r", first, "init", env=PASSWORD)
    relate = ("-r", second, "init", "--from")
    _fails(run(*relate, tmp_path / "nowhere", env=PASSWORD), 10, "nowhere")
    _fails(run(*relate, first, env=PASSWORD), 2, "after --from is", "ROWVAULT_FROM_PASSWORD")
    _fails(run(*relate, first, env={**PASSWORD, "ROWVAULT_FROM_PASSWORD": "no"}), 12, str(first))
    known = {"ROWVAULT_FROM_PASSWORD": "test"}
    _fails(run(*relate, first, "--no-encryption", env=known), 2, "identity")
    _fails(run(*relate, first, env={**known, "ROWVAULT_PASSWORD": ""}), 2, "empty")
    assert not second.exists()
