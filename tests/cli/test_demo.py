"""The tour, as a stranger starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rowvault import run, run_json, succeed


@pytest.mark.slow
def test_the_tour(tmp_path: Path) -> None:
    place = tmp_path / "tour"
    text = succeed("demo", place).decode()
    shown = [line for line in text.splitlines() if line.startswith("$ rowvault")]
    verbs = [line.split()[2] for line in shown]
    assert verbs == ["init", "backup", "backup", "snapshots", "diff", "restore", "check"]
    assert text.splitlines()[-1].startswith("verified: ")
    assert (place / "vault" / "config").exists()
    again = run("demo", place)
    assert again.returncode == 2
    assert b"not empty" in again.stderr


def test_its_document() -> None:
    document = run_json("demo")
    assert document.keys() == {"snapshots", "tables", "rows", "verified"}
    assert len(document["snapshots"]) == 2
    assert document["rows"] == 50_000
    assert document["verified"] is True
