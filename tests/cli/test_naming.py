"""SNAP on the command line: which snapshot it is, and when nobody may guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.vaults import Vault, make_database
from support.rowvault import run, run_json, succeed


@pytest.fixture
def own(tmp_path: Path, empty_vault: Path) -> Vault:
    """A repository with two snapshots of one file."""
    source = tmp_path / "shop.db"
    make_database(source, rows=20)
    first, second = (
        run_json("-r", empty_vault, "backup", f"sqlite:///{source}")["snapshot"] for _ in range(2)
    )
    return Vault(empty_vault, source, (first, second), {}, {})


def listed(vault: Path) -> list[str]:
    return [one["id"] for one in run_json("-r", vault, "snapshots")]


@pytest.mark.parametrize("lead", ["2026-11-", "foo-bar-", "latest-", "20261118T100000Z-"])
def test_what_stands_before_an_id_is_not_passed_over(own: Vault, lead: str) -> None:
    for digits in (own.snapshots[0], own.snapshots[0][:2]):
        for verb in (["show"], ["ls"], ["forget"], ["undelete"], ["tag", "add"]):
            more = ["kept"] if verb == ["tag", "add"] else []
            assert run("-r", own.path, *verb, f"{lead}{digits}", *more).returncode == 1
        target = f"sqlite:///{own.source}.new"
        assert run("-r", own.path, "restore", f"{lead}{digits}", target).returncode == 1
    assert listed(own.path) == list(own.snapshots)
    assert not Path(f"{own.source}.new").exists()
    assert run_json("-r", own.path, "show", own.snapshots[0])["tags"] == []


def test_a_date_is_refused_with_the_form_that_was_meant(own: Vault) -> None:
    for name, meant in (("2026-11-18", b"@2026-11-18"), ("latest-1", b"latest~1")):
        done = run("-r", own.path, "forget", name)
        assert done.returncode == 1
        assert b"did you mean `" + meant + b"`" in done.stderr
    assert succeed("-r", own.path, "show", own.snapshots[1][:4])
