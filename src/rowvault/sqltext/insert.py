"""INSERT statements: a prefix, tuples from the renderer, an end."""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.model import Column
from rowvault.sqltext.quoting import encode_name, identifier, qualified

STATEMENT_END = b";\n"


def insert_prefix(database: str | None, table: str, columns: Sequence[Column]) -> bytes:
    """`INSERT INTO t (a,b) VALUES` and a newline: the first tuple follows at once."""
    names = ",".join(identifier(column.name) for column in columns)
    return encode_name(f"INSERT INTO {qualified(database, table)} ({names}) VALUES\n")
