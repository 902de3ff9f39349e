"""`forget`, `undelete`, `prune`, `tag`, `sessions` as scripts and people use them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.vaults import Vault, change_database, make_database
from support.rowvault import COMMAND, environment, run, run_json, succeed


@pytest.fixture
def own(tmp_path: Path, empty_vault: Path) -> Vault:
    """A repository with three snapshots, the first of them tagged."""
    source = tmp_path / "shop.db"
    make_database(source)
    ids = [run_json("-r", empty_vault, "backup", f"sqlite:///{source}", "--tag", "audit")]
    for _ in range(2):
        change_database_again(source, len(ids))
        ids.append(run_json("-r", empty_vault, "backup", f"sqlite:///{source}"))
    first, *_, last = [one["snapshot"] for one in ids]
    return Vault(empty_vault, source, (first, last), {}, {})


def change_database_again(source: Path, number: int) -> None:
    if number == 1:
        change_database(source)
        return
    import sqlite3

    with sqlite3.connect(source) as database:
        database.execute("UPDATE items SET name = name || ' again'")
    database.close()


def listed(vault: Vault) -> list[str]:
    return [one["id"] for one in run_json("-r", vault.path, "snapshots")]


def test_forget_by_policy_says_why(own: Vault) -> None:
    dry = run_json("-r", own.path, "forget", "--keep-last", "1", "--keep-tag", "audit", "--dry-run")
    assert dry.keys() == {"dry_run", "forgotten", "groups", "prune"}
    (part,) = dry["groups"]
    assert part.keys() == {"source", "server_id", "selection", "kept", "forgotten"}
    reasons = {one["id"]: one["reasons"] for one in part["kept"]}
    assert reasons == {own.snapshots[0]: ["tagged audit"], own.snapshots[1]: ["last 1"]}
    assert len(listed(own)) == 3
    done = run_json("-r", own.path, "forget", "--keep-last", "1", "--keep-tag", "audit")
    assert done["forgotten"] == dry["forgotten"] == [one["id"] for one in part["forgotten"]]
    assert listed(own) == list(own.snapshots)


def test_the_text_form(own: Vault) -> None:
    text = succeed("-r", own.path, "forget", "--keep-daily", "1").decode()
    assert "2 snapshots forgotten" in text
    assert "daily 1" in text
    assert "undelete" in text
    assert succeed("-r", own.path, "-q", "forget", "--keep-daily", "1") == b""


def test_undelete(own: Vault) -> None:
    gone = run_json("-r", own.path, "forget", own.snapshots[0])["forgotten"]
    (entry,) = run_json("-r", own.path, "undelete", "--list")
    assert entry.keys() == {"id", "time", "forgotten", "source", "tags", "whole"}
    assert ([entry["id"]], entry["tags"]) == (gone, ["audit"])
    assert own.snapshots[0].encode() in succeed("-r", own.path, "undelete", "--list")
    assert run_json("-r", own.path, "undelete", gone[0][:6]) == {"snapshots": gone}
    assert len(listed(own)) == 3
    again = run("-r", own.path, "undelete", gone[0])
    assert again.returncode == 1
    assert b"nothing to bring back" in again.stderr


def test_prune_after_forget(own: Vault) -> None:
    before = sum(path.stat().st_size for path in (own.path / "packs").rglob("*") if path.is_file())
    document = run_json("-r", own.path, "forget", "--keep-last", "1", "--prune")["prune"]
    assert document.keys() == {
        "dry_run", "snapshots", "final", "dead_packs", "repacked_packs", "repacked_bytes",
        "renewed_blocks", "renewed_bytes", "removed_packs", "freed_bytes", "pending_bytes",
        "unused_bytes", "waits_for", "warnings", "damage",
    }  # fmt: skip
    assert len(document["final"]) == 2
    after = sum(path.stat().st_size for path in (own.path / "packs").rglob("*") if path.is_file())
    assert before > after
    assert run_json("-r", own.path, "check", "--read-data")["errors"] == []
    assert run_json("-r", own.path, "undelete", "--list") == []
    again = run_json("-r", own.path, "prune", "--max-unused", "0%")
    assert run_json("-r", own.path, "prune", "--dry-run")["removed_packs"] == 0
    assert again["snapshots"] == 1
    assert b"1 snapshot kept" in succeed("-r", own.path, "prune")


def test_prune_beside_a_missing_pack_ends_with_20_and_takes_nothing(own: Vault) -> None:
    """The pack that comes back then heals everything."""
    pack = next(path for path in sorted((own.path / "packs" / "data").rglob("*")) if path.is_file())
    aside = own.path.parent / pack.name
    pack.rename(aside)
    before = {path for path in (own.path / "packs").rglob("*") if path.is_file()}
    for words in (["prune", "--dry-run"], ["forget", "--keep-last", "1", "--prune"], ["prune"]):
        refused = run("-r", own.path, *words)
        assert refused.returncode == 20, words
        assert pack.name.encode() in refused.stderr
        assert b"Nothing was removed" in refused.stderr
    assert before <= {path for path in (own.path / "packs").rglob("*") if path.is_file()}
    aside.rename(pack)
    succeed("-r", own.path, "prune")
    assert run_json("-r", own.path, "check", "--read-data")["errors"] == []


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--keep-last", "1", "latest"],
        ["--keep-last", "one"],
        ["--keep-last", "-2"],
        ["--keep-within", "7"],
        ["--keep-within", "7d7d"],
        ["--keep-tag", "a,"],
        ["--keep-last", "1", "--max-repack", "much"],
        ["--keep-last", "1", "--max-unused", "5"],
    ],
)
def test_what_makes_no_sense(own: Vault, words: list[str]) -> None:
    done = run("-r", own.path, "forget", *words)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert len(listed(own)) == 3


def test_nothing_is_emptied_by_accident(own: Vault) -> None:
    for words in (["--keep-tag", "nobody"], ["latest", "latest~1", "latest~2"]):
        done = run("-r", own.path, "--json", "forget", *words)
        assert done.returncode == 2
        assert "--allow-remove-all" in json.loads(done.stdout)["error"]["message"]
        assert len(listed(own)) == 3
    succeed("-r", own.path, "forget", "--keep-tag", "nobody", "--allow-remove-all")
    assert listed(own) == []


def test_an_unknown_snapshot_forgets_none(own: Vault) -> None:
    done = run("-r", own.path, "forget", own.snapshots[0], "zz")
    assert done.returncode == 1
    assert len(listed(own)) == 3


def test_tags(own: Vault) -> None:
    added = run_json("-r", own.path, "tag", "add", "latest", "größer", "b")
    assert added.keys() == {"snapshot", "time", "source", "tags"}
    assert (added["snapshot"], added["tags"]) == (own.snapshots[1], ["b", "größer"])
    assert run_json("-r", own.path, "tag", "add", "latest", "b") == added
    removed = run_json("-r", own.path, "tag", "remove", "latest", "b", "never")
    assert removed["tags"] == ["größer"]
    assert run("-r", own.path, "tag", "add", "latest", "").returncode == 2
    assert run("-r", own.path, "tag", "add", "latest").returncode == 2
    assert "größer".encode() in succeed("-r", own.path, "snapshots")


HOLDER = """
import sys
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
repository = Repository.open(LocalStorage(sys.argv[1]), lambda: b"")
with repository.begin(sys.argv[2], SilentMonitor()) as session:
    print(session.id, flush=True)
    sys.stdin.read()
