"""The benchmarks start from the root of the checkout, as their pages say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.scenario.__main__ import SCENARIOS

from support.rowvault import environment

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "module",
    [
        "benchmarks.encryption",
        "benchmarks.index",
        "benchmarks.micro",
        "benchmarks.scenario",
        *(f"benchmarks.scenario {name}" for name in SCENARIOS),
        "benchmarks.scenario.report",
    ],
)
def test_it_explains_itself(module: str) -> None:
    plain = environment()
    plain.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", *module.split(), "--help"]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
