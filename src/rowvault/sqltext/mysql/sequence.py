"""Sequences that the defaults of a table call."""

from __future__ import annotations

import re

from rowvault.core.model import TableDefinition
from rowvault.sqltext.quoting import identifier

_NAME = rb"`(?:[^`]|``)*`"
_CALL = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|\b(?:nextval|lastval|setval)\((?:(?P<database>%b)\.)?(?P<name>%b)|%b"
    % (_NAME, _NAME, _NAME),
    re.DOTALL | re.IGNORECASE,
)


def called_sequences(table: TableDefinition) -> set[tuple[str, str]]:
    """(database, name) of those without which no server makes the table."""
    return {
        (_unquoted(found["database"] or b"") or table.database, _unquoted(found["name"]))
        for found in _CALL.finditer(table.statement)
        if found["name"]
    }


def fresh_sequence(name: str) -> str:
    """A sequence with MariaDB's defaults, as SHOW CREATE SEQUENCE gives it."""
    return (
        f"CREATE SEQUENCE {identifier(name)} start with 1 minvalue 1 maxvalue 9223372036854775806 "
        "increment by 1 cache 1000 nocycle ENGINE=InnoDB"
    )


def _unquoted(name: bytes) -> str:
    return name[1:-1].replace(b"``", b"`").decode("utf-8", "surrogateescape")
