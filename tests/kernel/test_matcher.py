"""Two sets of rows compared by key."""

from __future__ import annotations

import random
import sys
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import compiled, plain
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import RowBatch, encode_batch

ROW_KEY = bytes(range(16))
KEYED = RowLayout(b"\1\2", (b"", b""), (0,))
KEYLESS = RowLayout(b"\1\2", (b"", b""), ())


def batch(rows: dict[int, int] | list[tuple[int, int]]) -> RowBatch:
    pairs = rows.items() if isinstance(rows, dict) else rows
    return encode_batch((b"%d" % key, b"value %d" % value) for key, value in pairs)


sides = st.dictionaries(st.integers(0, 30), st.integers(0, 3))


@given(old=sides, new=sides)
def test_keyed_rows_are_compared_by_key(
    kernel: ModuleType, old: dict[int, int], new: dict[int, int]
) -> None:
    matcher = kernel.RowMatcher(KEYED, ROW_KEY)
    matcher.left(*batch(old))
    matcher.right(*batch(new))
    assert matcher.changed == sum(old[key] != new[key] for key in old.keys() & new.keys())
    assert matcher.pending == len(old.keys() ^ new.keys())
    assert matcher.flush() == (len(old.keys() - new.keys()), len(new.keys() - old.keys()))
    assert matcher.pending == 0
    assert matcher.flush() == (0, 0)


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=30)


@given(old=pairs, new=pairs)
def test_rows_without_a_key_are_a_multiset(
    kernel: ModuleType, old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    matcher = kernel.RowMatcher(KEYLESS, ROW_KEY)
    matcher.right(*batch(new))
    matcher.left(*batch(old))
    removed, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    assert matcher.flush() == (removed.total(), added.total())
    assert matcher.changed == 0


steps = st.lists(st.tuples(st.booleans(), pairs) | st.none(), max_size=12)


@given(steps=steps, has_key=st.booleans())
def test_both_kernels_match_alike_whatever_comes(
    steps: list[tuple[bool, list[tuple[int, int]]] | None], has_key: bool
) -> None:
    """Also where a key comes twice, which no table allows."""
    matchers = [k.RowMatcher(KEYED if has_key else KEYLESS, ROW_KEY) for k in (compiled, plain)]
    for step in steps:
        for matcher in matchers:
            if step is None:
                matcher.flush()
            elif step[0]:
                matcher.left(*batch(step[1]))
            else:
                matcher.right(*batch(step[1]))
        assert matchers[0].pending == matchers[1].pending
        assert matchers[0].changed == matchers[1].changed
    assert matchers[0].flush() == matchers[1].flush()


@pytest.mark.parametrize("layout", [KEYED, KEYLESS], ids=["keyed", "keyless"])
def test_the_table_stays_healthy_over_many_insertions_and_deletions(layout: RowLayout) -> None:
    """A window of 5,000 unmatched rows wanders over 200,000 in random order."""
    order = random.Random(7)
    numbers = list(range(200_000))
    matcher = compiled.RowMatcher(layout, ROW_KEY)
    waiting: list[int] = []
    for start in range(0, len(numbers), 5000):
        fresh = numbers[start : start + 5000]
        order.shuffle(fresh)
        matcher.left(*batch([(n, n) for n in fresh]))
        order.shuffle(waiting)
        matcher.right(*batch([(n, n) for n in waiting]))
        assert matcher.pending == len(fresh)
        waiting = fresh
    matcher.right(*batch([(n, n) for n in waiting]))
    assert matcher.flush() == (0, 0)
    assert matcher.changed == 0


def test_a_pending_row_takes_64_bytes_at_most() -> None:
    matcher = compiled.RowMatcher(KEYED, ROW_KEY)
    empty_bytes = sys.getsizeof(matcher)
    for start in range(0, 300_000, 1000):
        matcher.left(*batch([(n, n) for n in range(start, start + 1000)]))
        if start >= 1000:
            assert (sys.getsizeof(matcher) - empty_bytes) / matcher.pending <= 64
    matcher.right(*batch([(n, n) for n in range(300_000)]))
    assert matcher.pending == 0
    assert sys.getsizeof(matcher) - empty_bytes < 1 << 19
    matcher.flush()
    assert sys.getsizeof(matcher) == empty_bytes


def test_malformed_rows_are_refused(kernel: ModuleType) -> None:
    matcher = kernel.RowMatcher(KEYED, ROW_KEY)
    rows, ends = batch({1: 1, 2: 2})
    with pytest.raises(ValueError, match="row 1"):
        matcher.left(rows[:-1], ends)
    with pytest.raises(ValueError, match="before"):
        matcher.right(rows, ends)
