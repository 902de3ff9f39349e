"""Keeps the definitions of single tables as they are, where no lock on all of them is allowed.

A transaction that has touched a table keeps others from altering, dropping or renaming it until it
ends (https://dev.mysql.com/doc/refman/9.7/en/metadata-locking.html). Whoever wants to waits, and
behind that one every statement on the table, this backup's reads among them. So a holder gives way
after some seconds, whatever the backup still has to read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rowvault.source.mysql.schema.table_list import ListedTable
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.session import LOCK_WAIT_S

_TASK = "keeping the definitions of tables"
_AT_ONCE = 30
"""Tables in one statement: a join has room for 61."""
_WAIT_S = 2
"""For a table that is being altered right now."""


class MdlHolder:
    """Holds the definitions over a connection of its own, for at most `longest_s` seconds."""

    def __init__(self, connection: Connection, longest_s: float) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self.gave_way = False
        """Its time was over, or it was closed."""
        # A timer: at that time all other threads may be waiting behind somebody who waits for us.
        self._timer = threading.Timer(longest_s, self._give_way)
        self._timer.daemon = True

    def keep(self, tables: Sequence[ListedTable]) -> str:
        """Touches all tables; why that fails, or empty. The time runs from here."""
        try:
            _wait_at_most(self._connection, _WAIT_S)
            # It keeps locks but no old state: what it reads of the catalogue is as it is by then.
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", _TASK)
            self._connection.execute("START TRANSACTION", _TASK)
            for first in range(0, len(tables), _AT_ONCE):
                _touch(self._connection, tables[first : first + _AT_ONCE])
            _wait_at_most(self._connection, LOCK_WAIT_S)
        except faults.LostError:
            raise
        except faults.StatementError as error:
            return str(error)
        self._timer.start()
        return ""

    @contextmanager
    def still_kept(self) -> Iterator[Connection | None]:
        """The connection that holds the definitions, which it goes on to do; None: it gave way."""
        with self._guard:
            yield None if self.gave_way else self._connection

    def close(self) -> None:
        """Lets go."""
        self._timer.cancel()
        with self._guard:
            self.gave_way = True
            self._connection.close()

    def _give_way(self) -> None:
        with self._guard:
            self.gave_way = True
            self._connection.close()


def open_mdl_holder(
    connect: Callable[[], Connection], tables: Sequence[ListedTable], longest_s: float
) -> tuple[MdlHolder | None, str]:
    """(a holder of these tables or None, why none or ''). Raises ConnectError, LostError."""
    holder = MdlHolder(connect(), longest_s)
    try:
        refusal = holder.keep(tables)
    except BaseException:
        holder.close()
        raise
    if refusal:
        holder.close()
        return None, f"tables cannot be kept from being altered: {refusal}"
    return holder, ""


def _touch(connection: Connection, tables: Sequence[ListedTable]) -> None:
    names = ", ".join(f"{table.quoted} AS `t{at}`" for at, table in enumerate(tables))
    try:
        connection.execute(f"SELECT 1 FROM {names} LIMIT 0", _TASK)
    except (faults.StatementDeniedError, faults.UnknownNameError):
        # Dropped just now, or not for this account: reading the catalogue tells.
        if len(tables) > 1:
            for table in tables:
                _touch(connection, [table])


def _wait_at_most(connection: Connection, seconds: int) -> None:
    connection.execute(f"SET SESSION lock_wait_timeout = {seconds}", _TASK)
