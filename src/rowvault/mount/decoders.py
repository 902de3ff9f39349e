"""Processes that make the text of what a reader is going to read.

One block takes half a dozen calls of libraries, less than a tenth of a millisecond each. Threads of
one process meet at the interpreter's lock behind every one of them, and a meeting costs as much as
a call; processes do not meet.

Parent and child talk over a pair of sockets: a pickled message with its length in front asks for
the text of some blocks of one table in a slot of memory that both share; the answer is a byte that
says whether it is there. Why it is not is not said: the parent tries by itself, and is told.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import trio

from rowvault.codec import kernel
from rowvault.core.errors import RowvaultError
from rowvault.core.ids import BlockId
from rowvault.mount.shared_buffers import BufferPool
from rowvault.render.document import Chunk
from rowvault.render.table import Group, StatementForm
from rowvault.repository import Repository
from rowvault.storage.location import open_storage
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

_LENGTH = struct.Struct("<I")
_MADE = b"\1"
_FAILED = b"\0"
SLOT_BYTES = 2400 << 10
"""What one process makes in one go."""
SHARED_BYTES = 60 << 20
"""All slots: what is made ahead of all readers."""

_KEPT_MEMORY_BYTES = 16 << 20
"""Each of several processes keeps as much."""
_COLLECTS_SELDOM = (100_000, 50, 100)

Buffer = bytes | memoryview


class _Setup(NamedTuple):
    """The first message."""

    location: str
    reopen: Callable[[Storage], Repository]


class _Request(NamedTuple):
    """All others."""

    slot: int
    form: StatementForm
    blocks: list[tuple[BlockId, int]]
    """With the length of each one's tuples as text."""


class Decoders:
    """So many processes; a context manager that ends them."""

    def __init__(self, count: int) -> None:
        """Forks them. Must come before threads are made and storage is used. Raises OSError."""
        self.all: list[Decoder] = []
        slots = BufferPool(SHARED_BYTES // SLOT_BYTES, SLOT_BYTES)
        self._collects = gc.get_threshold()
        # What is there now stays shared with the children: no collection of garbage writes to it.
        # And there is little of it: looking for it as often as usual costs a tenth of all work.
        gc.freeze()
        gc.set_threshold(*_COLLECTS_SELDOM)
        for _ in range(count):
            self.all.append(_fork(slots, self.all))

    def open(self, location: str, repository: Repository) -> None:
        """Has all of them open the repository, too."""
        setup = _encoded(_Setup(location, repository.reopening))
        for decoder in self.all:
            try:
                decoder.socket.sendall(setup)
            except OSError as error:
                decoder.give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends them: each does when its socket is closed."""
        for decoder in self.all:
            decoder.socket.close()
        for decoder in self.all:
            os.waitpid(decoder.pid, 0)
        gc.set_threshold(*self._collects)
        gc.unfreeze()


class Decoder:
    """One process, as the parent sees it. Used by one task at a time."""

    def __init__(self, pid: int, connection: socket.socket, slots: BufferPool) -> None:
        self.pid = pid
        self.socket = connection
        self._slots = slots
        self._stream: trio.SocketStream | None = None
        self._is_gone = False

    async def text(self, chunk: Chunk) -> memoryview | None:
        """The text of a group that fits into a slot.

        None for other chunks, where no slot is free, and where the process cannot make it.
        """
        if self._is_gone or not isinstance(chunk, Group) or chunk.length > SLOT_BYTES:
            return None
        slot = self._slots.take()
        if slot is None:
            return None
        blocks = [(one.entry.id, one.entry.rendered_bytes) for one in chunk.chunks]
        request = _Request(slot.number, chunk.table.form, blocks)
        is_made = await self._ask(_encoded(request)) == _MADE
        return slot.view[: chunk.length] if is_made else None

    def give_up(self, error: Exception) -> None:
        """Does without the process from now on; says so once."""
        if not self._is_gone:
            self._is_gone = True
            _log.warning(
                "a process that makes texts is gone (%s); the mount goes on without it", error
            )

    async def _ask(self, message: bytes) -> bytes:
        """The answer; b"": the process is gone."""
        if self._stream is None:
            self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(self.socket))
        try:
            await self._stream.send_all(message)
            answer = bytes(await self._stream.receive_some(1))
        except trio.BrokenResourceError as error:
            self.give_up(error)
            return b""
        if not answer:
            self.give_up(ConnectionError("its end is closed"))
        return answer


def _fork(slots: BufferPool, others: Sequence[Decoder]) -> Decoder:
    """A new process; it lets go of the sockets of those made before, so that each has one owner."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return Decoder(pid, ours, slots)
    status = 1
    try:
        for one in (ours, *(other.socket for other in others)):
            one.close()
        _stand_alone()
        kernel.keep_freed_memory(_KEPT_MEMORY_BYTES)
        _serve(theirs, slots)
        status = 0
    finally:
        # Nothing of the parent's is to be unwound here; what went wrong, it is told by the end.
        os._exit(status)


def _stand_alone() -> None:
    """Signals, terminal and standard streams are the parent's."""
    os.setsid()
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _serve(connection: socket.socket, slots: BufferPool) -> None:
    """Answers until the parent closes its end, or is gone."""
    setup = _receive(connection)
    if setup is None:
        return
    assert isinstance(setup, _Setup)
    with setup.reopen(open_storage(setup.location)) as repository:
        os.chdir("/")
        while (request := _receive(connection)) is not None:
            assert isinstance(request, _Request)
            is_made = _fill(request, repository, slots.view(request.slot))
            connection.sendall(_MADE if is_made else _FAILED)


def _fill(request: _Request, repository: Repository, view: memoryview) -> bool:
    """Puts the statements into the slot, end to end; whether all are there."""
    at = 0
    for text in request.form.render_blocks(repository, request.blocks):
        if isinstance(text, RowvaultError):
            return False
        view[at : at + len(text)] = text
        at += len(text)
    return True


def _encoded(message: object) -> bytes:
    data = pickle.dumps(message)
    return _LENGTH.pack(len(data)) + data


def _receive(connection: socket.socket) -> object:
    """The next message, from this program's own process; None: the other end is closed."""
    head = connection.recv(_LENGTH.size, socket.MSG_WAITALL)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head)
    return pickle.loads(_receive_exactly(connection, length))


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    """So many bytes. Raises OSError where the other end is closed before."""
    data = connection.recv(length, socket.MSG_WAITALL)
    if len(data) == length:
        return data
    parts = [data]
    while (missing := length - sum(map(len, parts))) > 0:
        parts.append(connection.recv(missing, socket.MSG_WAITALL))
        if not parts[-1]:
            raise ConnectionError("its end is closed")
    return b"".join(parts)
