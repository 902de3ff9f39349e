"""Which version of each tool was compared."""

from __future__ import annotations

import subprocess
import sys

from support.server import DatabaseServer


def tool_version(name: str, server: DatabaseServer) -> str:
    """What the tool says of itself, in one line."""
    if name.startswith("rowvault"):
        return _first_line([sys.executable, "-m", "rowvault", "version"])
    if name.startswith("mydumper"):
        return _first_line(["mydumper", "--version"])
    # The options of the account stand behind the program's own words.
    program = server.dumper[: server.dumper.index("--no-defaults")]
    return _first_line([*program, "--no-defaults", "--version"]).replace(program[-1], "").strip()


def _first_line(command: list[str]) -> str:
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join((shown.stdout or shown.stderr).strip().partition("\n")[0].split())
