"""CREATE TABLE as it is kept: sent again, it makes a table of which the server says the same."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`"
    rb"|(?P<old> /\* (?:mariadb-5\.3|5\.5 binary format) \*/)"
    rb"| CHARACTER SET \w+ COLLATE \w+"
    rb"| COLLATE (?P<column>\w+)"
    rb"| COLLATE=(?P<table>\w+)",
    re.DOTALL,
)
"""Quoted text is one token, so that nothing in it is taken for something else. Expressions are in
lower case."""


def kept_statement(shown: bytes) -> bytes:
    """What SHOW CREATE TABLE gives, without what would change what the next one gives.

    How old temporals are stored: no statement asks for it, and a new table has today's format. The collation of a column that has its table's: MySQL tells by it which columns have it from
    their table, and takes it in a statement for a collation of the column's own.
    """
    inherited = [found["table"] for found in _TOKEN.finditer(shown) if found["table"]][-1:]

    def kept(found: re.Match[bytes]) -> bytes:
        is_inherited = found["column"] is not None and [found["column"]] == inherited
        return b"" if found["old"] or is_inherited else found[0]

    return _TOKEN.sub(kept, shown)
