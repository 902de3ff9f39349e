"""Foreign keys in CREATE TABLE, as MySQL and MariaDB write it: every name in backticks."""

from __future__ import annotations

import re

import msgspec

from rowvault.core.model import TableDefinition

_QUOTED = rb"`(?:[^`]|``)*`"
_REFERENCE = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'|\bREFERENCES (?P<names>%b(?:\.%b)?)" % (_QUOTED, _QUOTED), re.DOTALL
)
_NAME = re.compile(_QUOTED)


class ForeignKey(msgspec.Struct, frozen=True, order=True):
    """Columns of a child table whose values are to be found in a parent table."""

    database: str
    """The child's."""
    table: str
    name: str
    columns: tuple[str, ...]
    parent_database: str
    parent_table: str
    parent_columns: tuple[str, ...]

    @property
    def label(self) -> str:
        """`database.table`, the child's."""
        return f"{self.database}.{self.table}"

    @property
    def parent_label(self) -> str:
        """`database.table`, the parent's."""
        return f"{self.parent_database}.{self.parent_table}"


def tables_referenced(table: TableDefinition) -> set[tuple[str, str]]:
    """(database, table) of all that the foreign keys of a table refer to."""
    found = set()
    for match in _REFERENCE.finditer(table.statement):
        if match["names"] is None:
            continue
        names = [_unquoted(name) for name in _NAME.findall(match["names"])]
        found.add((names[0], names[1]) if len(names) == 2 else (table.database, names[0]))
    return found


def _unquoted(name: bytes) -> str:
    return name[1:-1].replace(b"``", b"`").decode("utf-8", "surrogateescape")
