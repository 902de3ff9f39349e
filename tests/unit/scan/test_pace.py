"""Throttles: how long readers wait, by a clock that only waiting moves."""

from __future__ import annotations

import itertools
import threading

import pytest

from rowvault.core.errors import SourceError
from rowvault.scan.pace import LONGEST_SILENCE_S, Gate, Pace


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def never() -> bool:
    return False


def test_without_throttles_nobody_waits() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    pace.before_read(never)
    pace.after_batch(1 << 40, never)
    assert clock.now == 100.0
    assert pace.waited_s == 0.0


def test_a_rate_holds_over_all_batches() -> None:
    clock = Clock()
    pace = Pace(1000, clock=clock, sleep=clock.sleep)
    for _ in range(30):
        pace.after_batch(500, never)
    assert clock.now == pytest.approx(115.0)
    assert pace.waited_s == pytest.approx(15.0)


def test_a_slow_stretch_is_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(1000, clock=clock, sleep=clock.sleep)
    clock.now += 50
    pace.after_batch(2000, never)
    assert clock.now == pytest.approx(152.0)


def test_nobody_is_silent_for_too_long_but_what_is_owed_stays() -> None:
    clock = Clock()
    pace = Pace(1000, clock=clock, sleep=clock.sleep)
    pace.after_batch(int(1000 * LONGEST_SILENCE_S * 1.5), never)
    assert clock.now == pytest.approx(100 + LONGEST_SILENCE_S)
    pace.after_batch(1000, never)
    assert clock.now == pytest.approx(100 + 1.5 * LONGEST_SILENCE_S + 1)


def test_readers_share_a_rate() -> None:
    pace = Pace(1000, clock=lambda: 0.0, sleep=lambda _: None)
    stopped = threading.Event()
    stopped.set()
    # Nobody waits after a stop, and all are owed all the same.
    threads = [
        threading.Thread(target=pace.after_batch, args=(100, stopped.is_set)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock = Clock()
    clock.now = 0.0
    pace._clock, pace._sleep = clock, clock.sleep
    pace.after_batch(200, never)
    assert clock.now == pytest.approx(1.0)


def test_a_closed_gate_is_waited_for_and_asked_once_a_second() -> None:
    clock, asked = Clock(), list[float]()

    def figure() -> float:
        asked.append(clock.now)
        return 41.0 if clock.now < 110 else 40.0

    pace = Pace(gate=Gate(figure, 40, clock), clock=clock, sleep=clock.sleep)
    pace.before_read(never)
    assert 110 <= clock.now < 111.5
    assert all(later - one >= 1 - 1e-9 for one, later in itertools.pairwise(asked))


def test_rows_of_an_open_statement_are_taken_now_and_then() -> None:
    clock = Clock()
    pace = Pace(gate=Gate(lambda: 1.0, 0, clock), clock=clock, sleep=clock.sleep)
    pace.after_batch(1, never)
    assert clock.now == pytest.approx(100 + LONGEST_SILENCE_S, abs=0.5)


def test_a_stop_ends_all_waiting() -> None:
    clock = Clock()
    gate = Gate(lambda: 1.0, 0, clock)
    pace = Pace(1, gate, clock=clock, sleep=clock.sleep)
    stop = iter([False, False])
    pace.after_batch(1 << 30, lambda: next(stop, True))
    pace.before_read(lambda: next(stop, True))
    assert clock.now < 101


def test_a_figure_that_cannot_be_asked_for_is_a_failure() -> None:
    def gone() -> float:
        raise SourceError("gone")

    with pytest.raises(SourceError):
        Pace(gate=Gate(gone, 1)).before_read(never)
