"""Names and engines of the tables that a backup is about, as they are at this instant."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from rowvault.source.mysql.schema.table_ids import Name
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import Selection
from rowvault.sqltext.quoting import mysql_string, qualified

FOREIGN_ENGINES = frozenset({"MRG_MYISAM", "FEDERATED", "CONNECT", "SPIDER"})
"""Their rows lie in other tables or on other servers."""
_SYSTEM = ("information_schema", "performance_schema", "mysql", "sys")


class ListedTable(msgspec.Struct, frozen=True):
    """One table."""

    name: Name
    has_transactions: bool

    @property
    def quoted(self) -> str:
        """For statements."""
        return qualified(*self.name)

    @property
    def label(self) -> str:
        """For messages."""
        return ".".join(self.name)


def list_selected(connection: Connection, selection: Selection) -> list[ListedTable]:
    """The tables of the selection that hold rows, by name."""
    safe = {text(row[0]) for row in connection.rows(_SAFE_ENGINES)}
    rows = connection.rows(
        "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES "
        f"WHERE {_condition(selection)} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    )
    listed = [
        ListedTable((text(row[0]), text(row[1])), text(row[2]) in safe)
        for row in rows
        if row[2] is not None and text(row[2]).upper() not in FOREIGN_ENGINES
    ]
    chosen = [one for one in listed if _is_chosen(one.name, selection)]
    return sorted(chosen, key=lambda entry: entry.name)


_SAFE_ENGINES = "SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'"


def _condition(selection: Selection) -> str:
    wanted = {*selection.databases, *(database for database, _ in selection.tables)}
    names = ", ".join(mysql_string(name) for name in sorted(wanted or _SYSTEM))
    return f"TABLE_SCHEMA {'IN' if wanted else 'NOT IN'} ({names})"


def _is_chosen(name: Name, selection: Selection) -> bool:
    if selection.tables and name not in selection.tables:
        return False
    labels = (name[0], ".".join(name))
    return not any(
        fnmatchcase(label, pattern) for label in labels for pattern in selection.excludes
    )
