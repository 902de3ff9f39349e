"""The stock client, as a person uses it."""

from __future__ import annotations

import subprocess

from support.server import DatabaseServer


def pipe_into(server: DatabaseServer, script: bytes, *options: str) -> None:
    """What a person does: `mariadb < FILE`; a statement that fails, fails the test."""
    command = [*server.client, *options]
    done = subprocess.run(command, input=script, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
