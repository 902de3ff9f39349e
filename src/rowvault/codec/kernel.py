"""Chooses what does the work per row and per byte: the compiled kernel, or its plain twin.

`ROWVAULT_KERNEL=compiled` or `plain` decides. Without it the compiled kernel is taken where it
can be imported; `implementation` says which one it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rowvault.core.errors import UsageError

__all__ = [
    "Cutter",
    "KeyProof",
    "PacketSplitter",
    "RecordSearch",
    "RowMatcher",
    "arrange",
    "decode_values",
    "encode_values",
    "implementation",
    "keep_freed_memory",
    "make_places",
    "merge_records",
    "render_csv",
    "render_json_lines",
    "render_lines",
    "render_statement",
    "render_tuples",
    "rendered_length",
    "restore_rows",
    "row_ends",
    "row_hash",
    "row_values",
    "siphash24",
]

_VARIABLE = "ROWVAULT_KERNEL"

implementation: str
"""`compiled` or `plain`."""


def _choose() -> str:
    wanted = os.environ.get(_VARIABLE, "")
    if wanted not in ("", "compiled", "plain"):
        raise UsageError(f"{_VARIABLE} is {wanted!r}; it may be 'compiled' or 'plain'")
    if wanted == "plain":
        return wanted
    try:
        # The import is the question: are the extensions there?
        import rowvault.codec.compiled  # noqa: F401
    except ImportError:
        if wanted == "compiled":
            raise
        return "plain"
    return "compiled"


implementation = _choose()

if TYPE_CHECKING or implementation == "compiled":
    from rowvault.codec.compiled import (
        Cutter,
        KeyProof,
        PacketSplitter,
        RecordSearch,
        RowMatcher,
        arrange,
        decode_values,
        encode_values,
        keep_freed_memory,
        make_places,
        merge_records,
        render_csv,
        render_json_lines,
        render_lines,
        render_statement,
        render_tuples,
        rendered_length,
        restore_rows,
        row_ends,
        row_hash,
        row_values,
        siphash24,
    )
else:
    from rowvault.codec.plain import (
        Cutter,
        KeyProof,
        PacketSplitter,
        RecordSearch,
        RowMatcher,
        arrange,
        decode_values,
        encode_values,
        keep_freed_memory,
        make_places,
        merge_records,
        render_csv,
        render_json_lines,
        render_lines,
        render_statement,
        render_tuples,
        rendered_length,
        restore_rows,
        row_ends,
        row_hash,
        row_values,
        siphash24,
    )
