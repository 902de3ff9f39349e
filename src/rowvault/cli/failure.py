"""How a command that cannot go on says so: one message, one exit code."""

from __future__ import annotations

import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence

import click

from rowvault.cli.command import OperatingSystemFailure
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode, exit_code_of
from rowvault.cli.output.formatting import printable_lines
from rowvault.cli.settings import Settings
from rowvault.core.errors import AmbiguousSnapshotError, RowvaultError
from rowvault.core.partly import done_before

_PASSWORD = re.compile(r"(://[^:/@]*):[^@/]*@")


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; it unwinds like Ctrl-C so that temporary files go."""


def report(error: BaseException, settings: Settings, arguments: Sequence[str] = ()) -> ExitCode:
    """Tells of an error on standard error, or as JSON, and gives the exit code for it."""
    if isinstance(error, stdout.OutputClosed):
        stdout.abandon()
        return ExitCode.FAILED
    kind, message, code = describe(error)
    message = _with_notes(error, message)
    if isinstance(error, AmbiguousSnapshotError) and arguments:
        message += f"\nFor example: {_clear_line(error, arguments)}"
    if settings.as_json:
        document = {"kind": kind, "message": message, "exit_code": int(code)}
        document |= done_before(error)
        stdout.write_json({"error": document})
        stdout.flush()
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(message, err=True)
    else:
        _say(error, message)
    if kind == "unexpected" and settings.verbosity:
        traceback.print_exception(error)
    return code


def _clear_line(error: AmbiguousSnapshotError, arguments: Sequence[str]) -> str:
    """The same command line, made clear by the first of the choices; no password stands in it."""
    words = [_PASSWORD.sub(r"\1@", word) for word in arguments]
    if error.sources:
        words += ["--source", error.choices[0]]
    else:
        words = [error.choices[0] if word == error.spec else word for word in words]
    return shlex.join(["rowvault", *words])


def describe(error: BaseException) -> tuple[str, str, ExitCode]:
    """(kind, message, exit code) of whatever ended a command."""
    match error:
        case RowvaultError():
            return kind_of(type(error)), str(error), exit_code_of(error)
        case click.ClickException():
            return "usage", error.format_message(), ExitCode.USAGE
        case Terminated():
            return "terminated", f"stopped by SIGTERM{_unharmed(error)}", _TERMINATED
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", f"interrupted{_unharmed(error)}", ExitCode.INTERRUPTED
        case OperatingSystemFailure():
            return "system", _system_message(error.error), ExitCode.FAILED
        case OSError():
            return "system", _system_message(error), ExitCode.FAILED
        case _:
            return "unexpected", _unexpected_message(error), ExitCode.FAILED


def _unharmed(error: BaseException) -> str:
    """An error with notes has left something half-done, and they say what."""
    return "" if notes_of(error) else "; nothing half-done counts"


def notes_of(error: BaseException) -> list[str]:
    """What was added to an error on its way: see BaseException.add_note."""
    return getattr(error, "__notes__", [])


def _with_notes(error: BaseException, message: str) -> str:
    return "\n".join((message, *notes_of(error)))


_TERMINATED = ExitCode.TERMINATED


def kind_of(error: type[RowvaultError]) -> str:
    """The stable word for an error in JSON: `NoRepositoryError` is `no_repository`."""
    name = error.__name__.removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _system_message(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def _unexpected_message(error: BaseException) -> str:
    return (
        f"unexpected {type(error).__name__}: {' '.join(str(error).split())} - a fault in Rowvault "
        "itself; please report it as CONTRIBUTING.md says, with what -v shows"
    )


def _say(error: BaseException, message: str) -> None:
    """One message on standard error; click's own errors keep their usage line."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help'.\n", err=True)
    label = click.style("error:", fg="red", bold=True)
    click.echo(f"{label} {printable_lines(message)}", err=True, color=_colour())


def _colour() -> bool | None:
    """None leaves it to click; NO_COLOR is that of no-color.org."""
    return None if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else False
