"""`key list|add|remove|change` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.rowvault import run, run_json, succeed
from support.sample_repository import create_cheap

OLD = {"ROWVAULT_PASSWORD": "old"}
NEW = {"ROWVAULT_PASSWORD": "new"}
SETS_NEW = OLD | {"ROWVAULT_NEW_PASSWORD": "new"}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "vault"
    create_cheap(path, b"old")
    return path


def test_a_second_password(secret: Path) -> None:
    document = run_json("-r", secret, "key", "add", "--label", "ops", env=SETS_NEW)
    assert document.keys() == {
        "id", "kind", "label", "created", "host", "in_use", "recovery_key",
    }  # fmt: skip
    assert (document["kind"], document["recovery_key"]) == ("password", None)
    listed = run_json("-r", secret, "key", "list", env=NEW)
    assert [one["in_use"] for one in listed] == [one["label"] == "ops" for one in listed]
    assert b"ops" in succeed("-r", secret, "key", "list", env=OLD)


def test_a_recovery_key_opens(secret: Path) -> None:
    done = run("-r", secret, "key", "add", "--recovery", env=OLD)
    text = done.stdout.decode().strip()
    assert done.returncode == 0
    assert b"shown once" in done.stderr
    succeed("-r", secret, "snapshots", env={"ROWVAULT_PASSWORD": text.lower()})
    wrong = run("-r", secret, "snapshots", env={"ROWVAULT_PASSWORD": text.replace("-", "")[:-1]})
    assert wrong.returncode == 12
    assert b"typo" in wrong.stderr


def test_change_and_remove(secret: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.pw"
    file.write_text("new\n")
    env = OLD | {"ROWVAULT_NEW_PASSWORD_FILE": str(file)}
    document = run_json("-r", secret, "key", "change", env=env)
    assert document["replaced"] != document["id"]
    assert run("-r", secret, "snapshots", env=OLD).returncode == 12
    (only,) = run_json("-r", secret, "key", "list", env=NEW)
    assert only["id"] == document["id"]
    refused = run("-r", secret, "key", "remove", only["id"], "--force", env=NEW)
    assert refused.returncode == 1
    assert b"last one" in refused.stderr
    added = run_json(
        "-r", secret, "key", "add", env=NEW | {"ROWVAULT_NEW_PASSWORD_COMMAND": "echo third"}
    )
    in_use = run("-r", secret, "--json", "key", "remove", only["id"], env=NEW)
    assert in_use.returncode == 2
    assert "--force" in json.loads(in_use.stdout)["error"]["message"]
    removed = run_json("-r", secret, "key", "remove", added["id"][:8], env=NEW)
    assert removed["id"] == added["id"]
    assert run("-r", secret, "snapshots", env={"ROWVAULT_PASSWORD": "third"}).returncode == 12


def test_nobody_to_ask(secret: Path) -> None:
    done = run("-r", secret, "key", "add", env=OLD)
    assert done.returncode == 2
    assert b"ROWVAULT_NEW_PASSWORD" in done.stderr
    empty = run("-r", secret, "key", "add", env=OLD | {"ROWVAULT_NEW_PASSWORD": ""})
    assert empty.returncode == 2
    assert len(run_json("-r", secret, "key", "list", env=OLD)) == 1


def test_a_repository_in_clear(empty_vault: Path) -> None:
    for words in (["list"], ["add", "--recovery"], ["change"], ["remove", "00"]):
        done = run("-r", empty_vault, "key", *words)
        assert done.returncode == 2
        assert b"not encrypted" in done.stderr
