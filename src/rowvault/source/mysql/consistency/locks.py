"""Locks over the whole server: on its definitions, and on all that writes.

What waits for such a lock holds up everybody who comes behind it. So no request waits for longer
than a few seconds; then it steps back, and tries again until its time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.session import LOCK_WAIT_S
from rowvault.source.protocol import Locking

BACKUP_STAGE = "backup stage"
INSTANCE_LOCK = "instance lock"

_TASK = "locking for the snapshot"
_TRY_S = 3.0
_PAUSE_S = 0.1
_LONG_STATEMENT_S = 2
_UNKNOWN_HERE = frozenset({faults.SYNTAX_ERROR, faults.UNKNOWN_STATEMENT})


def lock_definitions(control: Connection, locking: Locking) -> tuple[str, str]:
    """(the lock that is held now until the connection ends or '', why none or '').

    MariaDB: BACKUP STAGE BLOCK_DDL, under which InnoDB goes on committing
    (https://mariadb.com/kb/en/backup-stage/). MySQL: LOCK INSTANCE FOR BACKUP.
    """
    if not locking.allowed:
        return "", "locks were not wanted"
    refusals = []
    ways = (
        (BACKUP_STAGE, "BACKUP STAGE", _begin_stage),
        (INSTANCE_LOCK, "LOCK INSTANCE FOR BACKUP", _lock_instance),
    )
    for name, statement, lock in ways:
        refusal = request(control, statement, lock, locking)
        if not refusal:
            return name, ""
        refusals.append(refusal)
    known = [one for one in refusals if one != _NOT_HERE]
    return "", "; ".join(known) or "the server has no lock on definitions"


def try_lock_on_definitions(control: Connection) -> tuple[str, str]:
    """As `lock_definitions`, but given back at once. Waits for a second at most."""
    lock, reason = lock_definitions(control, Locking(longest_wait_s=1))
    if lock:
        end = {BACKUP_STAGE: "BACKUP STAGE END", INSTANCE_LOCK: "UNLOCK INSTANCE"}[lock]
        control.execute(end, _TASK)
    return lock, reason


def _begin_stage(control: Connection) -> None:
    control.execute("BACKUP STAGE START", _TASK)
    try:
        control.execute("BACKUP STAGE BLOCK_DDL", _TASK)
    except faults.StatementError as error:
        if not isinstance(error, faults.LostError):
            control.execute("BACKUP STAGE END", _TASK)
        raise


def _lock_instance(control: Connection) -> None:
    control.execute("LOCK INSTANCE FOR BACKUP", _TASK)


def stop_commits(control: Connection, locking: Locking) -> str:
    """MariaDB, in a backup stage: nobody commits until `resume_commits`; why not, or empty.

    Unlike a read lock this waits for no statement that runs, only for commits.
    """

    def stop(connection: Connection) -> None:
        connection.execute("BACKUP STAGE BLOCK_COMMIT", _TASK)

    return request(control, "BACKUP STAGE", stop, locking)


def resume_commits(control: Connection, locking: Locking) -> str:
    """Back to where only definitions stand still; why they do not, or empty.

    No stage leads back: for an instant definitions may change. Table ids tell whether they did.
    """
    control.execute("BACKUP STAGE END", _TASK)
    return request(control, "BACKUP STAGE", _begin_stage, locking)


def lock_writes(connection: Connection, locking: Locking) -> str:
    """FLUSH TABLES WITH READ LOCK, until the connection ends; why not, or empty.

    It would wait for every statement that runs, so it gives way to those that run for long.
    """
    if not locking.allowed:
        return "locks were not wanted"
    deadline = time.monotonic() + locking.longest_wait_s
    long_one = _await_short_statements(connection, deadline)
    if long_one:
        return f"a read lock would have to wait: {long_one}"

    def lock(own: Connection) -> None:
        own.execute("FLUSH NO_WRITE_TO_BINLOG TABLES", _TASK)
        own.execute("FLUSH TABLES WITH READ LOCK", _TASK)

    left_s = max(0.0, deadline - time.monotonic())
    return request(connection, "a read lock", lock, Locking(longest_wait_s=left_s))


def request(
    connection: Connection, what: str, lock: Callable[[Connection], None], locking: Locking
) -> str:
    """Tries until the lock is had or its time is over; why it is not had, or empty."""
    deadline = time.monotonic() + locking.longest_wait_s
    try:
        while True:
            left_s = deadline - time.monotonic()
            _set_wait(connection, max(1, round(min(_TRY_S, left_s))))
            try:
                lock(connection)
                return ""
            except faults.StatementError as error:
                if error.code != faults.LOCK_TIMEOUT or isinstance(error, faults.LostError):
                    return _refusal(what, error)
            if time.monotonic() + _PAUSE_S >= deadline:
                return f"others kept {what} away for {locking.longest_wait_s:.0f} s"
            time.sleep(_PAUSE_S)
    finally:
        if connection.is_usable:
            _set_wait(connection, LOCK_WAIT_S)


_NOT_HERE = "the server does not know this lock"


def _refusal(what: str, error: faults.StatementError) -> str:
    if isinstance(error, faults.LostError):
        raise error
    if error.code in _UNKNOWN_HERE:
        return _NOT_HERE
    if isinstance(error, faults.StatementDeniedError):
        return f"{what} is not allowed: {error}"
    return f"{what} cannot be had: {error}"


def wait_beyond(connection: Connection, locking: Locking) -> None:
    """Lets a reading connection wait for a table longer than a holder holds others back.

    Whoever wants to alter the table waits for the holder, and the reader behind that one; it must
    not give up before the holder does.
    """
    _set_wait(connection, round(LOCK_WAIT_S + locking.longest_wait_s))


def _set_wait(connection: Connection, seconds: int) -> None:
    connection.execute(f"SET SESSION lock_wait_timeout = {seconds}", _TASK)


def _await_short_statements(connection: Connection, deadline: float) -> str:
    """The statement that still runs when the time is over, in words; nobody is killed."""
    while True:
        found = long_statement(connection)
        if not found or time.monotonic() + _PAUSE_S >= deadline:
            return found
        time.sleep(_PAUSE_S)


def long_statement(connection: Connection) -> str:
    """The statement that runs longest of those that run for long, in words; empty: none.

    Without the right PROCESS the server shows those of this account only.
    """
    own = connection.connection_id
    running = []
    for row in connection.rows("SHOW PROCESSLIST", _TASK):
        number, command, seconds, state = row[0], text(row[4]), int(row[5] or 0), text(row[6])
        if int(number or 0) == own or command not in ("Query", "Execute"):
            continue
        # Who waits for a lock holds no table open in a way that the read lock waits for.
        if seconds >= _LONG_STATEMENT_S and not state.startswith("Waiting for"):
            running.append((seconds, f"connection {text(number)} runs a statement of {seconds} s"))
    return max(running, default=(0, ""))[1]
