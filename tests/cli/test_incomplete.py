"""An incomplete snapshot is marked wherever it is listed, and told wherever it is used."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.vaults import make_database
from support.rowvault import run, run_json, succeed


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole snapshot, then one without a view whose text is not valid UTF-8."""
    place = tmp_path_factory.mktemp("lacking") / "place"
    source = place.with_name("shop.db")
    make_database(source)
    succeed("-r", place, "init", "--no-encryption")
    succeed("-r", place, "backup", f"sqlite:///{source}")
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE VIEW bad AS SELECT 'xx' AS a")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = CAST(replace(CAST(sql AS BLOB), x'7878', x'ff78') "
            "AS TEXT) WHERE name = 'bad'"
        )
    done = run("-r", place, "--json", "backup", f"sqlite:///{source}")
    assert done.returncode == 3, done.stderr
    assert len(json.loads(done.stdout)["missing"]) == 1
    return place


def test_lists_mark_it(vault: Path) -> None:
    assert [one["whole"] for one in run_json("-r", vault, "snapshots")] == [True, False]
    assert succeed("-r", vault, "snapshots").count(b" incomplete") == 1
    assert [one["whole"] for one in run_json("-r", vault, "stats")["growth"]] == [True, False]
    assert b"incomplete" in succeed("-r", vault, "stats")
    assert run_json("-r", vault, "ls", "latest")["whole"] is False
    assert run_json("-r", vault, "ls", "latest~1")["whole"] is True


def test_show_names_what_is_missing(vault: Path) -> None:
    shown = run_json("-r", vault, "show", "latest")
    (missing,) = shown["missing"]
    assert not shown["whole"]
    assert "view main.bad" in missing
    assert b"incomplete" in succeed("-r", vault, "show", "latest")
    assert run_json("-r", vault, "show", "latest~1")["missing"] == []
    assert b"whole" in succeed("-r", vault, "show", "latest~1")


def test_verbs_that_use_it_say_so(vault: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'target.db'}"
    whole, lacking = (one["id"] for one in run_json("-r", vault, "snapshots"))
    for words in (
        ("ls", "latest"),
        ("dump", "latest"),
        ("diff", "latest~1", "latest"),
        ("restore", "latest", target),
        ("verify", "latest", target),
    ):
        told = run("-r", vault, *words).stderr.decode()
        assert f"is incomplete (last whole: {whole}): view main.bad" in told, words
        assert told.count("is incomplete") == 1, words
    told = run("-r", vault, "dump", lacking).stderr.decode()
    assert told.count("is incomplete: view main.bad") == told.count("is incomplete") == 1
    for name, times in (("latest", 1), (lacking, 0)):
        assert run("-r", vault, "show", name).stderr.decode().count("is incomplete") == times
    told = run("-r", vault, "restore", "latest~1", target, "--replace").stderr.decode()
    assert "incomplete" not in told


def test_a_part_that_is_whole_is_not_called_incomplete(vault: Path) -> None:
    done = run("-r", vault, "dump", "latest", "main.items")
    # That the newest of all is incomplete is told all the same.
    assert b"view main.bad" not in done.stderr


def test_forget_keeps_the_whole_one_beside_it(vault: Path) -> None:
    dry = run_json("-r", vault, "forget", "--keep-last", "1", "--dry-run")
    assert dry["forgotten"] == []
    (part,) = dry["groups"]
    assert [one["reasons"] for one in part["kept"]] == [["last 1, incomplete"], ["last 1"]]
    assert [one["whole"] for one in part["kept"]] == [False, True]


def test_a_restore_of_it_is_not_called_verified(vault: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'target.db'}"
    onto = ("--onto", str(tmp_path / "target.db"))
    done = run("-r", vault, "restore", "latest", target)
    assert done.returncode == 0  # all that the snapshot holds is there
    told = done.stdout.decode().splitlines()[-1]
    assert told.startswith("incomplete: what was restored was read back and is the snapshot's (")
    assert "the snapshot lacks: view main.bad" in told
    document = run_json("-r", vault, "restore", "latest", target, "--replace", *onto)
    (lacking,) = document["incomplete"]
    assert "view main.bad" in lacking
    whole = run_json("-r", vault, "restore", "latest~1", target, "--replace", *onto)
    assert whole["incomplete"] == whole["warnings"] == []


def test_a_restore_of_a_part_that_is_whole_is_verified(vault: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'target.db'}"
    done = run("-r", vault, "restore", "latest", target, "-t", "main.items")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[-1].startswith("verified: ")


def test_a_comparison_with_it_says_what_it_lacks(vault: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'target.db'}"
    run("-r", vault, "restore", "latest", target)
    told = succeed("-r", vault, "verify", "latest", target).decode().splitlines()[-1]
    assert told.startswith("equal: all definitions and rows that the snapshot holds")
    assert "view main.bad" in told
    (lacking,) = run_json("-r", vault, "verify", "latest", target)["incomplete"]
    assert "view main.bad" in lacking
