"""One moment in time, seen by several connections.

MariaDB with a binary log: every `START TRANSACTION WITH CONSISTENT SNAPSHOT` says at which position
of the log it stands (https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/).
Equal positions are one moment, and nobody was locked. Elsewhere a read lock holds all writers for
the instant in which the transactions start. Without the right for it, one connection is one moment.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from rowvault.core.errors import SnapshotLostError
from rowvault.core.model import Moment
from rowvault.source.mysql import faults
from rowvault.source.mysql.connection import Connection, text
from rowvault.sqltext.quoting import mysql_string

_POSITION_TRIES = 40
_LOCK_TRIES = 5
_LOCK_WAIT_S = 3
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.1
_TASK = "taking the snapshot"
_GTID_TASK = "asking for the snapshot's GTID"
BINLOG_POSITION = "binlog position"
"""Method of a Moment whose GTID is still to be asked for."""

_START = "START TRANSACTION WITH CONSISTENT SNAPSHOT"

Position = tuple[str, int]


def take_moment(connections: Sequence[Connection], control: Connection) -> tuple[int, Moment]:
    """(how many of the connections see the moment, the moment); the first ones do.

    `control` stays outside of the transactions; it may hold a lock on definitions until it is
    closed. Raises SnapshotLostError, StatementError.
    """
    reason = "the server keeps no binary log that tells positions of snapshots"
    if _tells_positions(control):
        position = _align(connections)
        if position is not None:
            return len(connections), Moment(BINLOG_POSITION, "", *position)
        reason = "commits came too fast for the positions of all connections to agree"
    _lock_definitions(control)
    if len(connections) == 1:
        _start(connections)
        return 1, Moment(method="one connection", reason="only one connection was asked for")
    refused = _lock_writes(control)
    if refused is None:
        return len(connections), _under_lock(connections, control, reason)
    _start(connections[:1])
    return 1, Moment(method="one connection", reason=f"{reason}; {refused}")


def _start(connections: Sequence[Connection]) -> None:
    """Starts the transactions, all at once: sent to every server thread before any answer."""
    for connection in connections:
        connection.send(_START, _TASK)
    for connection in connections:
        connection.receive(_TASK)


def _tells_positions(connection: Connection) -> bool:
    return bool(_snapshot_position(connection)[0])


def _snapshot_position(connection: Connection) -> Position:
    rows = connection.rows("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", _TASK)
    values = {text(row[0]).lower(): text(row[1]) for row in rows}
    return values.get("binlog_snapshot_file", ""), int(values.get("binlog_snapshot_position") or 0)


def _order(position: Position) -> tuple[int, int]:
    # Files are numbered: bin.999999 comes before bin.1000000.
    return int(position[0].rpartition(".")[2] or 0), position[1]


def _align(connections: Sequence[Connection]) -> Position | None:
    """Starts all at one position; None when they do not agree after many tries."""
    behind = list(connections)
    positions: dict[int, Position] = {}
    pause_s = _FIRST_PAUSE_S
    for _ in range(_POSITION_TRIES):
        _start(behind)
        for connection in behind:
            positions[connection.connection_id] = _snapshot_position(connection)
        newest = max(positions.values(), key=_order)
        # Those that stand at the newest position keep it; only the others start again.
        behind = [one for one in connections if positions[one.connection_id] != newest]
        if not behind:
            return newest
        for connection in behind:
            connection.execute("ROLLBACK", _TASK)
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    for connection in connections:
        connection.execute("ROLLBACK", _TASK)
    return None


def ask_gtid(control: Connection, moment: Moment) -> None:
    """Asks which GTID the moment's position is; `take_gtid` must follow.

    The server reads its log from the start of the file for this, which may take as long as a table.
    """
    control.send(
        f"SELECT BINLOG_GTID_POS({mysql_string(moment.binlog_file)}, {moment.binlog_position})",
        _GTID_TASK,
    )


def take_gtid(control: Connection, moment: Moment) -> Moment:
    """The moment with its GTID. Raises StatementError."""
    rows = control.receive(_GTID_TASK).rows
    return msgspec.structs.replace(moment, gtid=text(rows[0][0]))


def _lock_definitions(control: Connection) -> None:
    """MySQL: nobody alters definitions until the control connection ends. Where it can be had."""
    try:
        control.execute(f"SET SESSION lock_wait_timeout = {_LOCK_WAIT_S}", _TASK)
        control.execute("LOCK INSTANCE FOR BACKUP", _TASK)
    except faults.LostError:
        raise
    except faults.StatementError:
        # Not known here (MariaDB), not allowed, or an ALTER is running: changed definitions are
        # then found when the snapshot is confirmed.
        pass


def _lock_writes(control: Connection) -> str | None:
    """Stops all commits; the reason in words when that cannot be had."""
    for attempt in range(_LOCK_TRIES):
        try:
            control.execute("FLUSH NO_WRITE_TO_BINLOG TABLES", _TASK)
            control.execute("FLUSH TABLES WITH READ LOCK", _TASK)
            return None
        except faults.StatementDeniedError as error:
            return f"a read lock is not allowed: {error}"
        except faults.LostError:
            raise
        except faults.StatementError as error:
            if error.code != faults.LOCK_TIMEOUT:
                return f"a read lock cannot be had: {error}"
            # Waiting in line would hold up every writer behind us: step back, then try again.
            time.sleep(_LONGEST_PAUSE_S * (attempt + 1))
    return f"a long statement kept the read lock away in {_LOCK_TRIES} tries"


def _under_lock(connections: Sequence[Connection], control: Connection, reason: str) -> Moment:
    try:
        _start(connections)
        file, offset = _log_position(control)
        gtid = _executed_gtid(control)
    finally:
        control.execute("UNLOCK TABLES", _TASK)
    return Moment(
        method="read lock",
        reason=reason,
        binlog_file=file,
        binlog_position=offset,
        gtid=gtid,
    )


def _log_position(control: Connection) -> Position:
    """The end of the binary log; ('', 0) without a log or without the right to ask."""
    for statement in ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"):
        try:
            rows = control.rows(statement, _TASK)
        except faults.LostError:
            raise
        except faults.StatementError:
            continue
        return (text(rows[0][0]), int(rows[0][1] or 0)) if rows else ("", 0)
    return "", 0


def _executed_gtid(control: Connection) -> str:
    for name in ("gtid_executed", "gtid_binlog_pos"):
        try:
            return text(control.rows(f"SELECT @@GLOBAL.{name}", _TASK)[0][0])
        except faults.LostError:
            raise
        except faults.StatementError:
            continue
    return ""


def check_same_server(marks: Sequence[object], place: str) -> None:
    """Raises SnapshotLostError when a proxy led the connections to different servers."""
    if any(mark != marks[0] for mark in marks):
        raise SnapshotLostError(
            f"The connections to {place} reach different servers: a proxy stands in between. "
            "Name one server."
        )
