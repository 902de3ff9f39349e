"""The tour of the code names places: each of them exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "tour.md"
COMMANDS = ("make ", "rowvault ")
"""What else is written as code on the page."""

PLACES = [
    span
    for span in re.findall(r"`([^`\n]*)`", PAGE.read_text())
    if not span.startswith((*COMMANDS, "src/rowvault"))
]


def test_every_place_exists() -> None:
    assert len(PLACES) > 100
    assert [place for place in PLACES if not _exists(place)] == []


def test_no_line_breaks_a_place_in_two() -> None:
    """A place that goes on in the next line would not be checked."""
    lines = PAGE.read_text().splitlines()
    assert [line for line in lines if line.count("`") % 2] == []


@pytest.mark.parametrize(
    "place",
    [
        "storage/absent.py",
        "storage/absent/",
        "storage/protocol.py: absent",
        "storage/protocol.py: create",
        "storage/local.py: LocalStorage.absent",
    ],
)
def test_what_does_not_exist_is_found(place: str) -> None:
    assert not _exists(place)
    assert _exists("storage/local.py: LocalStorage.create")


def _exists(place: str) -> bool:
    """Whether there is the folder, the file, or the name in the file."""
    file, _, name = place.partition(": ")
    path = _path(file)
    there = path.is_dir() if file.endswith("/") else path.is_file()
    return there and (not name or name in _names(path))


def _path(file: str) -> Path:
    below = ROOT if file.startswith(("tests/", "docs/")) else ROOT / "src" / "rowvault"
    return below / file


@functools.cache
def _names(path: Path) -> frozenset[str]:
    """Classes and functions of a module, and methods as `Class.method`."""
    named = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, named):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, named)}
    return frozenset(found)
