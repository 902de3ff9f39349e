"""`backup --compression`: what is stored gets smaller, and any level follows on any other."""

from __future__ import annotations

from pathlib import Path

from cli.vaults import change_database, content, make_database
from support.rowvault import run, run_json, succeed


def test_levels_may_change(tmp_path: Path) -> None:
    source = tmp_path / "shop.db"
    make_database(source)
    before = content(source)
    stored: dict[str, int] = {}
    for level in ("off", "auto", "9"):
        vault = tmp_path / level
        # Rows are cut in the same places, so that sizes tell of the level alone.
        related = ["--from", tmp_path / "off"] if stored else []
        succeed("-r", vault, "init", "--no-encryption", *related)
        made = run_json("-r", vault, "backup", f"sqlite:///{source}", "--compression", level)
        stored[level] = made["stored_bytes"]
        assert made["raw_bytes"] < stored["off"]
    assert stored["9"] <= stored["auto"] < stored["off"] / 2

    change_database(source)
    vault = tmp_path / "off"
    again = run_json("-r", vault, "backup", f"sqlite:///{source}", "--compression", "9")
    assert again["stored_bytes"] < stored["off"]
    for snap, rows in (("latest~1", before), ("latest", content(source))):
        target = tmp_path / f"{snap}.db"
        succeed("-r", vault, "restore", snap, f"sqlite:///{target}")
        assert content(target) == rows


def test_another_word_is_a_usage_error(empty_vault: Path, tmp_path: Path) -> None:
    done = run("-r", empty_vault, "backup", f"sqlite:///{tmp_path}/x.db", "--compression", "max")
    assert done.returncode == 2
    assert b"auto, off, or a number from 1 to 22" in done.stderr
