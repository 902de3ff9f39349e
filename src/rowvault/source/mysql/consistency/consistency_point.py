"""One moment in time, seen by several connections.

There are several ways to it, tried from the one that holds nobody up to the one that every account
may go. Which one was gone, and why not a better one, is part of the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from rowvault.core.errors import ConnectError
from rowvault.core.model import ConsistencyPoint
from rowvault.source.mysql.consistency import transactions
from rowvault.source.mysql.consistency.features import SnapshotFeatures
from rowvault.source.mysql.consistency.locks import (
    BACKUP_STAGE,
    lock_writes,
    resume_commits,
    stop_commits,
)
from rowvault.source.mysql.consistency.position import (
    UNKNOWN,
    executed_gtid,
    gtid_of_transaction,
    log_end,
    of_transaction,
    owned_gtids,
)
from rowvault.source.mysql.consistency.table_locks import TableLocks
from rowvault.source.mysql.schema.table_ids import Name
from rowvault.source.mysql.schema.table_list import ListedTable
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import Locking

BINLOG_POSITION = "binlog position"
CLONED = "cloned transactions"
STAGE = BACKUP_STAGE
READ_LOCK = "read lock"
TABLE_LOCKS = "table locks"
EQUAL_POSITIONS = "equal positions"
ONE_CONNECTION = "one connection"

_POSITION_TRIES = 20
_WHILE_ALL_WAIT_S = 1.0


class SnapshotContext(msgspec.Struct, frozen=True):
    """What there is to take a moment with."""

    connections: Sequence[Connection]
    control: Connection
    """Outside of the transactions; it holds the lock on definitions, if there is one."""
    features: SnapshotFeatures
    locking: Locking
    definitions: str
    """The lock on all definitions that is held, or empty."""
    can_compare: bool
    """Table ids can be read: a change of definitions would be found."""
    tables: Sequence[ListedTable]
    frozen_tables: TableLocks
    """For the tables without transactions: held until they are read."""
    connect: Callable[[], Connection]


class ConsistentConnections(msgspec.Struct, frozen=True):
    """A moment, and the connections that see it."""

    connections: Sequence[Connection]
    moment: ConsistencyPoint
    lock_lost: str = ""
    """Why the lock on definitions could not be had again; empty: it is held, if it was."""


class SnapshotStrategies(msgspec.Struct):
    context: SnapshotContext
    reasons: list[str] = msgspec.field(default_factory=list)
    """Why each way that was tried is not the one."""

    def take(self) -> ConsistentConnections:
        locking = [self._with_commits_stopped, self._with_writes_locked, self._with_tables_locked]
        lock_free = [self._at_equal_positions]
        # One connection is one moment by itself: all that a lock adds is its position in the log.
        is_one = len(self.context.connections) == 1
        ways = [*lock_free, *locking[:2]] if is_one else [*locking, *lock_free]
        for way in (self._without_waiting, *ways, self._on_some_connections):
            taken = way()
            if taken is not None:
                return taken
        return self._on_one_connection()

    def _without_waiting(self) -> ConsistentConnections | None:
        """The transactions tell where they stand, or one is made from the other."""
        own = self.context
        if own.features.clones and len(own.connections) > 1:
            refusal = transactions.begin_as_twins(own.connections)
            if not refusal:
                return self._told(CLONED, own.connections)
            self.reasons.append(refusal)
        if not own.features.tells_positions:
            self.reasons.append(no_positions(own.features))
            return None
        if own.features.unlogged and len(own.connections) > 1:
            self.reasons.append(own.features.unlogged)
            return None
        group = transactions.begin_at_one_position(own.connections)
        if len(group) == len(own.connections):
            return self._told(BINLOG_POSITION, group)
        transactions.roll_back(group)
        self.reasons.append("commits came too fast for the positions of all connections to agree")
        return None

    def _with_commits_stopped(self) -> ConsistentConnections | None:
        own = self.context
        # Afterwards there is an instant in which a table may be swapped: only if that would show.
        if own.definitions != BACKUP_STAGE or not own.can_compare or self._needs_no_lock():
            return None
        refusal = stop_commits(own.control, own.locking)
        if refusal:
            self.reasons.append(refusal)
            return None
        transactions.begin(own.connections)
        taken = self._at_log_end(STAGE, own.control)
        return msgspec.structs.replace(taken, lock_lost=resume_commits(own.control, own.locking))

    def _with_writes_locked(self) -> ConsistentConnections | None:
        own = self.context
        if self._needs_no_lock():
            return None
        locker = self._connect_more()
        if locker is None:
            return None
        try:
            # The lock would wait for tables that are locked.
            held = own.frozen_tables.names
            own.frozen_tables.release()
            refusal = lock_writes(locker, own.locking)
            if refusal:
                self.reasons.append(refusal)
                self._lock_still(held, own.locking)
                return None
            # An open transaction may have written to one of them, and cannot end before we do.
            self._lock_still(
                held, msgspec.structs.replace(own.locking, longest_wait_s=_WHILE_ALL_WAIT_S)
            )
            transactions.begin(own.connections)
            taken = self._at_log_end(READ_LOCK, locker)
            # Fails when the lock was lost meanwhile.
            locker.execute("UNLOCK TABLES", transactions.TASK)
        finally:
            locker.close()
        return taken

    def _with_tables_locked(self) -> ConsistentConnections | None:
        own = self.context
        if not own.tables:
            return None
        with_transactions = [one for one in own.tables if one.has_transactions]
        locks = TableLocks(own.connect)
        try:
            refusal = locks.lock(with_transactions, own.locking)
            if refusal:
                self.reasons.append(refusal)
                return None
            transactions.begin(own.connections)
            # What goes on meanwhile touches other tables: from here on nothing of these is missing.
            taken = self._at_log_end(TABLE_LOCKS, own.control)
            locks.check_held()
        finally:
            locks.close()
        return taken

    def _at_equal_positions(self) -> ConsistentConnections | None:
        """MySQL, without any lock: no commit was under way, and none came until all had begun.

        From before a commit is logged until after it shows, its id is owned; then it is executed,
        in the same instant. Asked in this order, no commit slips through in between.
        """
        own = self.context
        if not own.features.owns_gtids or own.features.unlogged:
            return None
        for _ in range(_POSITION_TRIES):
            position, gtid = log_end(own.control).position, executed_gtid(own.control)
            if owned_gtids(own.control):
                continue
            transactions.begin(own.connections)
            is_still = not owned_gtids(own.control) and executed_gtid(own.control) == gtid
            if is_still and log_end(own.control).position == position:
                method = EQUAL_POSITIONS if len(own.connections) > 1 else ONE_CONNECTION
                return self._taken(method, own.connections, position, gtid)
            transactions.roll_back(own.connections)
        self.reasons.append("commits came too fast for the log's position to stand still")
        return None

    def _on_some_connections(self) -> ConsistentConnections | None:
        """As many as agree on a position."""
        own = self.context
        if not own.features.tells_positions or own.features.unlogged:
            return None
        group = transactions.begin_at_one_position(own.connections)
        return self._told(BINLOG_POSITION if len(group) > 1 else ONE_CONNECTION, group)

    def _on_one_connection(self) -> ConsistentConnections:
        first = self.context.connections[:1]
        transactions.begin(first)
        return self._taken(ONE_CONNECTION, first, UNKNOWN, "")

    def _needs_no_lock(self) -> bool:
        """One connection is one moment; a lock would only tell where in the log it lies."""
        own = self.context
        return len(own.connections) == 1 and not own.features.keeps_log

    def _lock_still(self, names: frozenset[Name], locking: Locking) -> None:
        own = self.context
        refusal = own.frozen_tables.lock([one for one in own.tables if one.name in names], locking)
        if refusal:
            self.reasons.append(refusal)

    def _connect_more(self) -> Connection | None:
        try:
            return self.context.connect()
        except ConnectError as error:
            self.reasons.append(f"no connection is left for a lock: {error}")
            return None

    def _told(self, method: str, connections: Sequence[Connection]) -> ConsistentConnections:
        """The transactions themselves tell where they stand."""
        first = connections[0]
        return self._taken(method, connections, of_transaction(first), gtid_of_transaction(first))

    def _at_log_end(self, method: str, asked: Connection) -> ConsistentConnections:
        """Nothing moves: the end of the log is where the transactions stand."""
        position, gtid = log_end(asked).position, executed_gtid(asked)
        return self._taken(method, self.context.connections, position, gtid)

    def _taken(
        self,
        method: str,
        connections: Sequence[Connection],
        position: tuple[str, int],
        gtid: str,
    ) -> ConsistentConnections:
        file, offset = position
        if self.context.features.keeps_log and not file:
            self.reasons.append("its position in the binary log is not known")
        if method == BINLOG_POSITION and len(connections) == len(self.context.connections):
            # The best that any server has.
            self.reasons.clear()
        return ConsistentConnections(
            connections, ConsistencyPoint(method, _joined(self.reasons), file, offset, gtid)
        )


def take_consistency_point(context: SnapshotContext) -> ConsistentConnections:
    """Raises SnapshotLostError, StatementError and its kinds."""
    return SnapshotStrategies(context).take()


def no_positions(features: SnapshotFeatures) -> str:
    """Why transactions do not tell where they stand."""
    if not features.keeps_log:
        return "the server keeps no binary log"
    return "the server does not tell the positions of transactions"


def _joined(reasons: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))
