"""Kinds of objects that a newer server has and this version does not know: found, and named.

information_schema tells of each kind in a list with the columns KIND_SCHEMA and KIND_NAME.
"""

from __future__ import annotations

from collections.abc import Iterator

from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import identifier, mysql_string

_KNOWN = frozenset(
    {
        *("CHILD_TABLE", "CONSTRAINT", "EVENT", "EVENT_OBJECT", "F_TABLE", "G_TABLE", "INDEX"),
        *("LIBRARY", "PARENT_TABLE", "PERIOD", "REFERENCED_TABLE", "ROOT_TABLE", "ROUTINE"),
        *("SEQUENCE", "SPECIFIC", "TABLE", "TRIGGER", "UNIQUE_CONSTRAINT", "VIEW"),
    }
)
"""What is read, or named, or belongs to what is."""
_SHOWN = 3


class UnknownKinds:
    """Which lists the server has of which this version knows nothing."""

    def __init__(self, connection: Connection) -> None:
        """Asks for them."""
        self._connection = connection
        rows = connection.rows(
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = 'information_schema' AND COLUMN_NAME RLIKE '_(SCHEMA|NAME)$'",
            "reading which lists the server has",
        )
        columns = {(text(row[0]), text(row[1]).upper()) for row in rows}
        found = {
            (list_, column.removesuffix("_SCHEMA"))
            for list_, column in columns
            if column.endswith("_SCHEMA")
        }
        self._lists = sorted(
            (list_, kind)
            for list_, kind in found
            if kind not in _KNOWN and (list_, f"{kind}_NAME") in columns
        )

    def of_database(self, database: str) -> Iterator[str]:
        """A message for each kind of which the database has any."""
        for list_, kind in self._lists:
            schema, name = identifier(f"{kind}_SCHEMA"), identifier(f"{kind}_NAME")
            rows = self._connection.rows(
                f"SELECT {schema}, {name} FROM information_schema.{identifier(list_)} "
                f"WHERE {schema} = {mysql_string(database)}",
                f"reading the list {list_}",
            )
            names = sorted({text(row[1]) for row in rows if text(row[0]) == database})
            if names:
                what = kind.lower().replace("_", " ")
                shown = ", ".join(names[:_SHOWN])
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                yield (
                    f"{what} {database}.{shown}{more} (information_schema.{list_}): left out, for "
                    "its kind is not known to this version."
                )
