"""What is left to do for the workers, in the order in which it should be begun."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

_Job = TypeVar("_Job")


class JobQueue(Generic[_Job]):
    """Jobs that several threads take, and while they do them add to.

    All state is guarded by one condition. A thread that finds no job waits as long as another one
    is at a job, because that may add more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[tuple[int, int], int, _Job]] = []
        self._serial = itertools.count()
        self._running = 0
        self._is_stopped = False
        self.error: BaseException | None = None
        """The first that a thread met."""

    @property
    def is_stopped(self) -> bool:
        """Nobody is to begin anything, and who is at something may leave it."""
        return self._is_stopped

    def put(self, order: tuple[int, int], job: _Job) -> None:
        """Adds a job; the one with the least `order` is taken first."""
        with self._changed:
            heapq.heappush(self._heap, (order, next(self._serial), job))
            self._changed.notify()

    @contextmanager
    def take(self) -> Iterator[_Job | None]:
        """The next job, which is over when the context ends; None when no more will come."""
        with self._changed:
            while not self._heap and self._running and not self._is_stopped:
                self._changed.wait()
            job = None
            if self._heap and not self._is_stopped:
                job = heapq.heappop(self._heap)[2]
                self._running += 1
        try:
            yield job
        finally:
            if job is not None:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def stop(self, error: BaseException | None = None) -> None:
        """Ends the work early."""
        with self._changed:
            self.error = self.error or error
            self._is_stopped = True
            self._changed.notify_all()
