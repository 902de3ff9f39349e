"""`init --from`: two repositories with the same blocks, and a key each."""

from __future__ import annotations

from pathlib import Path

from cli.vaults import PASSWORD, make_database
from support.rowvault import run, run_json, succeed


def test_equal_rows_are_equal_blocks(tmp_path: Path) -> None:
    make_database(tmp_path / "shop.db")
    first, second = tmp_path / "a", tmp_path / "b"
    succeed("-r", first, "init", env=PASSWORD)
    own = {"ROWVAULT_PASSWORD": "another"}
    (tmp_path / "password").write_text("test\n")
    theirs = {"ROWVAULT_FROM_PASSWORD_FILE": str(tmp_path / "password")}
    made = run_json("-r", second, "init", "--from", first, env=own | theirs)
    assert made["encrypted"] is True
    assert run("-r", second, "snapshots", env=PASSWORD).returncode == 12
    lists = []
    for place, password in ((first, PASSWORD), (second, own)):
        backup = run_json("-r", place, "backup", f"sqlite:///{tmp_path / 'shop.db'}", env=password)
        lists.append({key: backup[key] for key in ("rows", "blocks", "new_blocks", "raw_bytes")})
        assert run_json("-r", place, "check", "--read-data", env=password)["errors"] == []
    assert lists[0] == lists[1]
