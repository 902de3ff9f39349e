"""Columns: how each type's values are read so that they come back exactly."""

from __future__ import annotations

import msgspec

from rowvault.core.model import Column, ValueKind
from rowvault.sqltext.mysql.enumeration import is_ambiguous
from rowvault.sqltext.quoting import identifier

_NUMBERS = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "year"}
)
_FLOATS = frozenset({"float", "double", "real"})
_CHARACTERS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_TEXTS = frozenset(
    {"enum", "set", "date", "time", "datetime", "timestamp", "json", "uuid", "inet4", "inet6"}
)
_SPATIAL = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geomcollection",
        "geometrycollection",
    }
)
_BYTES = _SPATIAL | {
    "bit",
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "vector",
}

_ROUND_TRIP = frozenset({"utf8mb4", "utf8mb3", "utf8", "latin1"})
"""Charsets whose every stored character survives the way to utf8mb4 and back; ascii is not one of
them, because servers take bytes beyond 0x7F into it."""

_SINGLE_BYTE = frozenset(
    {
        *("armscii8", "ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866"),
        *("dec8", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin2"),
        *("latin5", "latin7", "macce", "macroman", "swe7", "tis620"),
    }
)
"""Charsets in which MySQL stores any byte, but warns of those without a character in a literal that
says which charset it is in."""

_ORDERED = frozenset(
    {
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "integer",
        "bigint",
        "decimal",
        "numeric",
        "year",
        "date",
        "time",
        "datetime",
        "timestamp",
        "binary",
        "varbinary",
    }
)
_LARGE = frozenset(
    {
        "longblob",
        "longtext",
        "json",
        "geometry",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geomcollection",
        "geometrycollection",
    }
)
MEDIUM_BYTES = 64 << 20
"""The most that a value of any other type reads as: 16 MiB of characters of four bytes."""


class UnknownTypeError(ValueError):
    """A type that this version does not know how to read exactly."""


class ColumnFacts(msgspec.Struct, frozen=True):
    """One column as information_schema has it."""

    name: str
    data_type: str
    column_type: str
    charset: str
    extra: str
    generation: str
    nullable: bool

    @property
    def is_generated(self) -> bool:
        """The server computes it; DEFAULT_GENERATED is something else."""
        return any(
            word in self.extra.upper()
            for word in ("VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT GENERATED")
        )

    @property
    def is_period(self) -> bool:
        """The start or the end of a version in a system-versioned table."""
        return self.generation.upper() in ("ROW START", "ROW END")

    @property
    def is_row_end(self) -> bool:
        """The end of a version in a system-versioned table; every unique key contains it."""
        return self.generation.upper() == "ROW END"


def column_of(facts: ColumnFacts) -> Column:
    """The column as a snapshot keeps it. Raises UnknownTypeError, never guesses."""
    base = facts.data_type.lower()
    kind, introducer = ValueKind.TEXT, ""
    if base in _NUMBERS:
        kind = ValueKind.NUMBER
    elif base in _CHARACTERS:
        charset = facts.charset.lower()
        if charset not in _ROUND_TRIP:
            kind = ValueKind.BYTES
            introducer = "_binary" if charset in _SINGLE_BYTE else f"_{charset}"
    elif base in _BYTES:
        kind = ValueKind.BYTES
    elif base not in _TEXTS and base not in _FLOATS:
        raise UnknownTypeError(facts.column_type)
    # Floats are quoted: as a bare literal MySQL reads -0 as the integer 0 and loses the sign.
    column = Column(name=facts.name, type=facts.column_type, kind=kind, introducer=introducer)
    if is_ambiguous(column):
        return msgspec.structs.replace(column, kind=ValueKind.NUMBER)
    return column


def is_spatial(facts: ColumnFacts) -> bool:
    """Whether its values are shapes."""
    return facts.data_type.lower() in _SPATIAL


def base_type(column: Column) -> str:
    """The first word of the column's type: `int`, `varchar`, ..."""
    return column.type.lower().split("(")[0].split(" ")[0]


def select_expression(column: Column, table: str = "t") -> str:
    """What to select so that the text protocol gives the stored value exactly."""
    name = f"{identifier(table)}.{identifier(column.name)}"
    if base_type(column) in _FLOATS:
        # FLOAT prints six digits and DOUBLE(M,D) prints D decimals; a product with a double prints
        # all, and keeps the sign of -0 where a sum would not.
        return f"{name}*1e0"
    if is_ambiguous(column):
        # Not `+ 0`: that gives the sixty-fourth member of a SET a sign.
        return f"CAST({name} AS UNSIGNED)"
    if column.introducer:
        return f"CAST({name} AS BINARY)"
    return name


def holds_large_values(column: Column) -> bool:
    """A value may be larger than MEDIUM_BYTES."""
    return base_type(column) in _LARGE


def is_ordered(column: Column) -> bool:
    """The order of this type's values is known without the server."""
    return base_type(column) in _ORDERED and not column.introducer
