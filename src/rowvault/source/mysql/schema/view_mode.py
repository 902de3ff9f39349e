"""Under which sql_mode MySQL made a view, as far as that shows.

MySQL keeps for every column of a view whether it may be NULL, as the session saw it that made the
view: under a strict mode, results of string functions may be. No statement tells the mode, but the
columns do.
"""

from __future__ import annotations

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.server import global_variables
from rowvault.sqltext.quoting import mysql_string, qualified

STRICT_VIEW = (("sql_mode", "STRICT_TRANS_TABLES"),)


def is_kept(connection: Connection) -> bool:
    """Whether the server keeps columns of views; MariaDB finds them out each time."""
    version = global_variables(connection, ("version",)).get("version", "")
    return "mariadb" not in version.lower()


def session_of(connection: Connection, database: str, name: str) -> tuple[tuple[str, str], ...]:
    """What its session needs for the same columns; read in a session that is not strict."""
    task = f"reading the columns of view {database}.{name}"
    kept = connection.rows(
        "SELECT IS_NULLABLE FROM information_schema.COLUMNS WHERE "
        f"TABLE_SCHEMA = {mysql_string(database)} AND TABLE_NAME = {mysql_string(name)} "
        "ORDER BY ORDINAL_POSITION",
        task,
    )
    try:
        found = connection.execute(f"SELECT * FROM {qualified(database, name)} LIMIT 0", task)
    except faults.LostError:
        raise
    except faults.StatementError:
        # Who may not select from it cannot know; no text or row depends on it.
        return ()
    is_same = [text(row[0]) == "YES" for row in kept] == list(found.nullable)
    return () if is_same else STRICT_VIEW
