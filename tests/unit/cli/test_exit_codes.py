"""Which error ends in which exit code; the pages say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rowvault.cli.command import OperatingSystemFailure
from rowvault.cli.failure import Terminated, describe, kind_of
from rowvault.cli.output.exit_codes import MEANINGS, ExitCode, exit_code_of
from rowvault.core import errors

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def _tree(root: type[errors.RowvaultError]) -> Iterator[type[errors.RowvaultError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)


# Subclasses that other layers keep to themselves are seen as the nearest of the tree.
ALL = [error for error in _tree(errors.RowvaultError) if error.__module__ == errors.__name__]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RowvaultError, 1),
        (errors.UsageError, 2),
        (errors.ConnectError, 1),
        (errors.NoRepositoryError, 10),
        (errors.LockedError, 11),
        (errors.WrongPasswordError, 12),
        (errors.RepositoryExistsError, 1),
        (errors.StorageError, 1),
        (errors.CorruptError, 20),
        (errors.TruncatedError, 20),
        (errors.MissingError, 20),
        (errors.GroupMissingError, 20),
        (errors.UnreadableError, 20),
        (errors.TargetExistsError, 1),
        (errors.VerificationError, 4),
    ],
)
def test_codes(error: type[errors.RowvaultError], code: int) -> None:
    assert exit_code_of(error("x")) == code


def test_every_code_is_on_its_page() -> None:
    page = (DOCS / "exit-codes.md").read_text()
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE))
    assert {int(code): text for code, text in rows.items()} == MEANINGS


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_kind_is_on_its_page(error: type[errors.RowvaultError]) -> None:
    page = (DOCS / "json.md").read_text()
    rows = re.findall(r"^\| (`.+`) \| (\d+) \|", page, re.MULTILINE)
    codes = {kind: int(code) for kinds, code in rows for kind in re.findall(r"`(\w+)`", kinds)}
    # Made without its fields, which decide nothing here.
    assert codes[kind_of(error)] == exit_code_of(error.__new__(error, "x"))


def test_the_other_ends() -> None:
    full = OSError(28, "No space left on device", "/vault/x")
    assert describe(OperatingSystemFailure(full)) == (
        "system",
        "/vault/x: No space left on device",
        ExitCode.FAILED,
    )
    assert describe(KeyboardInterrupt())[2] == ExitCode.INTERRUPTED
    assert describe(Terminated())[2] == ExitCode.TERMINATED
    assert describe(click.UsageError("x"))[2] == ExitCode.USAGE
    kind, message, code = describe(ZeroDivisionError("a\nb"))
    assert (kind, code) == ("unexpected", ExitCode.FAILED)
    assert "\n" not in message
    assert "report" in message
