"""Whatever the bytes, nothing outside of them is read, and both kernels agree."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("guarded.py")
ROUNDS = 700


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_bytes_are_taken_or_refused_alike(seed: int) -> None:
    result = run(str(seed), str(ROUNDS))
    assert result.returncode == 0, result.stderr
    taken, refused = map(int, result.stdout.split())
    assert min(taken, refused) > ROUNDS / 4


def test_the_wall_stands() -> None:
    assert run("violate").returncode in (-signal.SIGSEGV, -signal.SIGBUS)
