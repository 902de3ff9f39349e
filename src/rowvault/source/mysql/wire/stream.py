"""The rows of a result, taken from the socket in large reads and split by the kernel.

PyMySQL reads the column definitions through a buffered reader, which then may hold the first rows
(or all of them) already. That reader is drained first; the rest comes from the socket itself: from
a plain one into the kernel, without Python for each of the server's small sends.
"""

from __future__ import annotations

import ssl
import struct
from array import array
from collections.abc import Iterator
from typing import Any

from rowvault.codec.kernel import PacketSplitter
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import ProtocolError
from rowvault.source.mysql.wire import faults

RECEIVE_BYTES = 1 << 19
"""Taken at once: few enough that they stay in a core's own cache while they are cut."""

_ENOUGH_BYTES = 1 << 17
"""No more are waited for: they are cut while the server sends the next ones. It sends little at a
time, and who waits for all of it is woken each time."""

_MORE_RESULTS = 0x0008


class ResultStream:
    """The one result that a PyMySQL connection has open, unbuffered, its header read."""

    def __init__(self, raw: Any, address: str, task: str) -> None:
        self._raw = raw
        self._address = address
        self._task = task
        self.finished = False
        """All was read up to the end of the result; the connection serves the next statement."""
        self.warning_count = 0
        """What the server says behind the last row."""

    def batches(self) -> Iterator[RowBatch]:
        """Whole rows. Raises StatementError, LostError, ProtocolError."""
        if not self._raw._result.unbuffered_active:
            self.finished = True
            return
        splitter = PacketSplitter(self._raw._next_seq_id)
        for rows, ends in self._split(splitter):
            if splitter.finished and splitter.error is None:
                self._finish(splitter.warning_count, splitter.status)
            if len(ends):
                yield RowBatch(rows, ends)
            if splitter.error is not None:
                self._raise_for(splitter.error)
            if self.finished:
                return

    def _split(self, splitter: PacketSplitter) -> Iterator[tuple[bytes, array[int]]]:
        reader, socket = self._raw._rfile, self._raw._sock
        try:
            # An empty buffer makes peek() wait for more, which must come: at least the end.
            buffered = reader.peek()
            yield splitter.feed(reader.read(len(buffered)))
            if isinstance(socket, ssl.SSLSocket):
                yield from self._receive_encrypted(splitter, socket)
            timeout_s = socket.gettimeout()
            timeout_ms = -1 if timeout_s is None else int(timeout_s * 1000)
            while True:
                yield splitter.receive(socket.fileno(), _ENOUGH_BYTES, RECEIVE_BYTES, timeout_ms)
        except EOFError as error:
            raise self._lost("the server closed it") from error
        except OSError as error:
            raise self._lost(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise ProtocolError(
                f"{self._address} sent what is not the MySQL protocol while {self._task}: {error}"
            ) from error

    def _receive_encrypted(
        self, splitter: PacketSplitter, socket: ssl.SSLSocket
    ) -> Iterator[tuple[bytes, array[int]]]:
        buffer = memoryview(bytearray(RECEIVE_BYTES))
        while count := socket.recv_into(buffer):
            yield splitter.feed(buffer[:count])
        raise EOFError

    def _lost(self, reason: str) -> faults.LostError:
        return faults.LostError(
            f"The connection to {self._address} was lost while {self._task}: {reason}.", 2013
        )

    def _finish(self, warning_count: int, status: int) -> None:
        result = self._raw._result
        result.unbuffered_active = False
        result.connection = None
        result.warning_count = self.warning_count = warning_count
        result.has_next = bool(status & _MORE_RESULTS)
        self.finished = True

    def _raise_for(self, payload: bytes) -> None:
        # 0xFF, the number, then '#' and five bytes of SQLSTATE, then the text.
        (code,) = struct.unpack_from("<H", payload, 1)
        message = payload[9:] if payload[3:4] == b"#" else payload[3:]
        raise faults.refusal(code, message.decode("utf-8", "replace"), self._address, self._task)
