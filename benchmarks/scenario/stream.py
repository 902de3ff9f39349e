"""Reads every table of a database over some connections and throws the bytes away.

    python -m benchmarks.scenario.stream SOCKET DATABASE CONNECTIONS [--hash-and-compress]

What the server and the socket give at most: no backup that reads all rows is faster. Tables are
read whole, the largest first. With --hash-and-compress every 128 KiB or more are hashed and
compressed before they are thrown away: no backup that names blocks by their bytes, and compresses
rows as they come, is faster, be all its other work for nothing.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pymysql
import zstandard
from blake3 import blake3

RECEIVE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 17
END_BYTES = 9
"""The packet behind the last row: a header of 4 bytes, 0xFE, warnings and status."""

Handle = Callable[[memoryview], None]
"""What is done with bytes before they are thrown away."""


def main() -> None:
    """The command line."""
    socket, database, connections = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tables = deque(_tables(socket, database))
    handles = [
        _hasher_and_compressor() if "--hash-and-compress" in sys.argv[4:] else None
        for _ in range(connections)
    ]
    threads = [
        threading.Thread(target=_read_tables, args=(socket, database, tables, handle))
        for handle in handles
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _hasher_and_compressor() -> Handle:
    compressor = zstandard.ZstdCompressor(level=1)

    def handle(data: memoryview) -> None:
        blake3(data).digest()
        compressor.compress(data)

    return handle


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


def _read_tables(socket: str, database: str, tables: deque[str], handle: Handle | None) -> None:
    buffer = memoryview(bytearray(RECEIVE_BYTES))
    while tables:
        try:
            name = tables.popleft()
        except IndexError:
            return
        connection = _connect(socket, database)
        connection.query(f"SELECT * FROM `{name}`", unbuffered=True)
        _discard(connection, buffer, handle)
        # PyMySQL's reader has not seen the end, so the connection serves nothing else.
        connection._result.unbuffered_active = False
        connection._result.connection = None
        connection._force_close()


def _discard(connection: Any, buffer: memoryview, handle: Handle | None) -> None:
    reader = connection._rfile
    tail = reader.read(len(reader.peek()))[-END_BYTES:]
    end = 0
    while not (tail[:3] == b"\x05\0\0" and tail[4:5] == b"\xfe" and len(tail) == END_BYTES):
        count = connection._sock.recv_into(buffer[end:])
        if not count:
            raise ConnectionError("the server closed the connection")
        start, end = end, end + count
        tail = (tail + bytes(buffer[max(start, end - END_BYTES) : end]))[-END_BYTES:]
        if handle is None:
            end = 0
        elif end >= BLOCK_BYTES:
            handle(buffer[:end])
            end = 0
    if handle is not None and end:
        handle(buffer[:end])


if __name__ == "__main__":
    main()
