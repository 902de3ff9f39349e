"""The entry point: runs one command line and turns its end into an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def main() -> None:
    """Runs the process's command line and exits."""
    # Loading makes thousands of objects that all stay; looking for cycles among them takes a
    # twentieth of the time of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    _open_missing_streams()
    code = run(sys.argv[1:])
    # What is left goes with the process; the interpreter need not look through it first.
    gc.freeze()
    sys.exit(code)


def _open_missing_streams() -> None:
    """Takes the place of standard streams that were closed, as by `>&-`.

    Else a file of the repository would get their number. What is written to a standard output that
    is closed fails as where its reader has gone.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - until the end
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, sys.stdout.fileno())
        os.close(writer)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and gives its exit code; nothing but SystemExit is raised."""
    from rowvault.cli.settings import Settings

    settings = Settings()
    try:
        return _run(arguments, settings)
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, settings, arguments)


def _run(arguments: Sequence[str], settings: object) -> int:
    from rowvault.cli.app import app
    from rowvault.cli.output import stdout

    signal.signal(signal.SIGTERM, _terminate)
    code = app.main(list(arguments), prog_name="rowvault", standalone_mode=False, obj=settings)
    stdout.flush()
    return int(code or 0)


def _report(error: BaseException, settings: object, arguments: Sequence[str]) -> int:
    from rowvault.cli import failure
    from rowvault.cli.output import stdout
    from rowvault.cli.settings import Settings

    assert isinstance(settings, Settings)
    # An error of parsing comes before the options behind it were seen.
    settings.as_json = settings.as_json or "--json" in arguments
    cause = error.__cause__ if isinstance(error.__cause__, KeyboardInterrupt) else error
    try:
        code = failure.report(cause, settings, arguments)
        # What could not be written would fail once more when the interpreter ends.
        stdout.flush()
        return code
    except (OSError, stdout.OutputClosed):
        # Nobody reads what is said; the exit code still says it.
        stdout.abandon()
        return int(failure.describe(cause)[2])


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    from rowvault.cli.failure import Terminated

    raise Terminated


if __name__ == "__main__":
    main()
