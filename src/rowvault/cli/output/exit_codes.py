"""What the exit code says, and which error becomes which."""

from __future__ import annotations

import enum

from rowvault.core import errors


class ExitCode(enum.IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    UNVERIFIED = 4
    NO_REPOSITORY = 10
    LOCKED = 11
    WRONG_PASSWORD = 12
    DAMAGE = 20
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed; the message says why",
    ExitCode.USAGE: "options or arguments that cannot be met",
    ExitCode.INCOMPLETE: "finished, but something was left out; each is named",
    ExitCode.UNVERIFIED: "the server differs from the snapshot; each difference is named",
    ExitCode.NO_REPOSITORY: "no repository at that place",
    ExitCode.LOCKED: "somebody else is at work in the repository",
    ExitCode.WRONG_PASSWORD: "wrong repository password",
    ExitCode.DAMAGE: "damage found in the repository",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "stopped by SIGTERM",
}

_BY_ERROR: tuple[tuple[type[errors.RowvaultError], ExitCode], ...] = (
    (errors.UsageError, ExitCode.USAGE),
    (errors.NoRepositoryError, ExitCode.NO_REPOSITORY),
    (errors.LockedError, ExitCode.LOCKED),
    (errors.WrongPasswordError, ExitCode.WRONG_PASSWORD),
    (errors.DamageError, ExitCode.DAMAGE),
    (errors.GroupMissingError, ExitCode.DAMAGE),
    (errors.UnreadableError, ExitCode.DAMAGE),
    (errors.VerificationError, ExitCode.UNVERIFIED),
)


def exit_code_of(error: errors.RowvaultError) -> ExitCode:
    """The exit code that stands for an error raised on purpose."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED
