"""The sql_mode under which rows are put into MySQL and MariaDB.

Strict, so that nothing is cut short in silence; but zero and impossible dates are data. An ENUM may
hold index 0, the error value of an INSERT that was not strict (MySQL manual, "The ENUM Type"), and
no strict session takes that; so tables with an ENUM column are loaded without STRICT. Nor does a
strict session make an ENUM or SET whose collation takes two members for equal, or compute a column
whose value does not fit it.
"""

from __future__ import annotations

from rowvault.core.model import TableDefinition
from rowvault.sqltext.mysql.enumeration import is_enum, is_set

_ALWAYS = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
STRICT = f"{_ALWAYS},STRICT_ALL_TABLES"
LENIENT = _ALWAYS
COMPUTED = b" GENERATED ALWAYS AS ("
"""Stands in a CREATE TABLE once for each column that the server computes."""


def load_mode(table: TableDefinition) -> str:
    """The sql_mode for the rows of this table."""
    lenient = computes_columns(table) or any(is_enum(column) for column in table.columns)
    return LENIENT if lenient else STRICT


def computes_columns(table: TableDefinition) -> bool:
    """The server computes columns of it, and warns where a value does not fit them."""
    return COMPUTED in table.statement


def creation_mode(table: TableDefinition) -> str:
    """The sql_mode for the CREATE TABLE of this table."""
    listed = any(is_enum(column) or is_set(column) for column in table.columns)
    return LENIENT if listed else STRICT
