"""Rows as text: the tuples of an INSERT statement, comma-separated values, lines of JSON."""

from __future__ import annotations

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import CorruptError

RENDERER_VERSION = 1
"""Stored with each tree: lengths and bytes of a rendering belong to this version of it."""


def render_block(batch: RowBatch, layout: RowLayout) -> bytes:
    """`(v,v,...)` for each row, joined by `,` and a line feed, without anything around them.

    The length is the block's `rendered_bytes`. Raises ValueError where the rows are malformed, or
    where what would stand without quotes is not a number.
    """
    return kernel.render_tuples(batch.rows, batch.ends, layout.kinds, layout.introducers)


def render_statement(
    raw: bytes, layout: RowLayout, prefix: bytes, suffix: bytes, rendered_bytes: int
) -> bytes:
    """Whole rows as `render_block` gives them, in their frame.

    Raises CorruptError where the rows are malformed or do not render to `rendered_bytes`.
    """
    try:
        return kernel.render_statement(
            raw, layout.kinds, layout.introducers, prefix, suffix, rendered_bytes
        )
    except ValueError as error:
        raise _not_text(error) from error


def render_csv(raw: bytes, layout: RowLayout) -> bytes:
    """Whole rows as lines of comma-separated values. Raises CorruptError."""
    try:
        return kernel.render_csv(raw, layout.kinds)
    except ValueError as error:
        raise _not_text(error) from error


def render_json_lines(raw: bytes, layout: RowLayout, names: tuple[bytes, ...]) -> bytes:
    """Whole rows as a JSON object a line; `names` as `"name":`, one per column.

    Raises CorruptError.
    """
    try:
        return kernel.render_json_lines(raw, layout.kinds, names)
    except ValueError as error:
        raise _not_text(error) from error


def _not_text(error: ValueError) -> CorruptError:
    return CorruptError(f"a block's rows cannot be written as text: {error}")


RENDERERS = {RENDERER_VERSION: render_statement}
"""Version -> what renders the statements whose lengths it has stored."""
