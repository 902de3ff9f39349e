"""What a result was measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def machine() -> dict[str, object]:
    """Processor, cores, memory and system."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
    }


def load() -> float:
    """Processes that ran or wanted to, over the last minute: above the cores, figures are noise."""
    return round(os.getloadavg()[0], 2)


def versions(rowvault: str) -> dict[str, str]:
    """Of Rowvault, its kernel, and every peer that is installed."""
    found = {"python": platform.python_version(), "rowvault": _first_line([rowvault, "version"])}
    for name, option in (
        ("mariadbd", "--version"),
        ("mariadb-dump", "--version"),
        ("zstd", "--version"),
        ("restic", "version"),
        ("borg", "--version"),
        ("mydumper", "--version"),
    ):
        if shutil.which(name):
            found[name] = _first_line([name, option])
    return found


def commit(root: Path) -> str:
    """The commit of the checkout, with `+` where files differ from it; empty outside of one."""
    described = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()


def kernel_in_use(rowvault: str, environment: Mapping[str, str]) -> str:
    """`compiled` or `plain`, as `rowvault version` says."""
    shown = subprocess.run(
        [rowvault, "version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout
    return "compiled" if "compiled" in shown else "plain"


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    match = re.search(r"model name\s*:\s*(.+)", text)
    return match.group(1) if match else platform.machine()


def _first_line(command: list[str]) -> str:
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return (shown.stdout or shown.stderr).strip().partition("\n")[0]