"""


def test_who_is_at_work(own: Vault) -> None:
    """A prune excludes another one; a backup is only waited for; a dead one is shown as such."""
    assert run_json("-r", own.path, "sessions") == []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, own.path, "prune"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    session_id = holder.stdout.readline().decode().strip()
    try:
        (entry,) = run_json("-r", own.path, "sessions")
        assert entry.keys() == {
            "id", "command", "host", "user", "pid", "since", "heartbeat", "parent", "state",
        }  # fmt: skip
        assert (entry["id"], entry["pid"]) == (session_id, holder.pid)
        assert entry["state"] == "alive"
        locked = run("-r", own.path, "prune")
        assert locked.returncode == 11
        assert f"process {holder.pid}".encode() in locked.stderr
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        (entry,) = run_json("-r", own.path, "sessions")
        assert entry["state"] == "gone"
    finally:
        holder.kill()
        holder.communicate()
    succeed("-r", own.path, "prune")
    assert run_json("-r", own.path, "sessions") == []


def test_a_prune_beside_a_backup_is_incomplete(own: Vault) -> None:
    succeed("-r", own.path, "forget", "--keep-last", "1")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, own.path, "backup"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    held = run("-r", own.path, "prune", "--max-unused", "0%")
    assert held.returncode == 3
    assert f"process {holder.pid}".encode() in held.stdout
    waiting = subprocess.Popen(
        [*COMMAND, "-r", str(own.path), "--json", "prune", "--wait"],
        env=environment(),
        stdout=subprocess.PIPE,
    )
    holder.communicate()
    output, _ = waiting.communicate()
    assert waiting.returncode == 0
    assert json.loads(output)["removed_packs"] > 0
    assert run_json("-r", own.path, "check", "--read-data")["errors"] == []


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def test_a_prune_that_fails_leaves_no_doubt_about_what_was_forgotten(own: Vault) -> None:
    """The newest snapshot is damaged, so the prune refuses when the rest is forgotten already."""
    ids = listed(own)
    (newest,) = (own.path / "snapshots").glob(f"*-{ids[-1]}")
    spoil(newest)
    words = ("-r", own.path, "forget", "--keep-last", "1", "--prune")
    done = run(*words)
    assert done.returncode == 20
    assert f"{ids[0]}" in done.stdout.decode()
    assert b"1 snapshot forgotten" in done.stdout
    told = done.stderr.decode()
    assert f"undelete` brings them back until a prune: {ids[0]}" in told
    assert "Go on with `rowvault prune`" in told
    succeed("-r", own.path, "undelete", ids[0])
    as_json = run("--json", *words)
    error = json.loads(as_json.stdout)["error"]
    assert (as_json.returncode, error["exit_code"], error["forgotten"]) == (20, 20, [ids[0]])
    quiet = run("-q", *words)
    assert quiet.returncode == 20
    assert quiet.stdout == b""


def test_several_come_back_as_they_were_named(own: Vault) -> None:
    first, second, third = listed(own)
    succeed("-r", own.path, "forget", first, second, third, "--allow-remove-all")
    back = run_json("-r", own.path, "undelete", "latest", "latest~1")
    assert back == {"snapshots": [third, second]}
    assert listed(own) == [second, third]


def test_a_wrong_name_among_several_brings_none_back(own: Vault) -> None:
    first, second, _ = listed(own)
    succeed("-r", own.path, "forget", first, second)
    assert run("-r", own.path, "undelete", first, "ffff").returncode == 1
    assert len(listed(own)) == 1
