"""Copies that have not arrived to their end: said what is missing, nothing removed, and healed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.vaults import change_database, make_database
from rowvault.core.monitor import SilentMonitor
from rowvault.storage import LocalStorage
from support.rowvault import run, run_json, succeed
from support.sample_repository import open_plain, sample_rows

SAMPLES = Path(__file__).parents[1] / "data" / "repositories"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository before and after its second backup."""
    place = tmp_path_factory.mktemp("half")
    source = place / "shop.db"
    make_database(source, 300)
    succeed("-r", place / "after", "init", "--no-encryption")
    succeed("-r", place / "after", "backup", f"sqlite:///{source}")
    shutil.copytree(place / "after", place / "before")
    change_database(source)
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE fresh AS SELECT * FROM items")
    succeed("-r", place / "after", "backup", f"sqlite:///{source}")
    return place


@pytest.fixture
def emptied(base: Path, tmp_path: Path) -> Path:
    """All has arrived but the files of `snapshots/`, whose directory is there."""
    copy = Path(shutil.copytree(base / "after", tmp_path / "copy"))
    for path in (copy / "snapshots").iterdir():
        path.unlink()
    return copy


@pytest.fixture
def old_index(base: Path, tmp_path: Path) -> Path:
    """All is of the second backup but `index/`."""
    copy = Path(shutil.copytree(base / "after", tmp_path / "copy"))
    shutil.rmtree(copy / "index")
    shutil.copytree(base / "before" / "index", copy / "index")
    return copy


def objects(place: Path) -> dict[str, bytes]:
    """All but what a prune notes for itself of others at work."""
    storage = LocalStorage(place)
    return {name: storage.read(name) for name in storage.list("") if not name.startswith("gc/")}


CHANGING = [
    ("prune",),
    ("prune", "--dry-run"),
    ("forget", "--keep-last", "1", "--prune"),
    ("repair",),
    ("repair", "--dry-run"),
]
READING = [("stats",), ("snapshots",), ("check",), ("show", "latest"), ("dump", "latest")]


@pytest.fixture
def emptied_without_ledger(tmp_path: Path) -> Path:
    """The same of a repository by an earlier version, which records no snapshots."""
    copy = Path(shutil.copytree(SAMPLES / "v1-whole-plain", tmp_path / "copy"))
    for group in ("snapshots", "trash", "sessions"):
        for path in (copy / group).iterdir():
            path.unlink()
    return copy


@pytest.mark.parametrize("verb", CHANGING + READING)
def test_packs_without_any_snapshot_are_missed(
    emptied_without_ledger: Path, verb: tuple[str, ...]
) -> None:
    before = objects(emptied_without_ledger)
    done = run("-r", emptied_without_ledger, *verb)
    assert done.returncode == 20, done.stderr
    assert b"no snapshot, not even a forgotten one" in done.stderr
    assert b"prune --allow-remove-all" in done.stderr
    after = objects(emptied_without_ledger)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("verb", [("prune",), ("prune", "--dry-run")])
def test_forgotten_snapshots_do_not_explain_all_packs(
    tmp_path: Path, verb: tuple[str, ...]
) -> None:
    """No ledger says that there were no others than the forgotten ones."""
    copy = Path(shutil.copytree(SAMPLES / "v1-whole-plain", tmp_path / "copy"))
    for group in ("snapshots", "sessions"):
        for path in (copy / group).iterdir():
            path.unlink()
    before = objects(copy)
    done = run("-r", copy, *verb)
    assert done.returncode == 20, done.stderr
    assert b"no snapshot, beside 1 forgotten" in done.stderr
    assert b"prune --allow-remove-all" in done.stderr
    assert {name: data for name, data in objects(copy).items() if name in before} == before
    assert run_json("-r", copy, "prune", "--allow-remove-all")["removed_packs"] > 0


