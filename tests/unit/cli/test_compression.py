"""Levels of compression, as words and numbers."""

from __future__ import annotations

import click
import pytest

from rowvault.cli.input.compression import MAXIMUM, OFF, parse_level
from rowvault.codec import compression


@pytest.mark.parametrize(("word", "level"), [("auto", None), ("off", 0), ("1", 1), ("22", 22)])
def test_levels(word: str, level: int | None) -> None:
    assert parse_level(None, None, word) == level


@pytest.mark.parametrize("word", ["0", "23", "max", "-1", "", "1.5", "²"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(click.BadParameter, match="no level"):
        parse_level(None, None, word)


def test_they_are_the_codecs() -> None:
    assert (OFF, MAXIMUM) == (compression.NO_COMPRESSION, compression.MAXIMUM_LEVEL)
