"""Where the server stands in its own history: its binary log and its transaction ids."""

from __future__ import annotations

import msgspec

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text

_TASK = "asking for the position in the binary log"

Position = tuple[str, int]
"""File and offset; ('', 0) where it is not known."""
UNKNOWN: Position = ("", 0)


def gtid_of_transaction(connection: Connection) -> str:
    """Percona Server: the ids of all that the connection's consistent snapshot sees."""
    return _snapshot_status(connection).get("binlog_snapshot_gtid_executed", "").replace("\n", "")


def of_transaction(connection: Connection) -> Position:
    """Where the connection's consistent snapshot stands; UNKNOWN where the server does not say.

    MariaDB and Percona Server do
    (https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/).
    """
    values = _snapshot_status(connection)
    return values.get("binlog_snapshot_file", ""), int(values.get("binlog_snapshot_position") or 0)


def _snapshot_status(connection: Connection) -> dict[str, str]:
    rows = connection.rows("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", _TASK)
    return {text(row[0]).lower(): text(row[1]) for row in rows}


class LogEnd(msgspec.Struct, frozen=True):
    """The end of the binary log."""

    position: Position = UNKNOWN
    is_filtered: bool = False
    """Databases are kept out of the log: commits there move no position."""
    refusal: str = ""
    """Why the server does not tell."""


def log_end(connection: Connection) -> LogEnd:
    """The end of the binary log; without a log or without the right to ask it is UNKNOWN."""
    refusal = ""
    for statement in ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"):
        try:
            rows = connection.rows(statement, _TASK)
        except faults.LostError:
            raise
        except faults.StatementError as error:
            if error.code != faults.SYNTAX_ERROR:
                refusal = str(error)
            continue
        if not rows:
            return LogEnd(refusal="the server keeps no binary log")
        row = rows[0]
        return LogEnd((text(row[0]), int(row[1] or 0)), bool(row[2] or row[3]))
    return LogEnd(refusal=refusal)


def executed_gtid(connection: Connection) -> str:
    """The ids of all that is committed; empty where the server keeps none."""
    for name in ("gtid_executed", "gtid_binlog_pos"):
        try:
            return text(connection.rows(f"SELECT @@GLOBAL.{name}", _TASK)[0][0]).replace("\n", "")
        except faults.LostError:
            raise
        except faults.StatementError:
            continue
    return ""


def owned_gtids(connection: Connection) -> str:
    """MySQL: the ids of transactions that are being committed. Raises StatementError elsewhere."""
    return text(connection.rows("SELECT @@GLOBAL.gtid_owned", _TASK)[0][0])
