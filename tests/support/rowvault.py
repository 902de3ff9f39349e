"""Runs the command line as a user does: a process of its own, and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "rowvault"]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without a repository or password of the person who runs the tests."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ROWVAULT_REPOSITORY", "ROWVAULT_PASSWORD", "MYSQL_PWD"))
    }
    return own | dict(extra or {})


def run(
    *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs `rowvault ARGUMENTS` to its end, whatever that is."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, env=environment(env), capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


def succeed(*arguments: str | Path, env: Mapping[str, str] | None = None) -> bytes:
    """The standard output of a run that ends with 0."""
    done = run(*arguments, env=env)
    assert done.returncode == 0, (done.stdout[-2000:] + done.stderr).decode()
    return done.stdout


def run_json(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Any:
    """The document that a successful run prints with --json."""
    return json.loads(succeed("--json", *arguments, env=env))


def start(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Starts `rowvault ARGUMENTS` and leaves it to the caller."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
