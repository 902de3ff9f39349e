"""The one thread of a session that hashes, proves, writes and syncs finished packs."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from blake3 import blake3

from rowvault.core.errors import ObjectExistsError, RepositoryError
from rowvault.core.ids import PackName
from rowvault.repository import names
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import OpenPack, PackKeys
from rowvault.repository.packs.proof import prove
from rowvault.storage.protocol import Storage

StoredPack = Callable[[OpenPack, PackName, int], None]
"""Told, on the writer's thread, of each pack that is durable: the pack, its name, its bytes."""

_QUEUED_PACKS = 1
_LOOK_S = 1.0


class PackWriter:
    """Stores packs in the background, one at a time, while the next ones are filled.

    The first failure ends it: packs behind it are dropped, and `submit` and `finish` raise it.
    """

    def __init__(self, storage: Storage, keys: PackKeys, stored: StoredPack) -> None:
        self._storage = storage
        self._keys = keys
        self._stored = stored
        self._queue: queue.Queue[OpenPack | None] = queue.Queue(_QUEUED_PACKS)
        self._failure: BaseException | None = None
        self._dropping = False
        self._spare: deque[bytearray] = deque()
        self._thread = threading.Thread(target=self._run, name="pack writer", daemon=True)
        self._thread.start()

    def spare_memory(self) -> bytearray:
        """What a stored pack was in, for the next one; empty where there is none.

        Memory that is new to the process costs a page fault for every 4 KiB, which together take
        as long as hashing the pack.
        """
        try:
            return self._spare.pop()
        except IndexError:
            return bytearray()

    def submit(self, pack: OpenPack) -> None:
        """Hands a full pack over; waits while another one is queued. Raises what failed before."""
        while True:
            self._raise_failure()
            if self._dropping:
                raise RepositoryError("The session has been aborted.")
            try:
                return self._queue.put(pack, timeout=_LOOK_S)
            except queue.Full:
                continue  # look whether the writer still is at work

    def finish(self) -> None:
        """Waits until all packs are durable. Raises what failed."""
        self._stop()
        self._raise_failure()

    def abandon(self) -> None:
        """Waits for the pack that is being written, and drops the others."""
        self._dropping = True
        self._stop()

    def _stop(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while True:
            pack = self._queue.get()
            if pack is None:
                return
            if self._failure is not None or self._dropping:
                continue
            try:
                self._store(pack)
            except BaseException as error:  # handed to whoever submits or finishes next
                self._failure = error

    def _store(self, pack: OpenPack) -> None:
        with pack.finish() as data:
            name = PackName(blake3(data).hexdigest())
            prove(data, pack.type, name, pack.entries, self._keys)
            is_bulk = pack.type is PackType.DATA  # trees are read by the next run
            try:
                self._storage.create(names.pack(pack.type, name), data, is_bulk=is_bulk)
            except ObjectExistsError:
                pass  # named by its bytes: the same pack is stored already
        self._stored(pack, name, pack.size)
        self._spare.append(pack.memory)
