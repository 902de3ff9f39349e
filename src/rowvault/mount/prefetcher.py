"""Has made, by the decoding processes, what files are going to be read."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import trio

from rowvault.core.errors import MountError
from rowvault.mount.decoders import Decoder, Decoders
from rowvault.mount.reading import ChunkCache, Claim, Reader

_log = logging.getLogger(__name__)


class Prefetcher:
    """One task for each process. Used by the event loop's thread alone."""

    def __init__(self, cache: ChunkCache, decoders: Decoders) -> None:
        self._cache = cache
        self._decoders = decoders
        self._nursery: trio.Nursery | None = None
        self._extensions: dict[Reader, trio.Event] = {}
        """Those under way, each with what comes when it is done."""
        self._to_make, self._made = trio.open_memory_channel[Claim](math.inf)

    async def run(self) -> None:
        """Until it is cancelled; then nobody is left waiting."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for decoder in self._decoders.all:
                    nursery.start_soon(self._serve, decoder)
        finally:
            self._nursery = None
            self._give_up()

    def follow(self, reader: Reader) -> None:
        """Goes on ahead of a reader where it is time; to be called behind each read."""
        if self._nursery is not None and reader.is_due and reader not in self._extensions:
            self._extensions[reader] = trio.Event()
            self._nursery.start_soon(self._extend, reader)

    async def caught_up(self, reader: Reader) -> bool:
        """Waits while what a reader will read is being found out; False: it is not.

        A thread that made the blocks meanwhile would keep the event loop from its work, and with it
        all processes, so that the next read came too early, too.
        """
        self.follow(reader)
        extension = self._extensions.get(reader)
        if extension is None:
            return False
        await extension.wait()
        return True

    def add(self, claims: Iterable[Claim]) -> None:
        """Has what was claimed made, in this order."""
        for claim in claims:
            self._to_make.send_nowait(claim)

    async def _extend(self, reader: Reader) -> None:
        try:
            self.add(await trio.to_thread.run_sync(reader.extend))
        except Exception:
            # A fault of this program: what is read there is made then, or the fault told.
            _log.exception("an unexpected error")
        finally:
            self._extensions.pop(reader).set()

    async def _serve(self, decoder: Decoder) -> None:
        async for claim in self._made:
            try:
                text = await decoder.text(claim.chunk)
            except BaseException as error:
                self._cache.settle(claim, error)
                raise
            if text is None:
                await trio.to_thread.run_sync(self._cache.make, claim)
            else:
                self._cache.settle(claim, text)

    def _give_up(self) -> None:
        while True:
            try:
                claim = self._made.receive_nowait()
            except trio.WouldBlock:
                return
            self._cache.settle(claim, MountError("the mount ends"))
