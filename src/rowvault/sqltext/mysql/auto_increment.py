"""AUTO_INCREMENT in a CREATE TABLE statement: it moves while the rest of the definition stays.

ARCHIVE refuses rows below its counter, and nothing but a row moves it (MySQL manual, "The ARCHIVE
Storage Engine"): such a table is made without it, and its rows bring it back.
"""

from __future__ import annotations

import re

import msgspec

from rowvault.core.model import TableDefinition

_COUNTER = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`| AUTO_INCREMENT=(?P<value>\d+)", re.DOTALL
)


def split_counter(statement: bytes) -> tuple[bytes, int | None]:
    """The statement without the option, and its value; None where there is no such option."""
    for match in _COUNTER.finditer(statement):
        if match["value"] is not None:
            return statement[: match.start()] + statement[match.end() :], int(match["value"])
    return statement, None


def loadable(definition: TableDefinition, row_count: int) -> TableDefinition:
    """The table as it must be made so that this many rows load into it."""
    if definition.engine.upper() != "ARCHIVE" or not row_count:
        return definition
    statement, _ = split_counter(definition.statement)
    return msgspec.structs.replace(definition, statement=statement)
