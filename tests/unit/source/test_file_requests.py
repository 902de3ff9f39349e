"""A server may ask for a file of this machine: it gets rows that were meant for it, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rowvault.core.errors import ConnectionLostError, ProtocolError
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.options import ConnectOptions, TlsOptions
from support.greedy_server import GreedyServer

ROWS = b"1\ta\n2\tb\n"


def connected(server: GreedyServer, *, may_send_rows: bool) -> Connection:
    options = ConnectOptions("u", "127.0.0.1", server.port, password="p", tls=TlsOptions("off"))
    return Connection(options, may_send_rows=may_send_rows)


def send_rows(connection: Connection) -> object:
    return connection.send_rows(b"LOAD DATA", "rows", ROWS, 5, "loading t")


def test_the_rows_of_a_statement_go_where_they_are_asked_for() -> None:
    with GreedyServer(b"LOAD DATA", b"rows") as server:
        connection = connected(server, may_send_rows=True)
        send_rows(connection)
        connection.execute(b"SELECT 1")
        connection.close()
    assert server.received == [ROWS[:5], ROWS[5:]]


@pytest.mark.parametrize(
    "work",
    [
        send_rows,
        lambda connection: connection.execute(b"LOAD DATA"),
        lambda connection: list(connection.stream(b"LOAD DATA", "reading")),
    ],
    ids=["another file", "a statement without rows", "a read"],
)
@pytest.mark.parametrize("may_send_rows", [True, False])
def test_a_request_for_a_file_ends_the_connection(
    work: Callable[[Connection], object], may_send_rows: bool
) -> None:
    with GreedyServer(b"LOAD DATA", b"/etc/passwd") as server:
        connection = connected(server, may_send_rows=may_send_rows)
        with pytest.raises(ProtocolError, match="asked for a file of this machine"):
            work(connection)
        with pytest.raises(ConnectionLostError):
            connection.execute(b"SELECT 1")
        connection.close()
    assert server.received == []


def test_rows_that_nobody_asks_for_are_an_error() -> None:
    with GreedyServer(b"something else", b"rows") as server:
        connection = connected(server, may_send_rows=True)
        with pytest.raises(ProtocolError, match="did not ask for rows"):
            send_rows(connection)
        connection.close()
    assert server.received == []
