"""Snapshots that vanish or come back, and a repository that is rolled back, for a user."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.vaults import make_database
from support.rowvault import run, run_json, succeed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with three snapshots."""
    make_database(tmp_path / "shop.db", 20)
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    for _ in range(3):
        back_up(tmp_path / "vault")
    return tmp_path / "vault"


def back_up(place: Path) -> None:
    succeed("-r", place, "backup", f"sqlite:///{place.parent / 'shop.db'}", "--json")


def vanish(place: Path) -> None:
    sorted((place / "snapshots").iterdir())[1].unlink()


def come_back(place: Path) -> None:
    snapshot = sorted((place / "snapshots").iterdir())[1]
    kept = snapshot.read_bytes()
    succeed("-r", place, "forget", snapshot.name[-16:], "--prune")
    snapshot.write_bytes(kept)


def exchange(place: Path) -> None:
    first, second = sorted((place / "snapshots").iterdir())[:2]
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def roll_back(place: Path) -> None:
    copy = Path(shutil.copytree(place, place.parent / "copy"))
    back_up(place)
    shutil.rmtree(place)
    copy.rename(place)


def files(place: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.name not in (".lock", "prune")  # whose turn it is to prune
    }


WAYS = [vanish, come_back, roll_back]


@pytest.mark.parametrize("act", [*WAYS, exchange])
def test_it_is_named_and_nothing_is_removed(place: Path, act: Callable[[Path], None]) -> None:
    act(place)
    before = files(place)
    report = run("-r", place, "check", "--json")
    assert report.returncode == 20
    objects = {one["object"] for one in json.loads(report.stdout)["errors"]}
    assert any(one.startswith(("snapshots/", "ledger/")) for one in objects)
    for words in (["prune"], ["prune", "--dry-run"]):
        assert run("-r", place, *words).returncode == 20
    if act is not exchange:  # that a repair mends: what cannot be read goes, and is named
        for words in (["forget", "--keep-last", "1"], ["repair"], ["repair", "--dry-run"]):
            done = run("-r", place, *words)
            assert done.returncode == 20, words
            assert b"accept-state" in done.stderr
        assert run("-r", place, "snapshots").stderr
    assert files(place) == before


@pytest.mark.parametrize("act", WAYS)
def test_nothing_is_brought_back_into_a_set_that_differs(
    place: Path, act: Callable[[Path], None]
) -> None:
    oldest = min((place / "snapshots").iterdir()).name[-16:]
    succeed("-r", place, "forget", oldest)
    back_up(place)
    act(place)
    before = files(place)
    done = run("-r", place, "undelete", oldest)
    assert done.returncode == 20
    assert b"accept-state" in done.stderr
    assert files(place) == before


WRITERS: dict[str, int] = {
    "undelete {trash}": 20,
    "forget {listed}": 20,
    "prune": 20,
    "repair": 20,
    # No snapshot goes or comes by these, and the ledger does not record what they change.
    "tag add {listed} kept": 0,
    "tag remove {listed} kept": 0,
    "key add --recovery": 0,
    "upgrade": 0,
}
"""How each verb that writes ends where a snapshot has vanished; `backup` has a test of its own."""


@pytest.mark.slow
@pytest.mark.parametrize("line", WRITERS)
def test_every_verb_that_writes_looks_at_the_set(tmp_path: Path, line: str) -> None:
    make_database(tmp_path / "shop.db", 20)
    place, password = tmp_path / "vault", {"ROWVAULT_PASSWORD": "correct horse"}
    succeed("-r", place, "init", env=password)
    for _ in range(3):
        words = ["backup", f"sqlite:///{tmp_path / 'shop.db'}"]
        succeed("-r", place, *words, env=password)
    forgotten, vanished, listed = sorted((place / "snapshots").iterdir())
    succeed("-r", place, "forget", forgotten.name[-16:], env=password)
    vanished.unlink()
    words = line.format(trash=forgotten.name[-16:], listed=listed.name[-16:]).split()
    before = files(place)
    done = run("-r", place, *words, env=password)
    assert done.returncode == WRITERS[line], done.stderr
    if done.returncode == 20:
        assert files(place) == before
    else:
        report = run("-r", place, "check", "--json", env=password)
        named = {one["object"] for one in json.loads(report.stdout)["errors"]}
        assert named == {f"snapshots/{vanished.name}"}


@pytest.mark.parametrize("act", WAYS)
def test_a_backup_is_taken_all_the_same(place: Path, act: Callable[[Path], None]) -> None:
    act(place)
    done = run("-r", place, "backup", f"sqlite:///{place.parent / 'shop.db'}", "--json")
    assert done.returncode == 20
    document = json.loads(done.stdout)
    assert document["damage"]
    assert document["snapshot"] in {one["id"] for one in run_json("-r", place, "snapshots")}


@pytest.mark.parametrize("act", WAYS)
def test_the_state_is_accepted(place: Path, act: Callable[[Path], None]) -> None:
    act(place)
    assert run("-r", place, "check", "--accept-state").returncode == 2
    done = run("-r", place, "check", "--accept-state", "--yes", "--json")
    document = json.loads(done.stdout)
    assert document["accepted"] == len(run_json("-r", place, "snapshots"))
    told = run("-r", place, "check", "--accept-state", "--yes").stdout
    assert f"on record from now on: {document['accepted']} snapshot".encode() in told
    errors = document["errors"]
    assert {one["kind"] for one in errors} <= {"unreadable"}  # rows that a prune has removed
    assert not any(one["object"].startswith(("snapshots/", "ledger/")) for one in errors)
    back_up(place)
    if act is not come_back:
        succeed("-r", place, "check")
        succeed("-r", place, "forget", "--keep-last", "1", "--prune")
        succeed("-r", place, "check")
