"""Rows as SQL: the tuples of an INSERT statement."""

from __future__ import annotations

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import RowBatch

RENDERER_VERSION = 1
"""Stored with each tree: lengths and bytes of a rendering belong to this version of it."""


def render_block(batch: RowBatch, layout: RowLayout) -> bytes:
    """`(v,v,...)` for each row, joined by `,` and a line feed, without anything around them.

    The length is the block's `rendered_bytes`. Raises ValueError where the rows are malformed, or
    where what would stand without quotes is not a number.
    """
    return kernel.render_tuples(batch.rows, batch.ends, layout.kinds, layout.introducers)
