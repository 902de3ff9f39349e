"""CREATE TABLE as it is kept: sent again, it makes a table of which it is the statement again."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`"
    rb"|(?P<old> /\* (?:mariadb-5\.3|5\.5 binary format) \*/)"
    rb"| /\*!50100 TABLESPACE `(?P<space>(?:[^`]|``)*)`[^*]*\*/"
    rb"| TABLESPACE = `(?P<part>(?:[^`]|``)*)`"
    rb"| CHARACTER SET (?P<charset>\w+)(?P<collated> COLLATE \w+)?"
    rb"| COLLATE (?P<column>\w+)"
    rb"| COLLATE=(?P<table>\w+)",
    re.DOTALL,
)
"""Quoted text is one token, so that nothing in it is taken for something else. Expressions are in
lower case."""


_EVERYWHERE = b"innodb_"
"""Tablespaces whose names begin so are every server's own."""


def tablespaces_of(shown: bytes) -> list[str]:
    """The general tablespaces that a table or its partitions lie in; they are no part of it."""
    found = {match["space"] or match["part"] for match in _TOKEN.finditer(shown)}
    return sorted(
        one.decode().replace("``", "`") for one in found if one and not one.startswith(_EVERYWHERE)
    )


def kept_statement(shown: bytes, default_collation: Callable[[bytes], bytes]) -> bytes:
    """What SHOW CREATE TABLE gives, but for what no statement brings about.

    How old temporals are stored: a new table has today's format. The collation of a column that has
    its table's: MySQL tells by it which columns have it from their table, and takes it in a
    statement for a collation of the column's own. A charset without a collation: MySQL tells by it
    that the column had it from its table once; in a statement it is the column's own, and the
    next SHOW CREATE TABLE says the collation, too. `default_collation` gives a charset's. A general
    tablespace: `tablespaces_of` names it.
    """
    inherited = [found["table"] for found in _TOKEN.finditer(shown) if found["table"]][-1:]

    def kept(found: re.Match[bytes]) -> bytes:
        if found["charset"] and not found["collated"]:
            return found[0] + b" COLLATE " + default_collation(found["charset"])
        space = found["space"] or found["part"]
        if space and not space.startswith(_EVERYWHERE):
            return b""
        is_inherited = found["column"] is not None and [found["column"]] == inherited
        return b"" if found["old"] or is_inherited else found[0]

    return _TOKEN.sub(kept, shown)
