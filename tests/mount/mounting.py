"""Mounts for tests, and waiting for what another process does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from support.rowvault import succeed


class Mount(Protocol):
    """Mounts a repository somewhere; the directory."""

    def __call__(self, *options: str, repository: Path = ...) -> Path: ...


@contextmanager
def mounts(place: Path, default: Path) -> Iterator[Mount]:
    """Mounts below `place`, by default of one repository; all are unmounted at the end."""
    mounted: list[Path] = []

    def act(*options: str, repository: Path = default) -> Path:
        directory = place / f"mount{len(mounted)}"
        directory.mkdir()
        environment = {"XDG_STATE_HOME": str(place / "state")}
        said = succeed("-r", repository, "mount", directory, *options, env=environment)
        mounted.append(directory)
        assert str(directory).encode() in said
        return directory

    yield act
    for directory in mounted:
        if os.path.ismount(directory):
            succeed("umount", directory)


def await_true(condition: Callable[[], bool]) -> None:
    """Waits for what another process does in its own time."""
    tick = threading.Event()
    for _ in range(1200):
        if condition():
            return
        tick.wait(0.05)
    raise AssertionError("it did not come")
