"""Runs the command line as a user does: a process of its own, and its exit code.

`run` and what builds on it fork that process from one that has done the imports, unless the
environment decides something that happens before `main`; `start` starts it anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.forked import Zygote

COMMAND = [sys.executable, "-m", "rowvault"]

_READ_LATE = ("ROWVAULT_PASSWORD", "ROWVAULT_REPOSITORY", "MYSQL_PWD")
"""Beginnings of the variables that the imports do not look at."""
_ZYGOTE = Zygote()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without a repository or password of the person who runs the tests."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("ROWVAULT_REPOSITORY", "ROWVAULT_PASSWORD", "ROWVAULT_TIMEZONE", "MYSQL_PWD")
        )
    }
    return own | dict(extra or {})


def run(
    *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs `rowvault ARGUMENTS` to its end, whatever that is."""
    if all(name.startswith(_READ_LATE) for name in env or {}):
        done = _ZYGOTE.run([*map(str, arguments)], environment(env))
        if done is not None:
            return done
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
