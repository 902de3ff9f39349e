"""The page on the next version of a format names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/add-a-format-version.md").read_text()
SAMPLES = ROOT / "tests/data/repositories"
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
FILES = [one for one in QUOTED if "/" in one]
PLACES = re.findall(r"((?:`\w+`(?:, | and )?)+) in\s+`(src/\S+?\.py)`", PAGE)
ROWS = re.findall(r"^\| \S.*? \| `(\w+)` in `(src/\S+?)` \| (.*?) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_there(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", [one for one in QUOTED if re.match(r"v\d+-", one)])
def test_each_sample_is_there_and_described(name: str) -> None:
    assert (SAMPLES / name).is_dir()
    assert f"`{name}`" in (SAMPLES / "README.md").read_text()


@pytest.mark.parametrize(("quoted", "file"), PLACES)
def test_each_name_is_defined_in_its_file(quoted: str, file: str) -> None:
    for name in re.findall(r"`(\w+)`", quoted):
        assert is_defined(name, (ROOT / file).read_text())


@pytest.mark.parametrize(("table", "file", "written"), ROWS)
def test_the_table_names_what_each_file_defines(table: str, file: str, written: str) -> None:
    text = (ROOT / file).read_text()
    for name in (table, *re.findall(r"`(\w+)`", written)):
        assert is_defined(name, text)


def is_defined(name: str, text: str) -> bool:
    return bool(re.search(rf"^ *(def |class )?(\w+, )*{name}\b( *[=:,(]|$)", text, re.MULTILINE))


def test_every_structure_and_every_name_is_looked_at() -> None:
    assert len(ROWS) == 7
    sources = "\n".join(path.read_text() for path in (ROOT / "src/rowvault").rglob("*.py"))
    names = [one for one in QUOTED if re.fullmatch(r"_?[A-Z]\w+|[a-z]+_\w+", one)]
    assert len(names) > 15
    assert [one for one in names if not is_defined(one, sources)] == []
