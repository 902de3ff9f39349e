"""Which kernel runs is chosen openly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rowvault.codec import compiled, kernel, plain

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
        ({}, "compiled rowvault.codec.compiled.cutter"),
        ({"ROWVAULT_KERNEL": "compiled"}, "compiled rowvault.codec.compiled.cutter"),
        ({"ROWVAULT_KERNEL": "plain"}, "plain rowvault.codec.plain.cutter"),
    ],
)
def test_the_environment_chooses(environment: dict[str, str], said: str) -> None:
    assert run(SAY, **environment).stdout.strip() == said


def test_an_unknown_choice_is_refused() -> None:
    result = run(SAY, ROWVAULT_KERNEL="fast")
    assert result.returncode != 0
    assert "it may be 'compiled' or 'plain'" in result.stderr


@pytest.mark.parametrize("module", ["cutter", "columns", "loading", "faults"])
def test_without_an_extension_the_plain_twin_stands_in(module: str) -> None:
    hide = f"import sys; sys.modules['rowvault.codec.compiled.{module}'] = None; "
    assert run(hide + SAY).stdout.strip() == "plain rowvault.codec.plain.cutter"


def test_without_an_extension_an_explicit_choice_of_it_fails() -> None:
    hide = "import sys; sys.modules['rowvault.codec.compiled.cutter'] = None; "
    result = run(hide + SAY, ROWVAULT_KERNEL="compiled")
    assert result.returncode != 0
    assert "ModuleNotFoundError" in result.stderr


@pytest.mark.parametrize("name", compiled.__all__)
def test_each_name_is_in_modules_of_one_name(name: str) -> None:
    modules = [getattr(package, name).__module__ for package in (compiled, plain)]
    assert modules[0] == modules[1].replace(".plain.", ".compiled.")


def test_the_plain_twin_has_every_name() -> None:
    assert set(compiled.__all__) <= set(plain.__all__)
    assert set(compiled.__all__) == set(kernel.__all__) - {"implementation"}
