"""Key values as bounds: read as exact bytes, written as literals that mean exactly these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rowvault.core.model import Column
from rowvault.source.mysql.keys.columns import base_type
from rowvault.source.mysql.keys.ranges import MOST_NUMBERED, OrderPart
from rowvault.source.protocol import Bound, Key
from rowvault.sqltext.mysql.enumeration import is_enum, value_count
from rowvault.sqltext.quoting import mysql_string

NUMBERS = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "year"}
)
CHARACTERS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
TEMPORALS = frozenset({"date", "time", "datetime", "timestamp"})
_CENTURYLESS = "year(2)"
"""Its text says nothing of the century, by which the server orders."""


class TextKind(msgspec.Struct, frozen=True):
    """What the characters of a column are, and how they compare."""

    charset: str
    collation: str


class KeyPart(msgspec.Struct, frozen=True):
    """One column of a key whose values can be bounds."""

    order: OrderPart
    column: Column
    text: TextKind | None = None
    """For columns of characters."""

    @property
    def base(self) -> str:
        """The first word of the type; `number` for ENUM, which is compared by number."""
        return "number" if self.order.value_count else base_type(self.column)

    @property
    def selected(self) -> str:
        """What to select for its exact value."""
        if self.base == "number":
            return f"CAST({self.order.column} AS UNSIGNED)"
        if self.text is not None:
            # The bytes that are stored: no way through the connection's charset and back.
            return f"CAST({self.order.column} AS BINARY)"
        return self.order.column

    def literal(self, value: bytes) -> str:
        """What the server compares the column with."""
        if self.base == "number" or self.base in NUMBERS:
            return value.decode("ascii")
        if self.text is not None:
            return f"_{self.text.charset} X'{value.hex()}' COLLATE {self.text.collation}"
        if self.base in BYTES:
            return f"_binary X'{value.hex()}'"
        return mysql_string(value.decode("ascii"))


def can_bound(column: Column) -> bool:
    """Values of this type can be bounds: the server is known to compare them as it indexes them.

    Of every other type nothing is supposed. FLOAT prints inexactly, BIT compares in two ways, and a
    UUID may lie in an index of an older release in another order than it compares by now.
    """
    if is_enum(column):
        return value_count(column) <= MOST_NUMBERED
    return base_type(column) in NUMBERS | CHARACTERS | BYTES | TEMPORALS and not (
        column.type.lower().startswith(_CENTURYLESS)
    )


def bound_of(parts: Sequence[KeyPart], key: Key) -> Bound:
    """A key, or the first values of one, as literals."""
    return tuple(part.literal(value) for part, value in zip(parts, key, strict=False))


def key_part(order: OrderPart, column: Column, texts: Mapping[str, TextKind]) -> KeyPart:
    """The part for a column; `texts`: by name, the columns that hold characters."""
    is_text = base_type(column) in CHARACTERS
    return KeyPart(order, column, texts[column.name] if is_text else None)
