"""Frees the directory of a mount whose process dies.

libfuse's auto_unmount is not enough: its helper looks once, and where it is quicker than the kernel
is with closing the dead process's files it takes the mount for alive, and leaves it.
"""

from __future__ import annotations

import shutil
import subprocess
from types import TracebackType
from typing import Self

_WAIT = 'trap "" HUP INT TERM; read -r _ || exec "$@"'
"""Reads a line when the mount ends by itself; the end of the file when its process has died."""


class UnmountGuard:
    """A small process that waits for the end of this one; a context manager."""

    def __init__(self, directory: str) -> None:
        """Starts it. Raises OSError."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WAIT, "rowvault-guard", *unmount_command(directory, lazy=True)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The mount is gone or never stood: nothing is left to be freed."""
        try:
            self._process.communicate(b"\n")
        except BrokenPipeError:
            pass  # somebody has ended it


def unmount_command(directory: str, *, lazy: bool = False) -> list[str]:
    """What ends a mount: the helper of FUSE, which needs no rights, or the system's."""
    helper = shutil.which("fusermount3")
    if helper is not None:
        return [helper, "-u", *(["-z"] if lazy else []), "--", directory]
    return ["umount", *(["-l"] if lazy else []), "--", directory]
