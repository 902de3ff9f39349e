"""Several runs on one repository at once, one storage call at a time, in an order that is chosen.

Each run works in a thread of its own, and stops before every call of its storage until it is told
to go on; so one thread at a time is at work, and all depends on the chosen order alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from rowvault.storage import Storage
from support.failing_storage import KilledError

Result = TypeVar("Result")


class Run:
    """One run; `step` lets it make one more storage call."""

    def __init__(self, name: str, work: Callable[[Run], None]) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._go = threading.Semaphore(0)
        self._arrived = threading.Semaphore(0)
        self._killed = False
        self.ended = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._arrived.acquire()

    def step(self) -> None:
        """Makes one call, and stops before the next one or at the end."""
        if not self.ended:
            self._go.release()
            self._arrived.acquire()

    def kill(self) -> None:
        """Ends it before its next call; nothing that it does from now on has an effect."""
        self._killed = True
        while not self.ended:
            self.step()

    def pause(self) -> None:
        """Called by the storage: waits for `step`."""
        if threading.current_thread() is not self._thread and not self._killed:
            return  # threads of its own go with the call that it waits for
        if threading.current_thread() is self._thread:
            self._arrived.release()
            self._go.acquire()
        if self._killed:
            raise KilledError

    def _run(self, work: Callable[[Run], None]) -> None:
        try:
            self.pause()
            work(self)
        except BaseException as error:  # the test looks at it
            self.error = error
        finally:
            self.ended = True
            self._arrived.release()


class SteppedStorage:
    """The storage of one run, which stops before every call."""

    def __init__(self, inner: Storage, run: Run) -> None:
        self.location = inner.location
        self._inner = inner
        self._run = run

    def _call(self, action: Callable[[], Result]) -> Result:
        self._run.pause()
        return action()

    def create(
        self, name: str, data: bytes | bytearray | memoryview, *, is_bulk: bool = False
    ) -> None:
        self._call(lambda: self._inner.create(name, data, is_bulk=is_bulk))

    def swap(self, name: str, expected: bytes, data: bytes | bytearray | memoryview) -> None:
        self._call(lambda: self._inner.swap(name, expected, data))

    def read(self, name: str) -> bytes:
        return self._call(lambda: self._inner.read(name))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        return self._call(lambda: self._inner.read_range(name, offset, length))

    def view(self, name: str) -> memoryview:
        return self._call(lambda: self._inner.view(name))

    def size(self, name: str) -> int:
        return self._call(lambda: self._inner.size(name))

    def top(self) -> list[str]:
        return self._call(self._inner.top)

    def make_group(self, group: str) -> None:
        self._call(lambda: self._inner.make_group(group))

    def has_group(self, group: str) -> bool:
        return self._call(lambda: self._inner.has_group(group))

    def list(self, prefix: str) -> list[str]:
        return self._call(lambda: self._inner.list(prefix))

    def delete(self, name: str) -> None:
        self._call(lambda: self._inner.delete(name))
