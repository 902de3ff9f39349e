"""Runs a command and says how long it took, and how much memory its process tree had."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_INTERVAL_S = 0.1
"""Sampling more often would take a core from what is measured."""

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


class CommandError(Exception):
    """A measured command failed; the message holds what it wrote."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one command."""

    wall_s: float
    cpu_s: float
    """User and system time of the command and the children that it waited for."""
    peak_rss_anon_bytes: int
    """The largest sum of RssAnon over the process tree that a sample saw."""
    output: bytes


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    allowed_codes: Sequence[int] = (0,),
) -> Measurement:
    """Runs to the end. Raises CommandError for any exit code but the allowed ones."""
    started = time.monotonic()
    before = os.times()
    process = subprocess.Popen(
        command,
        env=_as_installed({**os.environ, **(environment or {})}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    watch = MemoryWatch(process.pid)
    try:
        output, complaints = process.communicate()
        wall_s = time.monotonic() - started
    finally:
        watch.stop()
    after = os.times()
    if process.returncode not in allowed_codes:
        raise CommandError(
            f"{' '.join(command)}: exit code {process.returncode}\n"
            f"{(complaints + output).decode(errors='replace')[-2000:]}"
        )
    cpu_s = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return Measurement(wall_s, cpu_s, watch.peak_bytes, output)


def process_cpu_s(pid: int) -> float:
    """User and system time that a running process has taken so far, all its threads together."""
    # Behind the name, which may hold spaces: field 3 of proc(5) and what follows.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_piped(script: str, environment: Mapping[str, str] | None = None) -> Measurement:
    """A line of shell in which every command of a pipe must succeed. Raises CommandError."""
    return run(["bash", "-c", f"set -o pipefail; {script}"], environment)


def file_bytes(directory: Path) -> int:
    """The sum of the sizes of all files below."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


class MemoryWatch:
    """Samples a process tree from a thread until it is stopped."""

    peak_bytes: int
    """The largest sum of RssAnon so far."""

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_INTERVAL_S):
            total = sum(_rss_anon_bytes(pid) for pid in process_tree(self._pid))
            self.peak_bytes = max(self.peak_bytes, total)


def _as_installed(environment: dict[str, str]) -> dict[str, str]:
    """Without what keeps Python from storing bytecode, which every installation has.

    A program that is compiled anew in each run would be measured with its compilation.
    """
    return {name: value for name, value in environment.items() if name != _NO_BYTECODE}


def process_tree(pid: int) -> Iterator[int]:
    """The process and all that it has started and that are still there."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:
            # The thread has ended meanwhile.
            continue
        for child in found:
            yield from process_tree(int(child))


def _rss_anon_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0
