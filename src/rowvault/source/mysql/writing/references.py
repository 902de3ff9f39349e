"""Foreign keys of the tables that a server has, and the rows that break them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import TakenName
from rowvault.sqltext.mysql.foreign_keys import ForeignKey
from rowvault.sqltext.quoting import identifier, mysql_string, qualified

_TASK = "looking for foreign keys"


def read_foreign_keys(connection: Connection, databases: Sequence[str]) -> list[ForeignKey]:
    """All foreign keys that refer to tables of these databases, from wherever they are."""
    listed = ", ".join(mysql_string(name) for name in databases)
    rows = connection.rows(
        "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, "
        "REFERENCED_TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME, ORDINAL_POSITION "
        f"FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA IN ({listed})",
        _TASK,
    )
    pairs: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row[7] or 0)):
        pairs[tuple(text(cell) for cell in row[:5])].append((text(row[5]), text(row[6])))
    return [
        ForeignKey(
            database,
            table,
            name,
            tuple(own for own, _ in columns),
            parent_database,
            parent,
            tuple(theirs for _, theirs in columns),
        )
        for (database, table, name, parent_database, parent), columns in sorted(pairs.items())
    ]


def read_taken_names(
    connection: Connection, databases: Sequence[str], vendor: str
) -> list[TakenName]:
    """Names of constraints of which a database has each only once.

    MariaDB's CHECK constraints have names of their own in each table.
    """
    if not databases:
        return []
    kinds = ("FOREIGN KEY", "CHECK") if vendor == "mysql" else ("FOREIGN KEY",)
    rows = connection.rows(
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE "
        "FROM information_schema.TABLE_CONSTRAINTS "
        f"WHERE CONSTRAINT_SCHEMA IN ({', '.join(mysql_string(one) for one in databases)}) "
        f"AND CONSTRAINT_TYPE IN ({', '.join(mysql_string(one) for one in kinds)})",
        "looking for constraints",
    )
    return sorted(
        TakenName(text(database), text(table), text(name), text(kind) == "CHECK")
        for database, table, name, kind in rows
    )


def column_types(connection: Connection, database: str, table: str) -> dict[str, str]:
    """The type of each column in the server's words, by name."""
    rows = connection.rows(
        "SELECT COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS "
        f"WHERE TABLE_SCHEMA = {mysql_string(database)} AND TABLE_NAME = {mysql_string(table)}",
        _TASK,
    )
    return {text(name): text(kind) for name, kind in rows}


def count_orphans(connection: Connection, key: ForeignKey) -> int:
    """How many rows of the child name a parent that is not there."""
    pairs = [
        (f"c.{identifier(own)}", f"p.{identifier(theirs)}")
        for own, theirs in zip(key.columns, key.parent_columns, strict=True)
    ]
    joined = " AND ".join(f"{own} = {theirs}" for own, theirs in pairs)
    complete = " AND ".join(f"{own} IS NOT NULL" for own, _ in pairs)
    rows = connection.rows(
        f"SELECT COUNT(*) FROM {qualified(key.database, key.table)} AS c "
        f"LEFT JOIN {qualified(key.parent_database, key.parent_table)} AS p ON {joined} "
        f"WHERE {complete} AND {pairs[0][1]} IS NULL",
        f"looking for rows of {key.label} without their parents",
    )
    return int(rows[0][0] or 0)
