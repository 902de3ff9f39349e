"""Opens the connections of one backup, all to one server."""

from __future__ import annotations

from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.instance import InstanceMark, check_same_server, instance_mark
from rowvault.source.mysql.wire.login import Login
from rowvault.source.mysql.wire.session import READING, session_variables, set_up


class Connector:
    """Remembers the server that the first connection reached."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._first: InstanceMark | None = None
        self._variables: frozenset[str] | None = None

    def connect(self) -> Connection:
        """One more, set up for reading. Raises ConnectError, also for another server."""
        connection = self._login.connect()
        try:
            self._variables = self._variables or session_variables(connection)
            set_up(connection, READING, self._variables)
            mark = instance_mark(connection)
            self._first = self._first or mark
            check_same_server(self._first, mark, self._login.options.address)
        except BaseException:
            connection.close()
            raise
        return connection
