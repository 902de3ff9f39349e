"""Memory that the decoding processes fill and the mount reads, in slots of one size."""

from __future__ import annotations

import ctypes
import mmap
import weakref
from collections import deque
from typing import NamedTuple


class SharedBuffer(NamedTuple):
    """A stretch of that memory, free again when this view and all views of its parts are gone."""

    number: int
    view: memoryview


class BufferPool:
    """So many slots, shared with processes that are forked later. Used from any thread."""

    def __init__(self, count: int, slot_bytes: int) -> None:
        """Takes address space alone: memory when a slot is written to for the first time."""
        self.slot_bytes = slot_bytes
        self._memory = mmap.mmap(-1, count * slot_bytes)
        self._type = ctypes.c_char * slot_bytes
        # The one that was freed last comes first: its bytes are still in the processor's caches.
        self._free = deque(range(count))

    def take(self) -> SharedBuffer | None:
        """A free one; None where all are in use."""
        try:
            number = self._free.pop()
        except IndexError:
            return None
        whole = self._type.from_buffer(self._memory, number * self.slot_bytes)
        # All views hold on to it, so it goes with the last of them.
        weakref.finalize(whole, self._free.append, number).atexit = False
        return SharedBuffer(number, memoryview(whole).cast("B"))

    def view(self, number: int) -> memoryview:
        """The slot of this number, for the process that was told to fill it."""
        start = number * self.slot_bytes
        return memoryview(self._memory)[start : start + self.slot_bytes]
