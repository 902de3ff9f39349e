"""LOAD DATA LOCAL: which statement gives each column, from raw bytes, what an INSERT gives it.

The lines hold every value's bytes as a block does, read as `CHARACTER SET binary`. Bytes that a
column takes for what they are go to it at once. Others go into a variable, and an expression makes
of them the value of the literal that stands for them in an INSERT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rowvault.core.model import Column, ValueKind
from rowvault.sqltext.mysql.enumeration import is_enum, is_set
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string, qualified

_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8"})
"""Charsets whose characters are the bytes that they have in utf8mb4."""
_TEMPORALS = ("date", "time", "datetime", "timestamp", "float", "double")
"""Types whose values are read from ASCII alike, whatever charset it is said to be in."""

_AS_TEXT = "CONVERT({} USING utf8mb4)"
_AS_NUMBER = "CAST({} AS UNSIGNED)"


def has_characters(columns: Sequence[Column]) -> bool:
    """Whether the statement depends on charsets."""
    return any(_is_character(column) for column in columns)


def load_data(
    database: str,
    table: str,
    columns: Sequence[Column],
    charsets: Mapping[str, str],
    name: str,
) -> bytes:
    """The statement; it asks for the file `name`, and reads what `render_lines` gives.

    `charsets`: of each column that has one.
    """
    targets: list[str] = []
    expressions: list[str] = []
    for index, column in enumerate(columns):
        expression = _expression(column, charsets.get(column.name, ""))
        if not expression:
            targets.append(identifier(column.name))
            continue
        variable = f"@rowvault_{index}"
        targets.append(variable)
        expressions.append(f"{identifier(column.name)}={expression.format(variable)}")
    statement = (
        f"LOAD DATA LOCAL INFILE {mysql_string(name)} INTO TABLE {qualified(database, table)} "
        "CHARACTER SET binary FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' "
        f"LINES TERMINATED BY '\\n' STARTING BY '' ({','.join(targets)})"
    )
    if expressions:
        statement += f" SET {','.join(expressions)}"
    return encode_name(statement)


def _is_character(column: Column) -> bool:
    return column.kind is ValueKind.TEXT and _word(column) not in _TEMPORALS


def _expression(column: Column, charset: str) -> str:
    """What makes the column's value of the variable `{}`; empty where no variable is needed."""
    if column.kind is ValueKind.NUMBER:
        # Text is a member's name before it is its number, and '0' is another year than 0.
        counted = is_enum(column) or is_set(column) or _word(column) == "year"
        return _AS_NUMBER if counted else ""
    if _is_character(column) and charset not in _UTF8:
        return _AS_TEXT
    return ""


def _word(column: Column) -> str:
    return column.type.lower().split("(")[0].split(" ")[0]
