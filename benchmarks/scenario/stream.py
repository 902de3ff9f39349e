"""Reads every table of a database over some connections and throws the bytes away.

    python -m benchmarks.scenario.stream SOCKET DATABASE CONNECTIONS

What the server and the socket give at most: no backup that reads all rows is faster. Tables are
read whole, the largest first.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

import pymysql

RECEIVE_BYTES = 1 << 20
END_BYTES = 9
"""The packet behind the last row: a header of 4 bytes, 0xFE, warnings and status."""


def main() -> None:
    """The command line."""
    socket, database, connections = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tables = deque(_tables(socket, database))
    threads = [
        threading.Thread(target=_read_tables, args=(socket, database, tables))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _connect(socket: str, database: str) -> Any:
    return pymysql.connect(unix_socket=socket, user="root", database=database, charset="utf8mb4")


def _tables(socket: str, database: str) -> list[str]:
    connection = _connect(socket, database)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
            " ORDER BY DATA_LENGTH DESC"
        )
        names = [name for (name,) in cursor.fetchall()]
    connection.close()
    return names


def _read_tables(socket: str, database: str, tables: deque[str]) -> None:
    buffer = memoryview(bytearray(RECEIVE_BYTES))
    while tables:
        try:
            name = tables.popleft()
        except IndexError:
            return
        connection = _connect(socket, database)
        connection.query(f"SELECT * FROM `{name}`", unbuffered=True)
        _discard(connection, buffer)
        # PyMySQL's reader has not seen the end, so the connection serves nothing else.
        connection._result.unbuffered_active = False
        connection._result.connection = None
        connection._force_close()


def _discard(connection: Any, buffer: memoryview) -> None:
    reader = connection._rfile
    tail = reader.read(len(reader.peek()))[-END_BYTES:]
    while not (tail[:3] == b"\x05\0\0" and tail[4:5] == b"\xfe" and len(tail) == END_BYTES):
        count = connection._sock.recv_into(buffer)
        if not count:
            raise ConnectionError("the server closed the connection")
        tail = (tail + bytes(buffer[max(0, count - END_BYTES) : count]))[-END_BYTES:]


if __name__ == "__main__":
    main()
