"""Releases of a server, as its version string tells them."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"(?:5\.5\.5-)?(\d+(?:\.\d+)*)")
"""MariaDB may put 5.5.5- in front for old replicas."""


def same_release(version: str, other: str) -> bool:
    """Whether two version strings differ in their suffixes alone, such as `-log`."""
    return _numbers(version) == _numbers(other)


def _numbers(version: str) -> str:
    match = _NUMBERS.match(version)
    return match[1] if match else version
