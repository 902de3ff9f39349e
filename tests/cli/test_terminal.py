"""On a terminal: a progress line, tables, and prompts that hide what is typed."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli.vaults import Vault, content, make_database
from support.rowvault import COMMAND, environment, succeed


class Terminal:
    """A terminal of one's own."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()

    def run(
        self,
        *arguments: str | Path,
        answers: tuple[bytes, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """(exit code, all that the terminal shows) of a run with this terminal."""
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
            env=environment({"TERM": "xterm", "COLUMNS": "120", "LINES": "40"} | dict(env or {})),
        )
        os.close(self.theirs)
        waiting = list(answers)
        shown = b""
        for data in self._shown():
            shown += data
            # What is typed before the prompt stands there is thrown away.
            if waiting and shown.endswith(b": "):
                os.write(self.ours, waiting.pop(0) + b"\n")
        return process.wait(), shown.decode()

    def _shown(self) -> Iterator[bytes]:
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:  # the other side is closed
                return
            if not data:
                return
            yield data


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Closed afterwards."""
    one = Terminal()
    yield one
    os.close(one.ours)


def test_a_progress_line(tmp_path: Path, terminal: Terminal) -> None:
    source = tmp_path / "shop.db"
    make_database(source, rows=100_000)
    succeed("-r", tmp_path / "v", "init", "--no-encryption")
    code, shown = terminal.run("-r", tmp_path / "v", "backup", f"sqlite:///{source}")
    assert code == 0, shown
    assert "reading" in shown
    assert "snapshot  " in shown
    assert "Traceback" not in shown


def test_no_progress_line_when_quiet(vault: Vault, terminal: Terminal) -> None:
    assert terminal.run("-q", "-r", vault.path, "check") == (0, "")


def test_a_dump_shows_nothing_else(vault: Vault, terminal: Terminal) -> None:
    text = succeed("-r", vault.path, "dump", "latest").decode()
    code, shown = terminal.run("-r", vault.path, "dump", "latest")
    assert code == 0
    first, _, rest = shown.replace("\r\n", "\n").partition("\n")
    assert first.startswith(f"snapshot {vault.snapshots[1]} of ")
    assert rest == text


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_an_error_in_colour_or_not(tmp_path: Path, terminal: Terminal, env: dict[str, str]) -> None:
    code, shown = terminal.run("-r", tmp_path, "snapshots", env=env)
    assert code == 10
    assert ("\x1b" in shown) == (not env)


def test_a_table(vault: Vault, terminal: Terminal) -> None:
    code, shown = terminal.run("-r", vault.path, "snapshots")
    assert code == 0
    assert "─" in shown


def test_a_password_is_typed_twice_and_not_shown(tmp_path: Path, terminal: Terminal) -> None:
    code, shown = terminal.run("-r", tmp_path / "v", "init", answers=(b"hush hush", b"hush hush"))
    assert code == 0, shown
    assert "password" in shown
    assert "hush" not in shown
    assert "encrypted" in shown
    secret = {"ROWVAULT_PASSWORD": "hush hush"}
    succeed("-r", tmp_path / "v", "snapshots", env=secret)


@pytest.mark.parametrize("answer", ["NAME", "elsewhere", ""])
def test_the_targets_name_is_typed_before_it_is_overwritten(
    vault: Vault, tmp_path: Path, terminal: Terminal, answer: str
) -> None:
    target = tmp_path / "other.db"
    make_database(target, rows=3)
    before = target.read_bytes()
    typed = str(target) if answer == "NAME" else answer
    words = ("-r", vault.path, "restore", "latest", f"sqlite:///{target}", "--replace")
    code, shown = terminal.run(*words, answers=(typed.encode(),))
    assert f"is of {vault.source}, and the target is {target}, where" in " ".join(shown.split())
    assert "Type the target's name to go on" in shown
    if answer == "NAME":
        assert code == 0, shown
        assert content(target) == vault.after
    else:
        assert code == 2
        assert "nothing was changed" in shown
        assert target.read_bytes() == before


def test_nobody_is_asked_where_it_is_the_source_itself(
    empty_vault: Path, tmp_path: Path, terminal: Terminal
) -> None:
    source = tmp_path / "shop.db"
    make_database(source, rows=3)
    url = f"sqlite:///{source}"
    succeed("-r", empty_vault, "backup", url)
    code, shown = terminal.run("-r", empty_vault, "restore", "latest", url, "--replace")
    assert code == 0, shown
    assert "Type the target's name" not in shown
