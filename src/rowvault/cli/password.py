"""Where passwords come from: the environment, a file, a command, or a prompt; never an argument."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import click
import msgspec

from rowvault.core.errors import UsageError


class Variables(msgspec.Struct, frozen=True):
    """The three environment variables that may say a password."""

    plain: str

    @property
    def file(self) -> str:
        """Names a file whose first line it is."""
        return f"{self.plain}_FILE"

    @property
    def command(self) -> str:
        """A command whose first line of output it is."""
        return f"{self.plain}_COMMAND"

    def __str__(self) -> str:
        return f"{self.plain}, {self.file} or {self.command}"


REPOSITORY = Variables("ROWVAULT_PASSWORD")
RELATIVE = Variables("ROWVAULT_FROM_PASSWORD")
"""Of the repository that `init --from` names."""

NEW = Variables("ROWVAULT_NEW_PASSWORD")
"""Of a key that is added or changed."""


_NEEDS = {
    REPOSITORY.plain: "the repository is encrypted and needs its",
    RELATIVE.plain: "the repository after --from is encrypted and needs its",
    NEW.plain: "a new key needs a",
}


def is_configured() -> bool:
    """Something says where the repository's password is: nobody will be asked."""
    return any(
        os.environ.get(name) for name in (REPOSITORY.plain, REPOSITORY.file, REPOSITORY.command)
    )


def repository_password() -> bytes:
    """The password of an existing repository. Raises UsageError when there is no way to get it."""
    return _password(REPOSITORY, "Repository password")


def relative_password() -> bytes:
    """The password of the repository that a new one is to be related to. Raises UsageError."""
    return _password(RELATIVE, "Password of the repository after --from")


def new_repository_password() -> bytes:
    """The password for a repository to be made; a typed one is asked for twice.

    Raises UsageError.
    """
    return _password(REPOSITORY, "New repository password", confirm=True)


def new_key_password() -> bytes:
    """The password of a key to be made; a typed one is asked for twice. Raises UsageError."""
    return _password(NEW, "New password", confirm=True)


def server_password() -> Callable[[str], str] | None:
    """Asks a person for the password of a database account; None where nobody can type."""
    return _asked_once if _can_ask() else None


@cache
def _asked_once(question: str) -> str:
    """A restore connects to write and again to read: the same question has the same answer."""
    return _ask(question.rstrip(": "), confirm=False)


def typed_name(question: str) -> str | None:
    """What a person types; None where nobody can."""
    return _ask_openly(question) if _can_ask() else None


def _ask_openly(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False, err=True))


def _password(variables: Variables, question: str, confirm: bool = False) -> bytes:
    password = _configured_password(variables)
    if password is None:
        password = _prompt(question, variables, confirm)
    if not password:
        what = "new" if variables is NEW else "repository"
        raise UsageError(f"the {what} password is empty; set {variables} to a real one")
    return password


def _configured_password(variables: Variables) -> bytes | None:
    """From the first of the three variables that is set."""
    if (value := os.environ.get(variables.plain)) is not None:
        return os.fsencode(value)
    if path := os.environ.get(variables.file):
        return _from_file(path, variables.file)
    if command := os.environ.get(variables.command):
        return _from_command(command, variables.command)
    return None


def _from_file(path: str, variable: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return _first_line(file.read())
    except OSError as error:
        raise UsageError(
            f"{variable} names {path}, which cannot be read: {error.strerror}"
        ) from error


def _from_command(command: str, variable: str) -> bytes:
    """The first line that a command prints; it is split into words, without a shell."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"{variable} cannot be run: {error}") from error
    if done.returncode:
        raise UsageError(f"{variable} ended with status {done.returncode}")
    return _first_line(done.stdout)


def _first_line(data: bytes) -> bytes:
    return data.split(b"\n", 1)[0].removesuffix(b"\r")


def _prompt(question: str, variables: Variables, confirm: bool) -> bytes:
    if not _can_ask():
        raise UsageError(f"{_NEEDS[variables.plain]} password: set {variables}")
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
