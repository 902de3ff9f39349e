"""Help that teaches, and pages that say what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.reference import reference
from rowvault.cli.app import app
from rowvault.cli.command import all_commands
from support.rowvault import run, succeed

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
ROOT = PAGE.parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    *sorted((ROOT / "docs" / "how-to").iterdir()),
]
COMMANDS = dict(all_commands(app))
VERBS = list(COMMANDS)


def test_the_page_is_the_help() -> None:
    assert PAGE.read_text() == reference(), "`make docs` writes the page anew"


def test_the_commands_of_this_version() -> None:
    assert VERBS == [
        "init", "doctor", "backup", "snapshots", "show", "ls", "dump", "mount", "umount",
        "restore", "verify", "diff", "check", "repair", "upgrade", "stats", "forget", "undelete",
        "prune", "tag add", "tag remove",
        "tag list", "sessions", "key list", "key add", "key remove",
        "key change", "version", "demo",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_examples_and_exit_codes(verb: str) -> None:
    text = succeed(*verb.split(), "--help").decode()
    assert "Examples:" in text
    assert "Exit codes:" in text
    assert "Options of every command:" in text
    assert succeed(*verb.split(), "-h").decode() == text


@pytest.mark.parametrize("verb", VERBS)
def test_examples_are_command_lines(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example parses: the options are there, and the arguments fit."""
    command = COMMANDS[verb]
    parsed = []
    monkeypatch.setattr(command, "callback", lambda **values: parsed.append(values))
    for example in command.examples:
        words = shlex.split(example.partition(" | ")[0])
        while "=" in words[0]:
            words.pop(0)
        app.main(words[1:], prog_name=words[0], standalone_mode=False)
    assert len(parsed) == len(command.examples) > 0


def _typed(page: Path) -> list[list[str]]:
    """The commands in the shell blocks of a page, as words; of a pipe the first part."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        typed = re.split(r" [|>] ", line.removeprefix("code=$("))[0]
        if re.match(r"([A-Z_]+=\S+ )*rowvault ", typed) and "COMMAND" not in typed:
            found.append(shlex.split(typed, comments=True))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_pages_say_to_type_parses(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    for command in COMMANDS.values():
        monkeypatch.setattr(command, "callback", lambda **values: parsed.append(values))
    typed = _typed(page)
    for words in typed:
        while "=" in words[0]:
            words.pop(0)
        # An option file that is only an example is not there.
        words = ["/dev/null" if word.endswith(".cnf") else word for word in words]
        app.main(words[1:], prog_name=words[0], standalone_mode=False)
    assert len(parsed) == len(typed) > 0


def test_help_imports_no_engine() -> None:
    """What makes it quick; the time itself is measured in the benchmarks."""
    script = (
        "import sys; from rowvault.cli.main import run; run(['--help']);"
        "heavy = {'pymysql', 'blake3', 'zstandard', 'cryptography', 'msgspec', 'rich', 'asyncio'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_shell_completion() -> None:
    words = {"COMP_WORDS": "rowvault sn", "COMP_CWORD": "1", "_ROWVAULT_COMPLETE": "bash_complete"}
    assert run(env=words).stdout.split() == [b"plain,snapshots"]


def test_the_readme_names_real_commands() -> None:
    readme = (PAGE.parents[2] / "README.md").read_text()
    lines = [line for line in readme.splitlines() if line.startswith("rowvault ")]
    assert lines
    for line in lines:
        verb = line.split()[1]
        assert verb == "COMMAND" or app.get_command(click.Context(app), verb), line


def test_a_misspelled_command_is_answered_with_the_nearest() -> None:
    done = run("snapshot")
    assert done.returncode == 2
    assert b"'snapshots'" in done.stderr
