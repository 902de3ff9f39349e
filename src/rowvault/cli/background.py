"""Goes on in the background once something stands."""

from __future__ import annotations

import os
import sys

import click


class Background:
    """The part of a command that outlives it: forks at once, and lets go of the terminal later.

    Until `detach` the child has the terminal, so it may ask and complain like any command; the
    parent waits and ends as the child says.
    """

    def __init__(self) -> None:
        """Forks; only the child returns. Must come before threads and locks are made."""
        sys.stdout.flush()
        sys.stderr.flush()
        reading, self._writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            return
        os.close(self._writing)
        with open(reading, "rb") as told:
            is_detached = bool(told.read(1))
        if is_detached:
            raise click.exceptions.Exit(0)
        _, status = os.waitpid(child, 0)
        raise click.exceptions.Exit(os.waitstatus_to_exitcode(status) & 0xFF)

    def detach(self) -> None:
        """Lets the parent end with 0, and goes on without terminal and working directory."""
        sys.stdout.flush()
        sys.stderr.flush()
        os.setsid()
        os.chdir("/")
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.close(nothing)
        os.write(self._writing, b"1")
        os.close(self._writing)
