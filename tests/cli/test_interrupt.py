"""Ctrl-C and SIGTERM: the run unwinds, says so, and leaves nothing half-done."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from cli.vaults import PASSWORD, make_database
from support.rowvault import run_json, start, succeed


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_while_waiting(tmp_path: Path, number: signal.Signals, code: int, kind: str) -> None:
    """The run waits for a command that gives the password, and never will."""
    succeed("-r", tmp_path / "v", "init", env=PASSWORD)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = start(
        "-r", tmp_path / "v", "snapshots", "--json",
        env={"ROWVAULT_PASSWORD_COMMAND": f"cat '{pipe}'"},
    )  # fmt: skip
    with open(pipe, "wb"):  # opens when the command does
        process.send_signal(number)
    # Outside: a command that was started but not yet known to its parent ends by itself now.
    out, err = process.communicate()
    assert process.returncode == code
    assert json.loads(out)["error"]["kind"] == kind
    assert b"Traceback" not in err


def test_in_mid_backup(tmp_path: Path) -> None:
    vault, source = tmp_path / "v", tmp_path / "shop.db"
    make_database(source, rows=600_000)
    succeed("-r", vault, "init", "--no-encryption")
    process = start("-v", "-r", vault, "backup", f"sqlite:///{source}", "-j", "2")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"reading"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130, err.decode()
    assert b"Traceback" not in err
    assert run_json("-r", vault, "snapshots") == []
    assert run_json("-r", vault, "check", "--read-data")["errors"] == []
    assert run_json("-r", vault, "backup", f"sqlite:///{source}")["rows"] == 600_002
    assert not list((vault / "sessions").glob("*"))
