"""Blocks as SQL."""

from __future__ import annotations

import pytest

from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import RENDERER_VERSION, render_block
from rowvault.codec.rows import encode_batch


def test_a_block_becomes_the_tuples_of_an_insert() -> None:
    layout = RowLayout(b"\1\2\3", (b"", b"", b"_gbk "), (0,))
    batch = encode_batch([(b"1", b"it's", b"\xff"), (b"-2", None, b"")])
    assert render_block(batch, layout) == b"(1,'it\\'s',_gbk X'FF'),\n(-2,NULL,_gbk X'')"


def test_what_is_no_number_never_becomes_sql() -> None:
    layout = RowLayout(b"\1", (b"",), ())
    with pytest.raises(ValueError, match="not a number"):
        render_block(encode_batch([(b"1),(2",)]), layout)


def test_the_version_names_these_bytes() -> None:
    """Whoever changes a rendering gives it a new version and keeps the old one callable."""
    assert RENDERER_VERSION == 1
