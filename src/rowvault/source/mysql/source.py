"""A MySQL or MariaDB server to be read."""

from __future__ import annotations

from contextlib import ExitStack

from rowvault.core.monitor import Monitor
from rowvault.source.mysql import identity
from rowvault.source.mysql.connection import Connection
from rowvault.source.mysql.login import Login
from rowvault.source.mysql.moment import check_same_server, take_moment
from rowvault.source.mysql.server import instance_mark, read_server
from rowvault.source.mysql.session import READING, set_up
from rowvault.source.mysql.snapshot import MysqlSnapshot


class MysqlSource:
    """A server that can be backed up."""

    def __init__(self, login: Login, monitor: Monitor) -> None:
        self._login = login
        self._monitor = monitor

    def open_snapshot(self, connection_count: int) -> MysqlSnapshot:
        """One consistent state over up to `connection_count` connections.

        Raises ConnectError, AccessDeniedError, SnapshotLostError.
        """
        with ExitStack() as stack:
            control = self._connect(stack)
            server = read_server(control, self._login.options)
            signs = identity.read_signs(control)
            connections = [self._connect(stack) for _ in range(max(1, connection_count))]
            marks = [instance_mark(one) for one in (control, *connections)]
            check_same_server(marks, self._login.options.place)
            count, moment = take_moment(connections, control)
            for unused in connections[count:]:
                unused.close()
            snapshot = MysqlSnapshot(
                server, moment, connections[:count], control, signs, self._monitor
            )
            # From here on the snapshot closes them.
            stack.pop_all()
        return snapshot

    def _connect(self, stack: ExitStack) -> Connection:
        connection = self._login.connect()
        stack.callback(connection.close)
        set_up(connection, READING)
        return connection
