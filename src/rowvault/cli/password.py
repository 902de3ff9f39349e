"""Where passwords come from: the environment, a file, a command, or a prompt; never an argument."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import click

from rowvault.core.errors import UsageError

PASSWORD_VARIABLE = "ROWVAULT_PASSWORD"
FILE_VARIABLE = "ROWVAULT_PASSWORD_FILE"
COMMAND_VARIABLE = "ROWVAULT_PASSWORD_COMMAND"

SOURCES = f"{PASSWORD_VARIABLE}, {FILE_VARIABLE} or {COMMAND_VARIABLE}"


def is_configured() -> bool:
    """Something says where the repository's password is: nobody will be asked."""
    return any(name in os.environ for name in (PASSWORD_VARIABLE, FILE_VARIABLE, COMMAND_VARIABLE))


def repository_password() -> bytes:
    """The password of an existing repository. Raises UsageError when there is no way to get it."""
    password = _configured_password()
    if password is None:
        password = _prompt("Repository password")
    return _not_empty(password)


def new_repository_password() -> bytes:
    """The password for a repository to be made; a typed one is asked for twice.

    Raises UsageError.
    """
    password = _configured_password()
    if password is None:
        password = _prompt("New repository password", confirm=True)
    return _not_empty(password)


def server_password() -> Callable[[str], str] | None:
    """Asks a person for the password of a database account; None where nobody can type."""
    return _asked_once if _can_ask() else None


@cache
def _asked_once(question: str) -> str:
    """A restore connects to write and again to read: the same question has the same answer."""
    return _ask(question.rstrip(": "), confirm=False)


def _configured_password() -> bytes | None:
    """From the first of the three variables that is set."""
    if (value := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return os.fsencode(value)
    if path := os.environ.get(FILE_VARIABLE):
        return _from_file(path)
    if command := os.environ.get(COMMAND_VARIABLE):
        return _from_command(command)
    return None


def _from_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return _first_line(file.read())
    except OSError as error:
        raise UsageError(
            f"{FILE_VARIABLE} names {path}, which cannot be read: {error.strerror}"
        ) from error


def _from_command(command: str) -> bytes:
    """The first line that a command prints; it is split into words, without a shell."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"{COMMAND_VARIABLE} cannot be run: {error}") from error
    if done.returncode:
        raise UsageError(f"{COMMAND_VARIABLE} ended with status {done.returncode}")
    return _first_line(done.stdout)


def _first_line(data: bytes) -> bytes:
    return data.split(b"\n", 1)[0].removesuffix(b"\r")


def _prompt(question: str, confirm: bool = False) -> bytes:
    if not _can_ask():
        raise UsageError(f"the repository is encrypted and needs its password: set {SOURCES}")
    return _ask(question, confirm).encode()


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, confirm: bool) -> str:
    try:
        answer = click.prompt(
            question, hide_input=True, confirmation_prompt=confirm, default="", err=True,
            show_default=False,
        )  # fmt: skip
    except click.Abort:
        raise KeyboardInterrupt from None
    return str(answer)


def _not_empty(password: bytes) -> bytes:
    if not password:
        raise UsageError(f"the repository password is empty; set {SOURCES} to a real one")
    return password
