"""`repair` as people meet it: a flipped bit costs a few rows, and every reader says which."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.vaults import Vault, content
from support.rowvault import run, run_json


@pytest.fixture
def damaged(vault: Vault, tmp_path: Path) -> Path:
    """A copy of the vault whose largest data pack has one bit flipped among the rows."""
    copy = Path(shutil.copytree(vault.path, tmp_path / "vault"))
    packs = [path for path in (copy / "packs" / "data").rglob("*") if path.is_file()]
    pack = max(packs, key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    data[len(data) // 4] ^= 1
    pack.write_bytes(data)
    return copy


def test_lost_rows_are_named_by_every_reader(vault: Vault, damaged: Path, tmp_path: Path) -> None:
    assert run("-r", damaged, "check", "--read-data").returncode == 20
    planned = run("-r", damaged, "repair", "--dry-run", "--json")
    assert planned.returncode == 3
    assert run("-r", damaged, "check", "--read-data").returncode == 20
    done = run("-r", damaged, "repair", "--json")
    assert done.returncode == 3
    document, plan = json.loads(done.stdout), json.loads(planned.stdout)
    assert document["damaged_packs"] == plan["damaged_packs"] == 1
    assert [one["losses"] for one in document["snapshots"]] == [
        one["losses"] for one in plan["snapshots"]
    ]
    assert {one["id"] for one in document["snapshots"]} <= set(vault.snapshots)
    assert run_json("-r", damaged, "check", "--read-data")["errors"] == []

    mended = document["snapshots"][-1]
    [loss, *_] = mended["losses"]
    assert loss.startswith("main.items: rows from id=")
    snapshot = mended["replacement"]
    target = tmp_path / "restored.db"
    restored = run("-r", damaged, "restore", snapshot, f"sqlite:///{target}", "--json")
    assert restored.returncode == 3
    told = json.loads(restored.stdout)
    assert told["verified"] is True
    assert any(loss in warning for warning in told["warnings"])
    restored_rows = content(target)
    assert len(restored_rows["items"]) < len(vault.after["items"])
    assert set(restored_rows["items"]) <= {*vault.before["items"], *vault.after["items"]}
    assert restored_rows["notes"] == vault.after["notes"]
    dumped = run("-r", damaged, "dump", snapshot)
    assert dumped.returncode == 3
    assert b"-- rows from id=" in dumped.stdout
    assert loss.encode() in dumped.stderr
    assert loss in run_json("-r", damaged, "show", snapshot)["warnings"]


def test_a_whole_vault_needs_no_repair(vault: Vault, tmp_path: Path) -> None:
    copy = shutil.copytree(vault.path, tmp_path / "vault")
    done = run("-r", copy, "repair")
    assert (done.returncode, done.stdout) == (0, b"nothing to repair\n")


def test_a_repair_says_what_it_did(damaged: Path) -> None:
    done = run("-r", damaged, "repair")
    assert done.returncode == 3
    assert b"lost: snapshot " in done.stderr
    assert b"1 damaged pack replaced by" in done.stdout
    assert run("-r", damaged, "repair").stdout == b"nothing to repair\n"
