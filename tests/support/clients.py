"""The stock client, as a person uses it."""

from __future__ import annotations

import subprocess

from support.mariadb import MariaDBServer


def pipe_into(server: MariaDBServer, script: bytes, *options: str) -> None:
    """What a person does: `mariadb < FILE`; a statement that fails, fails the test."""
    client = ["mariadb", "--no-defaults", f"--socket={server.socket}", "-uroot", *options]
    done = subprocess.run(client, input=script, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
