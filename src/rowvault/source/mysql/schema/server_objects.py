"""What a server has beside databases and accounts, and a snapshot does not carry: it is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Row, text
from rowvault.sqltext.quoting import mysql_string


class _List(msgspec.Struct, frozen=True):
    what: str
    query: str


_OF_SERVER = (
    _List("server connections (CREATE SERVER)", "SELECT Server_name FROM mysql.servers"),
    _List("loadable functions (CREATE FUNCTION ... SONAME)", "SELECT name FROM mysql.func"),
    _List("components (INSTALL COMPONENT)", "SELECT component_urn FROM mysql.component"),
    _List(
        "resource groups",
        "SELECT RESOURCE_GROUP_NAME FROM information_schema.RESOURCE_GROUPS "
        "WHERE RESOURCE_GROUP_NAME NOT IN ('USR_default', 'SYS_default')",
    ),
    _List(
        "spatial reference systems",
        # The other ranges are the server's own (MySQL manual, "CREATE SPATIAL REFERENCE SYSTEM").
        "SELECT SRS_ID FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS WHERE "
        "SRS_ID BETWEEN 32768 AND 59999999 OR SRS_ID BETWEEN 70000000 AND 1999999999 "
        "OR SRS_ID > 2147483647",
    ),
    _List(
        "general tablespaces",
        "SELECT NAME FROM information_schema.INNODB_TABLESPACES "
        "WHERE SPACE_TYPE = 'General' AND NAME <> 'mysql'",
    ),
)


def of_server(connection: Connection) -> Iterator[str]:
    """A message for each kind of which the server has any, as far as the account sees them.

    Raises LostError.
    """
    for one in _OF_SERVER:
        names = sorted(text(row[0]) for row in _rows(connection, one.query))
        if names:
            listed = ", ".join(names)
            yield f"{one.what} are left out, for they are no part of a database: {listed}."


def of_database(connection: Connection, database: str) -> Iterator[str]:
    """Its state and what the server reckoned about its tables. Raises LostError."""
    quoted = mysql_string(database)
    options = _rows(
        connection,
        "SELECT SCHEMA_NAME, OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS "
        f"WHERE SCHEMA_NAME = {quoted}",
    )
    if any(text(name) == database and "READ ONLY=1" in text(option) for name, option in options):
        yield (
            f"database {database} is READ ONLY here, and will not be so where it is restored: set "
            "it there by ALTER DATABASE."
        )
    columns: dict[str, list[str]] = defaultdict(list)
    for row in _rows(
        connection,
        "SELECT SCHEMA_NAME, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMN_STATISTICS "
        f"WHERE SCHEMA_NAME = {quoted}",
    ):
        schema, table, column = (text(cell) for cell in row)
        if schema == database:
            columns[table].append(column)
    for table, names in sorted(columns.items()):
        yield (
            f"histograms of {database}.{table} are left out: ANALYZE TABLE ... UPDATE HISTOGRAM ON "
            f"{', '.join(sorted(names))} makes them anew."
        )


def _rows(connection: Connection, query: str) -> tuple[Row, ...]:
    """None where the server has no such list, or does not show it to this account."""
    try:
        return connection.rows(query)
    except faults.LostError:
        raise
    except faults.StatementError:
        return ()
