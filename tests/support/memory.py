"""Directories in memory: a file system that waits for no disk, where the machine has one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PLACE = Path("/dev/shm")
_PREFIX = f"rowvault-tests-{os.getuid()}-"


def room_bytes() -> int:
    """How much may be written there; 0 where there is no such file system."""
    try:
        free = shutil.disk_usage(PLACE).free
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    available = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "0")
    return min(free, int(available) << 10)


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A fresh one, gone afterwards. Those of runs that were killed go now: they hold memory.

    Whoever uses one holds a lock on it; no two look for what is left, or make one, at a time.
    """
    with contextlib.ExitStack() as stack:
        with (PLACE / f"{_PREFIX}lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            for left in PLACE.glob(f"{_PREFIX}*/"):
                _remove_unless_in_use(left)
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, dir=PLACE))
            descriptor = os.open(made, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Path(made)


def _remove_unless_in_use(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    shutil.rmtree(place)
