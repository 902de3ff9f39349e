"""The benchmarks start from the root of the checkout, as their pages say."""

from __future__ import annotations

import importlib
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


@pytest.mark.parametrize(
    "arguments",
    [
        "backup --rounds 0",
        "sizes --megabytes 0",
        "growth --days 0",
        "least -j 0",
        "memory --rows x",
    ],
)
def test_nothing_starts_on_numbers_that_cannot_be(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, option, number = arguments.split()
    scenario = importlib.import_module(f"benchmarks.scenario.{name}")
    with pytest.raises(SystemExit):
        scenario.main([option, number])
    assert f"invalid positive value: '{number}'" in capsys.readouterr().err
