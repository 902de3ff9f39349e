"""Jobs: in order, to the last one that a job adds, and no further after a failure."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rowvault.scan.jobs import JobQueue


def _drain(queue: JobQueue[str], taken: list[str]) -> None:
    while True:
        with queue.take() as job:
            if job is None:
                return
            taken.append(job)


def test_the_least_order_goes_first_and_equals_as_they_came() -> None:
    queue: JobQueue[str] = JobQueue()
    for order, job in [((1, 0), "d"), ((0, 5), "b"), ((0, -8), "a"), ((0, 5), "c")]:
        queue.put(order, job)
    taken: list[str] = []
    _drain(queue, taken)
    assert taken == ["a", "b", "c", "d"]


def test_who_finds_nothing_waits_for_what_a_running_job_adds() -> None:
    queue: JobQueue[str] = JobQueue()
    queue.put((0, 0), "first")
    taken: list[str] = []
    with queue.take() as job:
        assert job == "first"
        other = threading.Thread(target=_drain, args=(queue, taken))
        other.start()
        assert taken == []
        queue.put((0, 1), "second")
    other.join(10)
    assert not other.is_alive()
    assert taken == ["second"]


def test_a_failure_ends_all_waiting_and_leaves_the_rest() -> None:
    queue: JobQueue[str] = JobQueue()
    queue.put((0, 0), "first")
    taken: list[str] = []
    others: Sequence[threading.Thread] = [
        threading.Thread(target=_drain, args=(queue, taken)) for _ in range(3)
    ]
    failure = ValueError("the first")
    with queue.take():
        for other in others:
            other.start()
        queue.stop(failure)
        queue.put((0, 1), "second")
        queue.stop(ValueError("the second"))
        for other in others:
            other.join(10)
            assert not other.is_alive()
    assert queue.is_stopped
    assert queue.error is failure
    assert taken == []