@pytest.mark.parametrize("verb", READING)
def test_forgotten_snapshots_do_not_explain_that_recorded_ones_vanished(
    base: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    copy = Path(shutil.copytree(base / "after", tmp_path / "copy"))
    succeed("-r", copy, "forget", "latest")
    for path in (copy / "snapshots").iterdir():
        path.unlink()
    done = run("-r", copy, *verb)
    assert done.returncode == 20, done.stderr
    assert b"has vanished: nobody has forgotten it" in done.stderr
    assert b"no snapshot, beside 1 forgotten" in done.stderr


def test_a_lost_ledger_does_not_record_that_all_snapshots_were_forgotten(
    base: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(base / "after", tmp_path / "copy"))
    succeed("-r", copy, "forget", "latest")
    for group in ("snapshots", "ledger"):
        for path in (copy / group).iterdir():
            path.unlink()
    before = objects(copy)
    moved = copy.rename(tmp_path / "elsewhere")  # a place of which this host knows nothing
    done = run("-r", moved, "prune")
    assert done.returncode == 20, done.stderr
    assert {name: data for name, data in objects(moved).items() if name in before} == before


@pytest.mark.parametrize("verb", CHANGING)
def test_what_vanished_is_named_before_anything_is_changed(
    emptied: Path, verb: tuple[str, ...]
) -> None:
    before = objects(emptied)
    done = run("-r", emptied, *verb)
    assert done.returncode == 20, done.stderr
    assert done.stderr.count(b"has vanished: nobody has forgotten it") == 2
    assert b"check --accept-state" in done.stderr
    assert objects(emptied) == before


@pytest.mark.parametrize("verb", READING)
def test_what_vanished_is_named_by_what_reads(emptied: Path, verb: tuple[str, ...]) -> None:
    done = run("-r", emptied, *verb)
    assert done.returncode == 20, done.stderr
    assert done.stderr.count(b"has vanished: nobody has forgotten it") >= 2
    assert b"no snapshot, not even a forgotten one" in done.stderr


def test_whoever_means_it_can_remove_the_packs(emptied: Path) -> None:
    """Once the loss of the snapshots that the ledger records is accepted."""
    assert run("-r", emptied, "prune", "--allow-remove-all").returncode == 20
    accepted = run("-r", emptied, "check", "--accept-state", "--yes")
    assert accepted.returncode == 0, accepted.stderr  # now it is on record that there is none
    assert run_json("-r", emptied, "snapshots") == []
    refused = run("-r", emptied, "prune")
    assert refused.returncode == 20
    assert b"prune --allow-remove-all" in refused.stderr
    done = run_json("-r", emptied, "prune", "--allow-remove-all")
    assert done["removed_packs"] > 0
    assert LocalStorage(emptied).list("packs/") == []
    assert run_json("-r", emptied, "snapshots") == []
    assert run("-r", emptied, "prune").returncode == 0


def test_snapshots_that_were_forgotten_may_go(base: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(base / "after", tmp_path / "copy")
    for snapshot in run_json("-r", copy, "snapshots"):
        succeed("-r", copy, "forget", snapshot["id"], "--allow-remove-all")
    assert run_json("-r", copy, "snapshots") == []
    assert run("-r", copy, "stats").returncode == 0
    assert run_json("-r", copy, "prune")["removed_packs"] > 0
    for verb in ("prune", "stats", "check", "repair", "snapshots"):
        assert run("-r", copy, verb).returncode == 0, verb


def test_a_first_backup_that_was_killed(tmp_path: Path) -> None:
    """Its packs are nobody's: the next backup takes them, and a prune asks before it removes.

    No other verb takes that for damage, for it is on record that there was no snapshot.
    """
    vault, source = tmp_path / "vault", tmp_path / "shop.db"
    make_database(source, 50)
    succeed("-r", vault, "init", "--no-encryption")
    repository = open_plain(LocalStorage(vault))
    session = repository.begin("backup", SilentMonitor())
    session.put_data(b"".join(b"\x01%d" % (n % 10) for n, _ in enumerate(sample_rows(100))))
    session.flush()
    assert run_json("-r", vault, "snapshots") == []  # it may be at work
    session.abort()
    assert run_json("-r", vault, "snapshots") == []
    for verb in (("check", "--read-data"), ("stats",), ("repair",)):
        done = run("-r", vault, *verb)
        assert done.returncode == 0, (verb, done.stderr)
    assert run("-r", vault, "show", "latest").returncode == 1
    assert run("-r", vault, "prune").returncode == 20
    succeed("-r", vault, "backup", f"sqlite:///{source}")
    assert run("-r", vault, "prune").returncode == 0


def test_an_old_index_is_named_with_what_heals_it(old_index: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    for verb in (("dump", "latest"), ("restore", "latest", target), ("check",)):
        done = run("-r", old_index, *verb)
        assert done.returncode == 20, (verb, done.stderr)
        assert b"packs lie there that the index does not list" in done.stderr, verb
        assert b"rowvault repair" in done.stderr, verb
    planned = run_json("-r", old_index, "repair", "--dry-run")
    assert run("-r", old_index, "check").returncode == 20
    document = run_json("-r", old_index, "repair")
    assert document["listed_packs"] == planned["listed_packs"] > 0
    assert document["snapshots"] == document["dropped"] == []
    assert run_json("-r", old_index, "check", "--read-data")["errors"] == []
    assert b"fresh" in succeed("-r", old_index, "dump", "latest")
    assert run("-r", old_index, "repair").stdout == b"nothing to repair\n"


def test_a_repair_says_what_it_listed(old_index: Path) -> None:
    assert b"unlisted packs listed" in succeed("-r", old_index, "repair")


def test_packs_that_did_not_arrive_are_no_unlisted_ones(base: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(base / "after", tmp_path / "copy"))
    for pack in [path for path in (copy / "packs" / "data").rglob("*") if path.is_file()][:1]:
        pack.unlink()
    done = run("-r", copy, "check", "--json")
    assert done.returncode == 20
    assert "does not list" not in json.dumps(json.loads(done.stdout)["errors"])
