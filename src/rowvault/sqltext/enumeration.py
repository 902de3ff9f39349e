"""ENUM and SET columns, as the server writes their types: `enum('a','it''s')`."""

from __future__ import annotations

import re

from rowvault.core.model import Column

_MEMBER = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_NO_TEXT = "''"


def is_enum(column: Column) -> bool:
    """Each value is one member, or the error value, index 0, which reads as ''."""
    return column.type.lower().startswith("enum(")


def is_set(column: Column) -> bool:
    """Each value is any number of members; none of them reads as ''."""
    return column.type.lower().startswith("set(")


def has_empty_member(column: Column) -> bool:
    """A member is '': text alone does not tell it from an ENUM's index 0 or an empty SET."""
    return (is_enum(column) or is_set(column)) and _NO_TEXT in _MEMBER.findall(column.type)
