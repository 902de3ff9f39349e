"""Serves the tree through FUSE: pyfuse3 on trio, blocking work in threads.

docs/explanation/concurrency.md lists what is shared across each `await`.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import pyfuse3
import trio

from rowvault.core.errors import RowvaultError
from rowvault.mount.decoders import Buffer, Decoders
from rowvault.mount.inodes import Inodes
from rowvault.mount.node import Directory, File, Node, SymbolicLink
from rowvault.mount.prefetcher import Prefetcher
from rowvault.mount.reading import ChunkCache, Reader

_log = logging.getLogger(__name__)

_LASTING_S = 3600.0
"""How long the kernel may keep what never changes."""
_PASSING_S = 1.0
"""How long it may keep a list that snapshots join and leave."""
_TOLD_MOST = 1000
"""Messages that are remembered, so that each is logged once."""
_KNOWN_MOST = 50_000
"""Nodes that are held for the kernel before it is asked to forget some; each takes about 1 KiB."""
_BLOCK_BYTES = 512
_READ_AHEAD_KIB = 2048
"""Two of the largest requests: one is on its way while the other one is answered."""
_LARGEST_READ_BYTES = 1 << 20
_PREFERRED_READ_BYTES = 128 * 1024
_FILE_MODE = stat.S_IFREG | 0o444
_DIRECTORY_MODE = stat.S_IFDIR | 0o555
_LINK_MODE = stat.S_IFLNK | 0o777

Result = TypeVar("Result")


@dataclass(slots=True)
class _Listing:
    """An open directory: its entries as they were when it was opened."""

    number: int
    entries: Sequence[tuple[str, Node]]


class FileSystem(pyfuse3.Operations):
    """A tree, read-only."""

    supports_dot_lookup = False
    enable_writeback_cache = False
    enable_acl = False

    def __init__(self, root: Directory, mount_point: str, decoders: Decoders) -> None:
        super().__init__()
        self._mount_point = mount_point
        self._has_asked_for_more = False
        self._inodes = Inodes(root)
        self._limiter = trio.CapacityLimiter(2 * max(2, os.cpu_count() or 1))
        self._cache = ChunkCache()
        self.ahead = Prefetcher(self._cache, decoders)
        self._room = memoryview(bytearray(_LARGEST_READ_BYTES))
        self._handles: dict[int, Reader | _Listing] = {}
        self._next_handle = 1
        self._told: set[str] = set()
        self._look_again_at = _KNOWN_MOST
        self._owner = (os.getuid(), os.getgid())

    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext | None = None
    ) -> pyfuse3.EntryAttributes:
        """An entry of a directory."""
        directory = self._directory(parent_inode)
        try:
            text = name.decode()
        except UnicodeDecodeError:
            return self._missing(directory)
        if text == ".":
            return self._attributes(parent_inode, directory)
        if text == "..":
            above = self._inodes.parent(parent_inode)
            return self._attributes(above, self._inodes.node(above))
        node = await self._work(directory.child, text)
        if node is None:
            return self._missing(directory)
        number = self._inodes.remember(parent_inode, text, node)
        self._keep_few()
        return self._attributes(number, node, _timeout(directory))

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        """The kernel drops references."""
        for number, lookups in inode_list:
            self._inodes.forget(number, lookups)
        if len(self._inodes) < _KNOWN_MOST:
            self._look_again_at = _KNOWN_MOST

    async def getattr(
        self, inode: int, ctx: pyfuse3.RequestContext | None = None
    ) -> pyfuse3.EntryAttributes:
        """What stat() shows."""
        return self._attributes(inode, await self._renewed(inode))

    async def readlink(self, inode: int, ctx: pyfuse3.RequestContext) -> bytes:
        """Where a link leads."""
        node = self._node(inode)
        if not isinstance(node, SymbolicLink):
            raise pyfuse3.FUSEError(errno.EINVAL)
        return str.encode(node.target)

    async def opendir(self, inode: int, ctx: pyfuse3.RequestContext) -> int:
        """Lists a directory."""
        directory = self._directory(inode)
        entries = await self._work(lambda: list(directory.entries()))
        return self._add_handle(_Listing(inode, entries))

    async def readdir(self, fh: int, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        """Gives the entries from a number on, as many as the kernel takes."""
        listing = self._handles[fh]
        assert isinstance(listing, _Listing)
        timeout = _timeout(self._directory(listing.number))
        for index in range(start_id, len(listing.entries)):
            name, node = listing.entries[index]
            number = self._inodes.remember(listing.number, name, node)
            attributes = self._attributes(number, node, timeout)
            if not pyfuse3.readdir_reply(token, str.encode(name), attributes, index + 1):
                self._inodes.forget(number, 1)
                break
        self._keep_few()

    async def releasedir(self, fh: int) -> None:
        """Closes a directory."""
        del self._handles[fh]

    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        """Opens a file; what the kernel has cached of one that never changes stays right."""
        node = await self._renewed(inode)
        if not isinstance(node, File):
            raise pyfuse3.FUSEError(errno.EISDIR)
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise pyfuse3.FUSEError(errno.EROFS)
        if not self._has_asked_for_more:
            # Not before the first request: at the start the kernel sets its own choice.
            self._has_asked_for_more = True
            await self._work(_read_far_ahead, self._mount_point)
        document = await self._work(node.open)
        handle = self._add_handle(Reader(document, self._cache))
        return pyfuse3.FileInfo(fh=handle, keep_cache=node.renew is None)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        """A range of a file."""
        reader = self._handles[fh]
        assert isinstance(reader, Reader)
        parts = None
        found = reader.at_hand(off, size)
        if found is None and await self.ahead.caught_up(reader):
            found = reader.at_hand(off, size)
        if found is not None:
            self.ahead.follow(reader)
            while (made := found.pending()) is not None:
                await _until_done(made)
            parts = found.parts()
        if parts is None:
            parts = await self._work(reader.read, off, size)
            self.ahead.follow(reader)
        # Any buffer will do, though the declaration says bytes: it is copied to the kernel once.
        return cast(bytes, parts[0] if len(parts) == 1 else self._joined(parts))

    def _joined(self, parts: Sequence[memoryview]) -> memoryview:
        """The parts in one piece, in memory that the next reply uses again.

        pyfuse3 hands a reply to the kernel before any other request goes on. Fresh memory for each
        would cost as much as copying.
        """
        length = sum(map(len, parts))
        if length > len(self._room):
            self._room = memoryview(bytearray(length))
        at = 0
        for part in parts:
            self._room[at : at + len(part)] = part
            at += len(part)
        return self._room[:length]

    async def release(self, fh: int) -> None:
        """Closes a file."""
        del self._handles[fh]

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Nothing is free: nothing can be written."""
        figures = pyfuse3.StatvfsData()
        figures.f_bsize = figures.f_frsize = 4096
        figures.f_namemax = 255
        figures.f_blocks = figures.f_bfree = figures.f_bavail = 0
        figures.f_files = len(self._inodes)
        figures.f_ffree = figures.f_favail = 0
        return figures

    def _add_handle(self, opened: Reader | _Listing) -> int:
        handle, self._next_handle = self._next_handle, self._next_handle + 1
        self._handles[handle] = opened
        return handle

    def _node(self, inode: int) -> Node:
        try:
            return self._inodes.node(inode)
        except KeyError:
            raise pyfuse3.FUSEError(errno.ESTALE) from None

    def _directory(self, inode: int) -> Directory:
        node = self._node(inode)
        if isinstance(node, File | SymbolicLink):
            raise pyfuse3.FUSEError(errno.ENOTDIR)
        return node

    async def _work(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Runs blocking work in a thread; damage and failing storage become EIO, and are logged."""
        try:
            return await trio.to_thread.run_sync(function, *arguments, limiter=self._limiter)
        except (RowvaultError, OSError) as error:
            self._tell(str(error))
            raise pyfuse3.FUSEError(errno.EIO) from error
        except Exception as error:
            # A fault of this program: one file fails, the others are still served.
            _log.exception("an unexpected error")
            raise pyfuse3.FUSEError(errno.EIO) from error

    def _tell(self, trouble: str) -> None:
        """Logs it once: the kernel asks for each page of a damaged range again."""
        if trouble in self._told:
            return
        if len(self._told) >= _TOLD_MOST:
            self._told.clear()
        self._told.add(trouble)
        _log.error("%s", trouble)

    def _keep_few(self) -> None:
        """Asks the kernel to forget files where it holds very many, and with it their nodes here.

        By itself it forgets only when it needs the memory.
        """
        known = len(self._inodes)
        if known < self._look_again_at:
            return
        # It takes a while, and what is in use is not forgotten.
        self._look_again_at = known + _KNOWN_MOST // 10
        for directory, name in self._inodes.give_back(known - _KNOWN_MOST // 2):
            pyfuse3.invalidate_entry_async(directory, name.encode(), ignore_enoent=True)

    async def _renewed(self, inode: int) -> Node:
        """The node of a number as it is now."""
        node = self._node(inode)
        if not isinstance(node, File) or node.renew is None:
            return node
        renewed = await self._work(node.renew)
        self._inodes.replace(inode, renewed)
        return renewed

    def _missing(self, directory: Directory) -> pyfuse3.EntryAttributes:
        """The kernel need not ask again for a while: nothing new comes where nothing changes."""
        missing = pyfuse3.EntryAttributes()
        missing.st_ino = 0
        missing.entry_timeout = _timeout(directory)
        return missing

    def _attributes(
        self, number: int, node: Node, entry_timeout: float = _PASSING_S
    ) -> pyfuse3.EntryAttributes:
        attributes = pyfuse3.EntryAttributes()
        attributes.st_ino = number
        attributes.generation = 0
        attributes.entry_timeout = entry_timeout
        attributes.attr_timeout = _LASTING_S
        attributes.st_uid, attributes.st_gid = self._owner
        attributes.st_nlink = 1
        attributes.st_blksize = _PREFERRED_READ_BYTES
        nanoseconds = int(node.time.timestamp() * 1_000_000) * 1000
        attributes.st_atime_ns = attributes.st_mtime_ns = attributes.st_ctime_ns = nanoseconds
        if isinstance(node, File):
            attributes.st_mode = _FILE_MODE
            attributes.st_size = node.length
            if node.renew is not None:
                attributes.attr_timeout = _PASSING_S
        elif isinstance(node, SymbolicLink):
            attributes.st_mode = _LINK_MODE
            attributes.st_size = len(str.encode(node.target))
        else:
            attributes.st_mode = _DIRECTORY_MODE
            attributes.st_size = 0
            attributes.attr_timeout = _timeout(node)
        attributes.st_blocks = -(-attributes.st_size // _BLOCK_BYTES)
        return attributes


def _timeout(directory: Directory) -> float:
    return _PASSING_S if directory.changes else _LASTING_S


def serve(
    root: Directory,
    mount_point: str,
    decoders: Decoders,
    *,
    allow_other: bool,
    ready: Callable[[], None],
) -> None:
    """Mounts the tree and serves it until it is unmounted or SIGTERM or Ctrl-C comes.

    Calls `ready` when the mount stands. Raises RuntimeError and OSError where it cannot be made.
    """
    operations = FileSystem(root, mount_point, decoders)
    options = set(pyfuse3.default_options) | {"fsname=rowvault", "subtype=rowvault", "ro"}
    if allow_other:
        options.add("allow_other")
    pyfuse3.init(operations, mount_point, options)
    try:
        trio.run(_run, operations.ahead, ready)
    finally:
        pyfuse3.close(unmount=True)


def _read_far_ahead(mount_point: str) -> None:
    """Has the kernel ask for larger ranges of files read in sequence, where that is allowed.

    Its own choice is 128 KiB; asking eight times less often saves a quarter of the work.
    """
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        devices = [line.split()[2] for line in mounts if _mount_point(line) == mount_point]
        Path(f"/sys/class/bdi/{devices[-1]}/read_ahead_kb").write_text(str(_READ_AHEAD_KIB))
    except (OSError, IndexError) as error:
        # Root alone may, and not in every container; all works without.
        _log.info("the kernel reads ahead as it does by itself: %s", error)


def _mount_point(line: str) -> str:
    """Of a line of mountinfo, in which blanks and backslashes are octal (proc(5))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split()[4])


async def _until_done(made: Future[Buffer]) -> None:
    """Waits without a thread; whether it failed is told by who asks for the result."""
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()
    here = threading.get_ident()

    def tell(_: Future[Buffer]) -> None:
        if threading.get_ident() == here:
            # Most texts: what a process has made is settled by the event loop itself.
            done.set()
            return
        with suppress(trio.RunFinishedError):  # unmounted meanwhile
            token.run_sync_soon(done.set)

    made.add_done_callback(tell)
    await done.wait()


async def _run(ahead: Prefetcher, ready: Callable[[], None]) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(_end_on_signal, nursery.cancel_scope)
        nursery.start_soon(ahead.run)
        ready()
        await pyfuse3.main()
        nursery.cancel_scope.cancel()


async def _end_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
        task_status.started()
        async for _ in received:
            scope.cancel()
            return
