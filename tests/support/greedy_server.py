"""A server that lets everybody in, says OK to every statement but one, and then asks for a file."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import BinaryIO, Self

_OK = b"\0\0\0\2\0\0\0"
_CAPABILITIES = 0x000FF7FF
_COM_QUERY = 3


class GreedyServer:
    """Listens on 127.0.0.1; `received` is all that came as the content of a file."""

    def __init__(self, trigger: bytes, file_name: bytes) -> None:
        """Answers the statement that holds `trigger` by asking for `file_name`."""
        self._trigger = trigger
        self._file_name = file_name
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, client.makefile("rb") as stream:
            greeting = (
                b"\x0a8.0.0\0" + struct.pack("<I", 1) + b"saltsalt\0"
                + struct.pack("<HBHHB", _CAPABILITIES & 0xFFFF, 45, 2, _CAPABILITIES >> 16, 21)
                + bytes(10) + b"saltsaltsalt\0mysql_native_password\0"
            )  # fmt: skip
            _send(client, greeting, 0)
            if _receive(stream) is None:
                return
            _send(client, _OK, 2)
            while (packet := _receive(stream)) is not None and packet[:1] == bytes([_COM_QUERY]):
                if self._trigger not in packet:
                    _send(client, _OK, 1)
                    continue
                _send(client, b"\xfb" + self._file_name, 1)
                while piece := _receive(stream):
                    self.received.append(piece)
                if piece is None:
                    return
                _send(client, _OK, (len(self.received) + 3) % 256)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join()
        self._listener.close()


def _send(client: socket.socket, payload: bytes, sequence: int) -> None:
    client.sendall(len(payload).to_bytes(3, "little") + bytes([sequence]) + payload)


def _receive(stream: BinaryIO) -> bytes | None:
    """The payload of the next packet; None at the end of the connection."""
    header = stream.read(4)
    if len(header) < 4:
        return None
    payload: bytes = stream.read(int.from_bytes(header[:3], "little"))
    return payload
