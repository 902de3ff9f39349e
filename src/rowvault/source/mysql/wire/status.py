"""A figure of the server's own, asked again and again while rows are read."""

from __future__ import annotations

from rowvault.core.errors import UsageError
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import mysql_string


class StatusQuestion:
    """The value of one global status variable, over a connection of its own."""

    def __init__(self, connection: Connection, variable: str) -> None:
        """Asks once. Raises UsageError where the server has no such number."""
        self._connection = connection
        self._variable = variable
        try:
            self.ask()
        except BaseException:
            self.close()
            raise

    def ask(self) -> float:
        """The value now. Raises UsageError, SourceError."""
        rows = self._connection.rows(
            f"SHOW GLOBAL STATUS WHERE Variable_name = {mysql_string(self._variable)}",
            f"asking for the status variable {self._variable}",
        )
        value = text(rows[0][1]) if rows else ""
        try:
            return float(value)
        except ValueError:
            raise UsageError(
                f"{self._variable} is no status variable of {self._connection.address} that holds "
                "a number; SHOW GLOBAL STATUS lists them"
            ) from None

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()
