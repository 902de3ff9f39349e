"""The plain twin of the compiled kernel: the same names, the same results, in ordinary Python.

It is the oracle of the tests and stands in where the extension is not built. Everything here
prefers being seen to be right over being fast. Malformed input raises ValueError, as in the
kernel.
"""

from rowvault.codec.plain.columns import arrange, restore_rows
from rowvault.codec.plain.cutter import Cutter, RawTuple, Rule
from rowvault.codec.plain.forms import render_csv, render_json_lines
from rowvault.codec.plain.key_order import KeyProof, OrderedPart
from rowvault.codec.plain.loading import render_lines
from rowvault.codec.plain.matcher import RowMatcher
from rowvault.codec.plain.memory import keep_freed_memory
from rowvault.codec.plain.packets import PacketSplitter
from rowvault.codec.plain.record_search import RecordSearch
from rowvault.codec.plain.records import Place, make_places, merge_records
from rowvault.codec.plain.rendering import render_statement, render_tuples, rendered_length
from rowvault.codec.plain.rows import Layout, row_ends, row_values
from rowvault.codec.plain.siphash import row_hash, siphash24
from rowvault.codec.plain.values import decode_values, encode_values

__all__ = [
    "Cutter",
    "KeyProof",
    "Layout",
    "OrderedPart",
    "PacketSplitter",
    "Place",
    "RawTuple",
    "RecordSearch",
    "RowMatcher",
    "Rule",
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
