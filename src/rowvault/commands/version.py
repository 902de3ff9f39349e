"""`version`: what is at work here."""

from __future__ import annotations

import platform
import sqlite3
from dataclasses import dataclass
from importlib import metadata

import rowvault
from rowvault.codec import kernel

_LIBRARIES = ("PyMySQL", "blake3", "zstandard", "cryptography", "msgspec", "click", "rich")


@dataclass(frozen=True, slots=True)
class VersionResult:
    """Versions of everything that decides what a snapshot holds."""

    rowvault: str
    python: str
    platform: str
    kernel: str
    """`compiled`, or `plain` where the compiled module could not be loaded."""
    libraries: dict[str, str]


def version() -> VersionResult:
    """The versions in use."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    libraries["sqlite"] = sqlite3.sqlite_version
    return VersionResult(
        rowvault=rowvault.__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        kernel=kernel.implementation,
        libraries=libraries,
    )
