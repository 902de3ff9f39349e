"""Whatever a name or a text holds, its literal means just that."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from rowvault.sqltext.quoting import (
    identifier,
    mysql_string,
    sqlite_identifier,
    sqlite_string,
)

_ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a", "\\": "\\", "'": "'"}
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)

texts = st.text(st.characters(exclude_categories=("Cs",)))
names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@given(texts)
def test_a_mysql_string_reads_as_the_manual_says(text: str) -> None:
    match = _LITERAL.fullmatch(mysql_string(text))
    assert match is not None
    read = re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], match[1], flags=re.DOTALL)
    assert read == text


@given(names)
def test_a_mysql_name_ends_only_at_its_end(name: str) -> None:
    quoted = identifier(name)
    assert re.fullmatch(r"`(?:[^`]|``)+`", quoted, re.DOTALL)
    assert quoted[1:-1].replace("``", "`") == name


@given(texts.filter(lambda text: "\0" not in text), names)
def test_sqlite_reads_names_and_strings_back(text: str, name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(f"SELECT {sqlite_string(text)} AS {sqlite_identifier(name)}")
        assert cursor.fetchone() == (text,)
        assert cursor.description[0][0] == name
