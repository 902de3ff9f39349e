"""One moment of an SQLite file, seen by several connections."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rowvault.core.errors import SnapshotLostError, UsageError
from rowvault.core.model import ConsistencyPoint, ServerInfo
from rowvault.core.omission import texts_of
from rowvault.core.source_name import default_name
from rowvault.source.examination import Examination
from rowvault.source.protocol import (
    EVERYTHING,
    Catalogue,
    Division,
    KnownDivision,
    RowRange,
    Selection,
    SourceTable,
)
from rowvault.source.sqlite.catalogue import read_catalogue
from rowvault.source.sqlite.connection import (
    BUSY_TIMEOUT_S,
    SharedConnection,
    connect_errors,
    file_url,
    number,
    open_connection,
    quoted,
    source_errors,
)
from rowvault.source.sqlite.reader import SqliteReader
from rowvault.source.sqlite.settings import read_settings
from rowvault.source.sqlite.shape import read_shape

MAXIMUM_RANGES = 4096
_ATTEMPTS = 5
_JOINING_TIMEOUT_S = 0.2


class SqliteSource:
    """An SQLite file that can be backed up; reading never changes it."""

    def __init__(self, path: Path, timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """`timeout_s`: how long another program's lock is waited for."""
        self._path = path
        self._timeout_s = timeout_s

    def open_snapshot(
        self, connection_count: int, selection: Selection = EVERYTHING
    ) -> SqliteSnapshot:
        """One consistent state over up to `connection_count` connections.

        Raises ConnectError: no file, not SQLite, encrypted, locked, no right to read.
        """
        with connect_errors(self._path), ExitStack() as opened:
            connections: list[SharedConnection] = []
            # One more than asked for: it reads the catalogue and plans while the others read.
            for ordinal in range(max(1, connection_count) + 1):
                timeout_s = min(self._timeout_s, _JOINING_TIMEOUT_S) if ordinal else self._timeout_s
                connection = open_connection(self._path, "ro", timeout_s)
                opened.callback(connection.close)
                connections.append(connection)
            reason = _begin_together(connections)
            snapshot = SqliteSnapshot(self._path, connections, reason)
            opened.pop_all()
            return snapshot

    def identify(self) -> ServerInfo:
        """Which file it is. Raises ConnectError."""
        with connect_errors(self._path):
            return server_info(self._path, ())

    def examine(self, selection: Selection) -> Examination:
        """What a backup would be like. Raises ConnectError, UnknownObjectError."""
        with self.open_snapshot(1, selection) as snapshot:
            catalogue = snapshot.catalogue(selection)
            return Examination(
                snapshot.server, snapshot.moment, omissions=tuple(texts_of(catalogue.omissions))
            )


class SqliteSnapshot:
    """Read transactions that all began at the same state of the file."""

    def __init__(
        self,
        path: Path,
        connections: Sequence[SharedConnection],
        reason: str,
    ) -> None:
        """Closes the connections in the end; `reason`: why only the first counts, or empty."""
        self._path = path
        self._opened = connections
        self._planner = connections[0]
        self._connections = connections[:1] if reason else connections[1:]
        self._schema_version = number(self._planner, "PRAGMA schema_version")
        self.server = server_info(path, read_settings(self._planner))
        self.moment = ConsistencyPoint(method="transaction", reason=reason)

    def catalogue(self, selection: Selection) -> Catalogue:
        """Everything selected. Raises UnknownObjectError, SourceError."""
        with source_errors(self._path):
            return read_catalogue(self._planner, selection)

    def divide(self, table: SourceTable, target_bytes: int) -> Division:
        """Evenly spaced ranges over an INTEGER PRIMARY KEY, each of about `target_bytes`.

        One open range for every other table.
        """
        return KnownDivision(self._ranges(table, target_bytes))

    def _ranges(self, table: SourceTable, target_bytes: int) -> list[RowRange]:
        name = table.definition.name
        with source_errors(self._path, table.definition.label), self._planner.in_use:
            alias = read_shape(self._planner, name).rowid_alias
            if not alias or table.estimated_bytes <= target_bytes:
                return [RowRange()]
            low = number(self._planner, f"SELECT min({quoted(alias)}) FROM {quoted(name)}")
            high = number(self._planner, f"SELECT max({quoted(alias)}) FROM {quoted(name)}")
        count = min(table.estimated_bytes // max(1, target_bytes) + 1, MAXIMUM_RANGES, high - low)
        edges = [(str(low + (high - low) * step // count),) for step in range(1, count)]
        return [
            RowRange(start, stop)
            for start, stop in zip([None, *edges], [*edges, None], strict=True)
        ]

    def readers(self) -> Sequence[SqliteReader]:
        """One per connection."""
        return [SqliteReader(connection, self._path) for connection in self._connections]

    def load(self, variable: str) -> Callable[[], float]:
        """Raises UsageError: there is no server."""
        raise UsageError(f"SQLite has no status variable {variable} to pause for")

    def inspect_values(self) -> None:
        """Nothing to look for: every value is kept as its storage class and bytes."""

    def confirm(self, catalogue: Catalogue) -> None:
        """Raises SnapshotLostError when a transaction has ended or sees another schema."""
        for connection in {self._planner, *self._connections}:
            with source_errors(self._path):
                is_held = connection.in_transaction
                version = number(connection, "PRAGMA schema_version")
            if not is_held or version != self._schema_version:
                raise SnapshotLostError(
                    f"{self._path}: a read transaction ended before all was read; start again"
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._opened:
            connection.close()


def server_info(path: Path, settings: tuple[tuple[str, str], ...]) -> ServerInfo:
    """A file as a server: it stays the same as long as its path does."""
    url = file_url(path)
    return ServerInfo(
        vendor="sqlite",
        version=sqlite3.sqlite_version,
        server_id=url,
        url=url,
        settings=settings,
        name=default_name(url),
    )


def _begin_together(connections: Sequence[sqlite3.Connection]) -> str:
    """Begins a read transaction on each; empty, or why only the first one has one.

    A transaction of the rollback journal locks out commits, so all that begin while it lasts see
    the same. Under WAL writers go on; `PRAGMA data_version` of a connection outside a transaction
    changes with every commit of another one, so when it stood still from before the first
    beginning to behind the last, all see the same.

    Raises sqlite3.Error where not even one can begin.
    """
    first, *others = connections
    _begin(first)
    if not others:
        return ""
    for _ in range(_ATTEMPTS):
        first.execute("ROLLBACK")
        try:
            if _began_without_commit(first, others):
                return ""
        except sqlite3.OperationalError:
            # A writer waits to commit and lets no new reader in: give way, and try again.
            pass
        for connection in connections:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        _begin(first)
    return "other programs commit too often for several transactions to begin at one state"


def _began_without_commit(
    watcher: sqlite3.Connection, others: Sequence[sqlite3.Connection]
) -> bool:
    before = number(watcher, "PRAGMA data_version")
    for connection in others:
        _begin(connection)
    after = number(watcher, "PRAGMA data_version")
    # The watcher joins last, still without a commit in between.
    _begin(watcher)
    return before == after == number(watcher, "PRAGMA data_version")


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    try:
        # BEGIN alone takes no lock: the first read fixes the state.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
