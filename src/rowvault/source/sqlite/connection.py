"""Connections to SQLite files, and what their errors mean to a person."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from rowvault.core.errors import ConnectError, RestoreError, SourceError

DATABASE = "main"
"""The name under which a file's only database stands in a snapshot."""

BUSY_TIMEOUT_S = 10.0
"""How long a lock of another program is waited for."""

SqliteValue = int | float | bytes | None
"""A value as read: text is `Text`, a blob is exactly `bytes`."""

SqliteRow = tuple[SqliteValue, ...]


class Text(bytes):
    """The raw bytes of a value of storage class TEXT; plain bytes are a BLOB."""

    __slots__ = ()


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'


def file_url(path: Path) -> str:
    """`sqlite:///` and the absolute path, percent-encoded."""
    return "sqlite:///" + quote(str(path.resolve()))


class SharedConnection(sqlite3.Connection):
    """A connection that one thread may close while another one uses it.

    A statement that runs while its connection is closed uses memory that is free already. So
    whoever may be overtaken by `close` makes its calls inside `in_use`, and gets sqlite3.Error.
    """

    in_use: threading.RLock

    def close(self) -> None:
        """Interrupts the statement that runs, and waits until the call has ended."""
        self.interrupt()
        with self.in_use:
            super().close()


def open_connection(path: Path, mode: str, timeout_s: float = BUSY_TIMEOUT_S) -> SharedConnection:
    """A connection in autocommit mode whose text is read as `Text`.

    `mode` is SQLite's own: `ro` never writes to the file nor makes it, `rwc` makes it. A file in
    WAL mode needs its `-shm` beside it: SQLite makes `-wal` and `-shm` where they are missing,
    also under `ro`, because that is how readers and writers agree on what is committed.

    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        factory=SharedConnection,
    )
    connection.in_use = threading.RLock()
    connection.text_factory = Text
    return connection


def number(connection: sqlite3.Connection, statement: str, *parameters: object) -> int:
    """The one integer that a statement gives; 0 for NULL or no row."""
    row = connection.execute(statement, parameters).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def word(connection: sqlite3.Connection, statement: str) -> str:
    """The one text that a statement gives."""
    value: Text = connection.execute(statement).fetchone()[0]
    return value.decode()


@contextmanager
def source_errors(path: Path, table: str = "") -> Iterator[None]:
    """Turns what sqlite3 raises into SourceError; `table`: its name, for the message."""
    try:
        yield
    except sqlite3.Error as error:
        subject = f"{path}: {table}" if table else str(path)
        raise SourceError(f"{subject}: {_explained(error)}") from error


@contextmanager
def connect_errors(path: Path) -> Iterator[None]:
    """Turns what sqlite3 raises while a file is opened into ConnectError."""
    if not path.exists():
        raise ConnectError(f"{path}: there is no such file; check the path behind sqlite:///")
    if not path.is_file():
        raise ConnectError(f"{path}: not a file; name the SQLite database file itself")
    try:
        yield
    except sqlite3.Error as error:
        raise ConnectError(f"{path}: {_explained(error)}") from error


@contextmanager
def restore_errors(path: Path, table: str = "") -> Iterator[None]:
    """Turns what sqlite3 raises on the writing side into RestoreError."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        subject = f"{path}: {table}" if table else str(path)
        raise RestoreError(f"{subject}: {_explained(error)}") from error


_EXPLANATIONS = {
    sqlite3.SQLITE_NOTADB: (
        "not an SQLite database, or an encrypted one; give the path of an SQLite file"
    ),
    sqlite3.SQLITE_BUSY: (
        "another program keeps it locked; try again when its transaction has ended"
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged ({error}); see what `PRAGMA integrity_check` says, and recover it"
        " with `.recover` of the sqlite3 shell"
    ),
    sqlite3.SQLITE_PERM: "the rights on the file do not allow it ({error})",
    sqlite3.SQLITE_FULL: "the disk is full; make room and start again",
    sqlite3.SQLITE_IOERR: "the disk failed ({error})",
    sqlite3.SQLITE_READONLY: (
        "it was left in mid-write and SQLite has to repair it first ({error}); open it once with"
        " its own program or with the sqlite3 shell"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened ({error}); check the rights on the file, and for a file in WAL mode"
        " that its directory is writable, because SQLite keeps the -shm file there"
    ),
}


def _explained(error: BaseException) -> str:
    """SQLite's words, with what to do where that is known."""
    # The low byte is the primary code, the rest says where it came from.
    code = getattr(error, "sqlite_errorcode", None)
    explanation = _EXPLANATIONS.get(code & 0xFF) if code is not None else None
    return explanation.format(error=error) if explanation else str(error)
