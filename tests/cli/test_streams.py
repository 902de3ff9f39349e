"""Results on standard output, everything else on standard error; quiet in a pipe."""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from cli.vaults import Vault, content, make_database
from support.rowvault import COMMAND, environment, run, run_json, succeed


def test_quiet_in_a_pipe(vault: Vault, tmp_path: Path) -> None:
    for arguments in (
        ["init", "--no-encryption", "-r", tmp_path / "v"],
        ["backup", vault.url, "-r", tmp_path / "v"],
        ["restore", "latest", f"sqlite:///{tmp_path / 'new.db'}", "-r", tmp_path / "v"],
        ["diff", "latest~1", "latest", "-r", vault.path],
        ["check", "-r", vault.path],
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr.decode()
        named = arguments[0] in ("restore", "diff")
        assert all(line.startswith(b"snapshot ") for line in done.stderr.splitlines())
        assert bool(done.stderr) == named
        assert done.stdout
        assert b"\x1b" not in done.stdout


def test_quiet_means_nothing_at_all(vault: Vault, tmp_path: Path) -> None:
    for arguments in (
        ["init", "--no-encryption"],
        ["backup", vault.url],
        ["restore", "latest", f"sqlite:///{tmp_path / 'new.db'}"],
        ["check"],
    ):
        done = run("-q", "-r", tmp_path / "v", *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_verbose_speaks_on_standard_error(vault: Vault, tmp_path: Path) -> None:
    succeed("-r", tmp_path / "v", "init", "--no-encryption")
    done = run("-v", "--json", "-r", tmp_path / "v", "backup", vault.url)
    assert b"items" in done.stderr
    assert done.stdout.startswith(b"{")


def test_lists(vault: Vault) -> None:
    lines = succeed("-r", vault.path, "snapshots").decode().splitlines()
    assert lines[0].split()[:2] == ["id", "time"]
    assert [line.split()[0] for line in lines[1:]] == list(vault.snapshots)
    shown = succeed("-r", vault.path, "show", vault.snapshots[0][:8]).decode()
    assert vault.snapshots[0] in shown
    assert "first" in shown
    assert "items" in succeed("-r", vault.path, "ls", "latest", "main").decode()
    assert "price" in succeed("-r", vault.path, "ls", "latest", "main.items").decode()
    difference = succeed("-r", vault.path, "diff", "latest~1", "latest").decode()
    assert ["table", "main.items", "changed", "1", "2", "3"] in [
        line.split() for line in difference.splitlines()
    ]
    assert "1 table is the same" in difference


def test_a_restore_gives_the_rows_back(vault: Vault, tmp_path: Path) -> None:
    for snapshot, rows in (("latest~1", vault.before), ("latest", vault.after)):
        target = tmp_path / f"{snapshot}.db"
        said = succeed("-r", vault.path, "restore", snapshot, f"sqlite:///{target}")
        assert b"verified: all definitions and rows" in said
        assert content(target) == rows


def test_a_dump_loads(vault: Vault, tmp_path: Path) -> None:
    text = succeed("-r", vault.path, "dump", "latest~1")
    file = tmp_path / "dump.sql"
    succeed("-r", vault.path, "dump", "latest~1", "main", "-o", file)
    assert file.read_bytes()
    for number, script in enumerate((text, file.read_bytes())):
        target = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(target)) as database:
            database.executescript(script.decode())
        assert content(target) == vault.before


def test_the_reader_goes_away(vault: Vault) -> None:
    """As in `rowvault dump latest | head -c 1`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "-r", str(vault.path), "dump", "latest"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"snapshot ")


def test_a_full_disk_under_standard_output(vault: Vault) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "-r", str(vault.path), "dump", "latest"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("closed", "code"), [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 1)]
)
def test_streams_that_are_closed_from_the_start(tmp_path: Path, closed: str, code: int) -> None:
    """Of standard output as where its reader goes away; none of them is taken for another file."""
    source = tmp_path / "shop.db"
    make_database(source, 20)
    command = shlex.join([*COMMAND, "-r", str(tmp_path / "vault")])
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    done = subprocess.run(
        ["sh", "-c", f"{command} backup sqlite:///{source} {closed}"],
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    assert done.stderr == b""
    assert run_json("-r", tmp_path / "vault", "check", "--read-data")["errors"] == []
    assert len(run_json("-r", tmp_path / "vault", "snapshots")) == 1


def test_an_unexpected_fault_is_one_line(vault: Vault) -> None:
    """The traceback shows with -v only."""
    broken = (
        "import rowvault.commands.snapshots as verb, sys;"
        "verb.snapshots = lambda options: 1 // 0;"
        "from rowvault.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    for option, shown in ((), False), (("-v",), True):
        done = subprocess.run(
            [COMMAND[0], "-c", broken, "-r", str(vault.path), *option, "snapshots"],
            capture_output=True,
            env=environment(),
            check=False,
        )
        assert done.returncode == 1
        assert b"unexpected ZeroDivisionError" in done.stderr
        assert b"report" in done.stderr
        assert (b"Traceback" in done.stderr) is shown
        assert (len(done.stderr.splitlines()) == 1) is not shown
