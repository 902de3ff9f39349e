"""Stored programs that name tables in another case than they have.

A server that ignores the case of table names runs them; one that does not finds no such table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.restore.selection.selection import RestoreSelection

_PROGRAMS = frozenset(
    {
        ObjectKind.FUNCTION,
        ObjectKind.PROCEDURE,
        ObjectKind.PACKAGE_BODY,
        ObjectKind.TRIGGER,
        ObjectKind.EVENT,
    }
)
_NAME = rb"(?:`(?:[^`]|``)*`|[\w$\x80-\xff]+)"
_TABLE = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|\b(?:from|join|into|update|table)\s+(?:%b\s*\.\s*)?(%b)"
    % (_NAME, _NAME),
    re.IGNORECASE | re.DOTALL,
)


def names_in_another_case(chosen: RestoreSelection) -> Iterator[tuple[ObjectDefinition, str, str]]:
    """(program, the name in its text, the table's name), the first of each program."""
    tables = {record.definition.name.lower(): record.definition.name for record in chosen.tables}
    exact = set(tables.values())
    for one in chosen.objects:
        if one.kind not in _PROGRAMS:
            continue
        for match in _TABLE.finditer(one.statement):
            written = _unquoted(match[1] or b"")
            if written not in exact and written.lower() in tables:
                yield one, written, tables[written.lower()]
                break


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "surrogateescape")
    return text[1:-1].replace("``", "`") if text.startswith("`") else text
