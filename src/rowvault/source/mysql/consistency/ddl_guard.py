"""How the definitions of tables stay what they are while their rows are read.

A table that is swapped for another by RENAME between the start of a snapshot and its first read
gives other rows without any error. So definitions are locked where the account may, and compared
where it may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rowvault.source.mysql.consistency.locks import lock_definitions
from rowvault.source.mysql.consistency.mdl_holder import MdlHolder, open_mdl_holder
from rowvault.source.mysql.schema.table_list import ListedTable
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import Locking

METADATA_LOCKS = "metadata locks"
COMPARED = "compared"
UNGUARDED = "unguarded"


class DdlGuard:
    """One of: a lock on all definitions, held by the control connection; a holder; nothing."""

    def __init__(
        self, control: Connection, lock: str, reason: str, holder: MdlHolder | None
    ) -> None:
        self._control = control
        self._holder = holder
        self.lock = lock
        """The lock on all definitions that is held, or empty."""
        self.reason = reason
        """Why not a better way; empty with a lock on all definitions."""

    def kind(self, can_compare: bool) -> str:
        """In one word, as it is until now; `can_compare`: table ids can be read."""
        if self.lock:
            return self.lock
        if self._holder is not None and not self._holder.gave_way:
            return METADATA_LOCKS
        return COMPARED if can_compare else UNGUARDED

    @property
    def holds(self) -> bool:
        """Nobody could alter or rename a table until now."""
        return bool(self.lock) or (self._holder is not None and not self._holder.gave_way)

    def lose(self, reason: str) -> None:
        """The lock on all definitions is gone."""
        self.lock = ""
        self.reason = reason

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection to read the catalogue with.

        While a holder keeps, that is its own: any other one would wait behind those who wait for
        the holder. The holder does not give way meanwhile.
        """
        if self._holder is None:
            yield self._control
            return
        with self._holder.still_kept() as kept:
            yield self._control if kept is None else kept

    def close(self) -> None:
        """Ends the holder; the control connection ends elsewhere."""
        if self._holder is not None:
            self._holder.close()


def begin_guard(
    control: Connection,
    connect: Callable[[], Connection],
    tables: Sequence[ListedTable],
    locking: Locking,
) -> DdlGuard:
    """The best guard that is to be had. Raises ConnectError, LostError."""
    lock, reason = lock_definitions(control, locking)
    if lock or not locking.allowed or not tables:
        return DdlGuard(control, lock, reason, None)
    holder, refusal = open_mdl_holder(connect, tables, locking.longest_wait_s)
    if refusal:
        return DdlGuard(control, "", f"{reason}; {refusal}", None)
    return DdlGuard(control, "", reason, holder)
