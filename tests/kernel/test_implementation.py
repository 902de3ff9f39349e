"""Which kernel runs is chosen openly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rowvault.codec import kernel

SAY = "from rowvault.codec import kernel; print(kernel.implementation, kernel.Cutter.__module__)"


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k != "ROWVAULT_KERNEL"}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_compiled_kernel_is_in_use() -> None:
    assert kernel.implementation == "compiled"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "compiled rowvault.codec._kernel"),
        ({"ROWVAULT_KERNEL": "compiled"}, "compiled rowvault.codec._kernel"),
        ({"ROWVAULT_KERNEL": "plain"}, "plain rowvault.codec.plain.cutter"),
    ],
)
def test_the_environment_chooses(environment: dict[str, str], said: str) -> None:
    assert run(SAY, **environment).stdout.strip() == said


def test_an_unknown_choice_is_refused() -> None:
    result = run(SAY, ROWVAULT_KERNEL="fast")
    assert result.returncode != 0
    assert "it may be 'compiled' or 'plain'" in result.stderr


HIDE = "import sys; sys.modules['rowvault.codec._kernel'] = None; "


def test_without_the_extension_the_plain_twin_stands_in() -> None:
    assert run(HIDE + SAY).stdout.strip() == "plain rowvault.codec.plain.cutter"


def test_without_the_extension_an_explicit_choice_of_it_fails() -> None:
    result = run(HIDE + SAY, ROWVAULT_KERNEL="compiled")
    assert result.returncode != 0
    assert "ModuleNotFoundError" in result.stderr
