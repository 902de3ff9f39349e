"""Which GTID a position of MariaDB's binary log is."""

from __future__ import annotations

from collections.abc import Callable

from rowvault.core.errors import ConnectError
from rowvault.source.mysql.consistency.position import Position, executed_gtid, log_end
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import mysql_string

_TASK = "asking for the snapshot's GTID"


def gtid_at_end(connection: Connection, position: Position) -> str:
    """The GTID of a position at which the log still ends; empty where it does not any more.

    A server holds its log while it gives a transaction its id and writes it, and takes hold of it
    to say where it ends. So an id that is read between two equal answers is that of the position.
    Raises LostError.
    """
    if log_end(connection).position != position:
        return ""
    gtid = executed_gtid(connection)
    return gtid if log_end(connection).position == position else ""


class GtidQuestion:
    """Asked on a connection of its own, and answered while the rows are read.

    The server reads its log from the start of the file for this, which may take as long as a table
    and as much of a processor; `gtid_at_end` takes nothing.
    """

    def __init__(self, connect: Callable[[], Connection], position: Position) -> None:
        """Raises LostError."""
        self._connection: Connection | None = None
        try:
            self._connection = connect()
        except ConnectError:
            return  # no connection is left: the GTID stays unknown, the position is known
        file, offset = position
        self._connection.send(f"SELECT BINLOG_GTID_POS({mysql_string(file)}, {offset})", _TASK)

    def answer(self) -> str:
        """The GTID; empty where the server has no such function. Raises LostError."""
        if self._connection is None:
            return ""
        try:
            return text(self._connection.receive(_TASK).rows[0][0])
        except faults.LostError:
            raise
        except faults.StatementError:
            # No such function, or the log was purged: the position alone is known.
            return ""
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
