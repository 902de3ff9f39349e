"""A MySQL or MariaDB server to be read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from rowvault.core.model import ConsistencyPoint, ServerInfo
from rowvault.core.monitor import Monitor
from rowvault.source.examination import Examination
from rowvault.source.mysql.consistency.consistency_point import (
    SnapshotContext,
    take_consistency_point,
)
from rowvault.source.mysql.consistency.ddl_guard import DdlGuard, begin_guard
from rowvault.source.mysql.consistency.features import read_features
from rowvault.source.mysql.consistency.held_locks import HeldLocks
from rowvault.source.mysql.consistency.locks import wait_beyond
from rowvault.source.mysql.consistency.table_locks import TableLocks, without_transactions
from rowvault.source.mysql.schema import table_ids
from rowvault.source.mysql.schema.table_list import ListedTable, list_selected
from rowvault.source.mysql.snapshot import MysqlSnapshot
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.connector import Connector
from rowvault.source.mysql.wire.login import Login
from rowvault.source.mysql.wire.server import read_server
from rowvault.source.protocol import EVERYTHING, Locking, Selection


class MysqlSource:
    """A server that can be backed up."""

    def __init__(self, login: Login, monitor: Monitor, locking: Locking) -> None:
        self._login = login
        self._monitor = monitor
        self._locking = locking

    def open_snapshot(
        self, connection_count: int, selection: Selection = EVERYTHING
    ) -> MysqlSnapshot:
        """One consistent state over up to `connection_count` connections.

        `selection` says which tables may be locked for it. Raises ConnectError, also when the
        connections reach different servers; AccessDeniedError, SnapshotLostError.
        """
        with ExitStack() as stack:
            connector = Connector(self._login)
            control = _opened(stack, connector)
            connections = [_opened(stack, connector) for _ in range(max(1, connection_count))]
            for connection in connections:
                wait_beyond(connection, self._locking)
            tables = list_selected(control, selection)
            guard = begin_guard(control, connector.connect, tables, self._locking)
            stack.callback(guard.close)
            frozen_tables = TableLocks(connector.connect)
            stack.callback(frozen_tables.close)
            moment, seeing, ids = self._take(
                control, connections, connector, tables, guard, frozen_tables
            )
            for unused in connections:
                if unused not in seeing:
                    unused.close()
            server = read_server(control, self._login.options)
            held = HeldLocks(control, guard, frozen_tables, ids, connector.connect)
            snapshot = MysqlSnapshot(server, moment, seeing, held, self._monitor)
            # From here on the snapshot closes them.
            stack.pop_all()
        return snapshot

    def identify(self) -> ServerInfo:
        """Which server it is. Raises ConnectError."""
        with ExitStack() as stack:
            return read_server(_opened(stack, Connector(self._login)), self._login.options)

    def examine(self, selection: Selection) -> Examination:
        """What a backup would be like; changes nothing and holds no lock.

        Raises ConnectError, UnknownObjectError, ConnectionLostError.
        """
        # Start-up time: no backup needs it.
        from rowvault.source.mysql.diagnosis import Diagnosis

        with ExitStack() as stack:
            control = _opened(stack, Connector(self._login))
            return Diagnosis(control, self._login.options, selection).examine()

    def _take(
        self,
        control: Connection,
        connections: Sequence[Connection],
        connector: Connector,
        tables: Sequence[ListedTable],
        guard: DdlGuard,
        frozen_tables: TableLocks,
    ) -> tuple[ConsistencyPoint, Sequence[Connection], table_ids.TableIds]:
        moving = without_transactions(tables)
        # What cannot be locked is watched, and named where it may have changed.
        frozen_tables.lock(moving, self._locking)
        ids = table_ids.read_table_ids(control, {one.name for one in moving} - frozen_tables.names)
        context = SnapshotContext(
            connections=connections,
            control=control,
            features=read_features(control),
            locking=self._locking,
            definitions=guard.lock,
            can_compare=ids.ids is not None,
            tables=tables,
            frozen_tables=frozen_tables,
            connect=connector.connect,
        )
        taken = take_consistency_point(context)
        if taken.lock_lost:
            guard.lose(taken.lock_lost)
        return taken.moment, taken.connections, ids


def _opened(stack: ExitStack, connector: Connector) -> Connection:
    connection = connector.connect()
    stack.callback(connection.close)
    return connection
