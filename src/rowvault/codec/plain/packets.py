"""The packets of a text result set taken apart into rows."""

from __future__ import annotations

import errno
import os
import select
import struct
from array import array
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import LIMIT, take_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

PACKET_MAX: Final = 0xFFFFFF
"""A packet of this length is continued by the next one (MySQL manual, "MySQL Packets")."""


class PacketSplitter:
    """Takes the packets of a text result set apart into rows (MySQL manual, "Text Resultset").

    `sequence_id` is the id that the first row packet carries. The end is an EOF packet, or the OK
    packet that stands for it, or an ERR packet.
    """

    def __init__(self, sequence_id: int) -> None:
        if not 0 <= sequence_id <= 0xFF:
            raise ValueError("a sequence id is one byte")
        self.finished = False
        self.warning_count = 0
        self.status = 0
        self.error: bytes | None = None
        self._sequence_id = sequence_id
        self._waiting = bytearray()
        self._row: list[bytes] = []
        self._failed = False

    def feed(self, data: Buffer) -> tuple[bytes, array[int]]:
        """The rows that are complete now, and their ends; any slice of the stream will do.

        Raises ValueError where the bytes are not the protocol; no further feed is possible then.
        """
        if self._failed:
            raise ValueError("the splitter has met malformed bytes before")
        try:
            self._waiting += take_bytes(data)
            return self._take_rows()
        except ValueError:
            self._failed = True
            raise

    def receive(
        self, descriptor: int, least: int, most: int, timeout_ms: int
    ) -> tuple[bytes, array[int]]:
        """Like `feed`, of what a socket brings: `least` bytes of the stream, less at its end, and
        up to `most` where they are there already.

        Raises ValueError like `feed`; EOFError where the other end is closed before the end of
        the result set; OSError, TimeoutError where nothing comes for so long (below 0: never).
        """
        if not 0 < least <= most <= LIMIT:
            raise ValueError("sizes from 1 byte to 4 GiB, the least one first")
        rows, ends, length = bytearray(), array("I"), 0
        socket = select.poll()
        socket.register(descriptor, select.POLLIN)
        while length < most and not self.finished:
            if not socket.poll(timeout_ms if length < least else 0):
                if length >= least:
                    break
                self._failed = True
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if not (piece := os.read(descriptor, most - length)):
                self._failed = True
                raise EOFError("the other end is closed")
            length += len(piece)
            more, more_ends = self.feed(piece)
            ends.extend(len(rows) + end for end in more_ends)
            rows += more
        return bytes(rows), ends

    def _take_rows(self) -> tuple[bytes, array[int]]:
        rows: list[bytes] = []
        ends = array("I")
        position = 0
        while not self.finished and (payload := self._take_packet()) is not None:
            if not self._row and payload[0] == 0xFF:
                self.finished, self.error = True, payload
            elif not self._row and payload[0] == 0xFE and len(payload) < PACKET_MAX:
                self._read_end(payload)
            else:
                self._row.append(payload)
                if len(payload) < PACKET_MAX:
                    row = b"".join(self._row)
                    self._row = []
                    position += len(row)
                    if position > LIMIT:
                        raise ValueError("more than 4 GiB of rows at once")
                    rows.append(row)
                    ends.append(position)
        if self.finished and self._waiting:
            raise ValueError("bytes behind the end of the result set")
        return b"".join(rows), ends

    def _take_packet(self) -> bytes | None:
        """The next whole packet's payload; None while it is not here."""
        waiting = self._waiting
        if len(waiting) < 4:
            return None
        length = int.from_bytes(waiting[:3], "little")
        first = waiting[4] if len(waiting) > 4 else None
        if not self._row:
            if length == 0:
                raise ValueError("an empty packet where a row should be")
            if first is None:
                return None
            self._check_end_length(first, length)
        if (self._row or first != 0xFF) and waiting[3] != self._sequence_id:
            raise ValueError(f"packet {waiting[3]} where {self._sequence_id} was due")
        if len(waiting) < 4 + length:
            return None
        payload = bytes(waiting[4 : 4 + length])
        del waiting[: 4 + length]
        self._sequence_id = (self._sequence_id + 1) & 0xFF
        return payload

    @staticmethod
    def _check_end_length(first: int, length: int) -> None:
        if (first == 0xFE and (length < 5 or length == 6)) or (
            first == 0xFF and length == PACKET_MAX
        ):
            raise ValueError("a malformed packet at the end of the result set")

    def _read_end(self, payload: bytes) -> None:
        if len(payload) == 5:
            self.warning_count, self.status = struct.unpack("<HH", payload[1:])
        else:
            position = 1
            for _ in ("affected rows", "last insert id"):
                position = self._skip_length(payload, position)
            if position + 4 > len(payload):
                raise ValueError("a malformed packet at the end of the result set")
            self.status, self.warning_count = struct.unpack_from("<HH", payload, position)
        self.finished = True

    @staticmethod
    def _skip_length(payload: bytes, position: int) -> int:
        first = payload[position] if position < len(payload) else 0xFF
        if first in (0xFB, 0xFF):
            raise ValueError("a malformed packet at the end of the result set")
        return position + {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(first, 1)
