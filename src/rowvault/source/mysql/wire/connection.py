"""One connection: PyMySQL makes it and runs every statement; values stay raw bytes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from typing import Any, NamedTuple

import pymysql
from pymysql.constants import CLIENT, COMMAND, SERVER_STATUS

from rowvault.codec.rows import RowBatch
from rowvault.core.errors import ConnectionLostError, ProtocolError
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.options import READ_TIMEOUT_S, ConnectOptions
from rowvault.source.mysql.wire.stream import ResultStream

Row = tuple[bytes | None, ...]


class Reply(NamedTuple):
    """What a statement gave."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    affected_rows: int
    warning_count: int
    nullable: tuple[bool, ...]
    """Of each column."""


def text(value: bytes | None) -> str:
    """The text of a value of the catalogue; bytes that are not UTF-8 survive a way back."""
    return "" if value is None else value.decode("utf-8", "surrogateescape")


class Connection:
    """A session on the server. It never reconnects: lost is lost."""

    def __init__(
        self,
        options: ConnectOptions,
        read_timeout_s: int | None = READ_TIMEOUT_S,
        *,
        may_send_rows: bool = False,
    ) -> None:
        """Connects. Raises ConnectError, and LoginError for a wrong user or password.

        With `may_send_rows` the server may answer a statement by asking for a file: it gets what
        `send_rows` was given, and never a file.
        """
        self.address = options.address
        self.may_send_rows = may_send_rows
        self._unusable = ""
        self._is_streaming = False
        self.streamed_warnings = 0
        """How often the server warned about the rows that `stream` gave last, once it has ended."""
        self._raw = _open(options, read_timeout_s, CLIENT.LOCAL_FILES if may_send_rows else 0)

    @property
    def connection_id(self) -> int:
        """The server's number for this connection, from its greeting."""
        return int(self._raw.thread_id())

    @property
    def is_usable(self) -> bool:
        """Whether a statement can be sent."""
        return not (self._unusable or self._is_streaming) and self._raw._sock is not None

    @property
    def in_transaction(self) -> bool:
        """Whether the last statement that gave no rows left a transaction open."""
        return bool(self._raw.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def execute(self, statement: str | bytes, task: str = "running a statement") -> Reply:
        """Runs one statement and keeps all it gives; for statements whose results are small.

        `task` stands in error messages; statements themselves may hold values and never do.
        Raises StatementError and its kinds.
        """
        self.send(statement, task)
        return self.receive(task)

    def send(self, statement: str | bytes, task: str = "running a statement") -> None:
        """Sends one statement; `receive` must follow. Several connections can so work at once."""
        self._check_usable()
        try:
            self._raw._execute_command(COMMAND.COM_QUERY, _encode(statement))
        except (pymysql.err.Error, OSError) as error:
            raise faults.statement_error(error, self.address, task) from error

    def receive(self, task: str = "running a statement") -> Reply:
        """What the statement gave that was sent last. Raises StatementError, ProtocolError."""
        try:
            self._raw._read_query_result()
        except (pymysql.err.Error, OSError) as error:
            raise faults.statement_error(error, self.address, task) from error
        except RuntimeError as error:
            # PyMySQL's word for a server that asks for a file.
            raise self._asked_for_a_file(task) from error
        result = self._raw._result
        description = result.description or ()
        return Reply(
            columns=tuple(entry[0] for entry in description),
            rows=result.rows or (),
            affected_rows=result.affected_rows or 0,
            warning_count=result.warning_count,
            nullable=tuple(bool(entry[6]) for entry in description),
        )

    def send_rows(
        self, statement: str | bytes, name: str, lines: bytes, packet_bytes: int, task: str
    ) -> Reply:
        """Runs a LOAD DATA LOCAL INFILE 'name', whose file is `lines`, in packets of this size.

        Raises StatementError; ProtocolError where the server asks for another file.
        """
        self.send(statement, task)
        try:
            answer = self._raw._read_packet()
            if not answer.is_load_local_packet():
                raise ProtocolError(f"{self.address} did not ask for rows while {task}.")
            if answer.get_all_data()[1:] != _encode(name):
                raise self._asked_for_a_file(task)
            for start in range(0, len(lines), packet_bytes):
                self._raw.write_packet(memoryview(lines)[start : start + packet_bytes])
            self._raw.write_packet(b"")
        except (pymysql.err.Error, OSError) as error:
            raise faults.statement_error(error, self.address, task) from error
        return self.receive(task)

    def rows(self, statement: str | bytes, task: str = "reading the catalogue") -> tuple[Row, ...]:
        """The rows of a small result."""
        return self.execute(statement, task).rows

    def stream(self, statement: str | bytes, task: str) -> Generator[RowBatch, None, None]:
        """The rows of a large result as they come, batch by batch.

        Leaving early closes the connection, because the server cannot be told to stop. Raises
        StatementError, LostError, ProtocolError.
        """
        self._check_usable()
        try:
            self._raw.query(_encode(statement), unbuffered=True)
        except (pymysql.err.Error, OSError) as error:
            raise faults.statement_error(error, self.address, task) from error
        except RuntimeError as error:
            raise self._asked_for_a_file(task) from error
        stream = ResultStream(self._raw, self.address, task)
        self._is_streaming = True
        try:
            yield from stream.batches()
            self.streamed_warnings = stream.warning_count
        finally:
            self._is_streaming = False
            if not stream.finished:
                self._abandon(f"a read ended early while {task}")

    def warnings(self) -> list[tuple[str, int, str]]:
        """(level, code, message) of what the last statement warned about."""
        rows = self.rows("SHOW WARNINGS", "asking for warnings")
        return [(text(row[0]), int(row[1] or 0), text(row[2])) for row in rows]

    def close(self) -> None:
        """Ends the session; harmless when it ended already.

        A thread that waits for rows of `stream` meets the end of the connection.
        """
        if self._is_streaming:
            # The reading thread owns the socket's buffers: it is only told that no more comes.
            with contextlib.suppress(OSError):
                self._raw._sock.shutdown(socket.SHUT_RDWR)
        elif not self._raw._closed:
            self._raw.close()

    def _abandon(self, reason: str) -> None:
        self._unusable = reason
        result, self._raw._result = self._raw._result, None
        if result is not None:
            result.unbuffered_active = False
        self._raw._force_close()

    def _asked_for_a_file(self, task: str) -> ProtocolError:
        self._abandon(f"the server asked for a file while {task}")
        return ProtocolError(
            f"{self.address} asked for a file of this machine while {task}; it was refused, and "
            "the connection closed. Is this server what you take it for?"
        )

    def _check_usable(self) -> None:
        if self._unusable:
            raise ConnectionLostError(
                f"The connection to {self.address} cannot be used any more: {self._unusable}."
            )


def _encode(statement: str | bytes) -> bytes:
    if isinstance(statement, bytes):
        return statement
    return statement.encode("utf-8", "surrogateescape")


def _open(options: ConnectOptions, read_timeout_s: int | None, client_flag: int) -> Any:
    tls = options.tls
    # A socket of the same machine gains nothing from encryption unless it is asked for.
    encrypted = tls.mode == "required" or (tls.mode == "preferred" and not options.unix_socket)
    arguments: dict[str, Any] = {
        "user": options.user,
        # PyMySQL encodes text as latin1; the server compares UTF-8.
        "password": (options.password or "").encode("utf-8"),
        "host": options.host,
        "port": options.port,
        "unix_socket": options.unix_socket or None,
        "charset": "utf8mb4",
        "conv": {},
        "use_unicode": False,
        "autocommit": True,
        "connect_timeout": options.connect_timeout_s,
        "read_timeout": read_timeout_s,
        "program_name": "rowvault",
        # Not `local_infile`, with which PyMySQL would read any file that a server asks for.
        "client_flag": client_flag,
        "defer_connect": True,
        # PyMySQL would read the system's authorities anew for each connection; ours are below.
        "ssl_disabled": True,
    }
    try:
        raw: Any = pymysql.connect(**arguments)
        if encrypted:
            raw.ssl, raw._ssl_required, raw.ctx = True, tls.mode == "required", tls.context()
        if options.unix_socket:
            _connect_socket(raw, options)
        else:
            raw.connect()
    except (pymysql.err.Error, OSError, RuntimeError) as error:
        # RuntimeError: an authentication method needs a library that is not there.
        raise faults.connect_error(error, options.address, options.user) from error
    return raw


def _connect_socket(raw: Any, options: ConnectOptions) -> None:
    # PyMySQL leaves its socket open when nobody listens there; ours is closed.
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.settimeout(options.connect_timeout_s)
        end.connect(options.unix_socket)
        # What PyMySQL notes of the sockets that it opens: passwords need no encryption here.
        raw._secure = True
        raw.connect(end)
    except BaseException:
        end.close()
        raise
