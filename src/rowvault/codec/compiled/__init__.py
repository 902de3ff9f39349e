"""The compiled kernel: all work per row and per byte, in C, without the GIL.

Each module does what its twin in rowvault.codec.plain says in plain Python; both must agree in
every case. What several modules have in their inner loops stands in `.pxd` files, as functions that
are compiled into each of them: no call of a loop leaves its module. Nothing here imports anything
else of Rowvault, malformed input raises ValueError, and nothing outside the buffers that are given
is read. One object is used by one thread at a time; RuntimeError says so.
"""

from rowvault.codec.compiled.columns import arrange, restore_rows
from rowvault.codec.compiled.cutter import Cutter
from rowvault.codec.compiled.forms import render_csv, render_json_lines
from rowvault.codec.compiled.key_order import KeyProof
from rowvault.codec.compiled.loading import render_lines
from rowvault.codec.compiled.matcher import RowMatcher
from rowvault.codec.compiled.memory import keep_freed_memory
from rowvault.codec.compiled.packets import PacketSplitter
from rowvault.codec.compiled.record_search import RecordSearch
from rowvault.codec.compiled.records import make_places, merge_records
from rowvault.codec.compiled.rendering import render_statement, render_tuples, rendered_length
from rowvault.codec.compiled.rows import row_ends, row_values
from rowvault.codec.compiled.siphash import row_hash, siphash24
from rowvault.codec.compiled.values import decode_values, encode_values

__all__ = [
    "Cutter",
    "KeyProof",
    "PacketSplitter",
    "RecordSearch",
    "RowMatcher",
    "arrange",
    "decode_values",
    "encode_values",
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
