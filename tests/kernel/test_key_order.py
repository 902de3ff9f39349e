"""Keys that ascend, as the compiled kernel and its plain twin prove it."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import compiled, plain
from rowvault.codec.rows import RowBatch, Value, encode_batch

DIGITS, BYTES, MEMBER = 1, 2, 3
Part = tuple[int, int, bool, tuple[bytes, ...]]
NUMBER: Part = (0, DIGITS, False, ())
TEXT: Part = (0, BYTES, False, ())


def first_misplaced(
    kernel: ModuleType,
    values: Sequence[Value],
    part: Part = NUMBER,
    low: bytes | None = None,
    high: bytes | None = None,
) -> int:
    bounds = [None if one is None else (one,) for one in (low, high)]
    proof = kernel.KeyProof(1, [part], *bounds)
    found: int = proof.feed(*encode_batch([(value,) for value in values]))
    assert proof.row_count == (len(values) if found < 0 else found)
    return found


def time_text(microseconds: int) -> bytes:
    whole, fraction = divmod(abs(microseconds), 1_000_000)
    minutes, seconds = divmod(whole, 60)
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{fraction:06}".encode()


def decimal_text(number: int, digits: int, width: int) -> bytes:
    text = f"{abs(number):0{digits + 1}}"
    whole, fraction = (text[:-digits], text[-digits:]) if digits else (text, "")
    sign = "-" if number < 0 else ""
    return f"{sign}{whole:0>{width}}{'.' if digits else ''}{fraction}".encode()


integers = st.integers(-(10**20), 10**20) | st.integers(-12, 12)
times = st.integers(-3_020_399_999_999, 3_020_399_999_999) | st.integers(-2_000_000, 2_000_000)


@given(
    numbers=st.lists(integers, min_size=2, max_size=8),
    digits=st.integers(0, 3),
    width=st.sampled_from([1, 1, 5]),
)
def test_decimals_are_compared_by_value(
    kernel: ModuleType, numbers: list[int], digits: int, width: int
) -> None:
    """With points, signs and the noughts of ZEROFILL."""
    texts = [decimal_text(number, digits, width) for number in numbers]
    assert [Decimal(text.decode()).scaleb(digits) for text in texts] == numbers
    _check(kernel, numbers, texts, NUMBER)


@given(numbers=st.lists(times, min_size=2, max_size=8))
def test_times_are_compared_by_value(kernel: ModuleType, numbers: list[int]) -> None:
    _check(kernel, numbers, [time_text(number) for number in numbers], NUMBER)


@given(values=st.lists(st.binary(max_size=4), min_size=2, max_size=8))
def test_bytes_are_compared_byte_by_byte(kernel: ModuleType, values: list[bytes]) -> None:
    _check(kernel, values, values, TEXT)


@given(numbers=st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_members_are_compared_by_number(kernel: ModuleType, numbers: list[int]) -> None:
    members = (b"zebra", b"ape", b"a")
    texts = [(b"", *members)[number] for number in numbers]
    _check(kernel, numbers, texts, (0, MEMBER, False, members))


def _check(kernel: ModuleType, values: Sequence[Any], texts: list[bytes], part: Part) -> None:
    """In order exactly where Python's own values are; and falling, where these are turned."""
    for texts_in_hand, values_in_hand, falls in (
        (texts, list(values), False),
        (texts[::-1], list(values)[::-1], True),
    ):
        pairs = zip(values_in_hand[1:], values_in_hand, strict=False)
        rises: Callable[[Any, Any], bool] = (
            (lambda one, before: one < before) if falls else (lambda one, before: one > before)
        )
        expected = next((at for at, pair in enumerate(pairs, 1) if not rises(*pair)), -1)
        part_in_hand = (part[0], part[1], falls, part[3])
        assert first_misplaced(kernel, texts_in_hand, part_in_hand) == expected


@pytest.mark.parametrize(
    ("low", "high", "values", "expected"),
    [
        (b"5", b"9", [b"5", b"6", b"8"], -1),
        (b"5", b"9", [b"6", b"8"], 0),  # the row of the bound itself is missing
        (b"5", b"9", [b"4", b"5"], 0),
        (b"5", b"9", [b"5", b"9"], 1),
        (b"5", b"9", [b"5", b"10"], 1),
        (b"5", b"9", [b"5", b"5"], 1),
        (None, b"9", [b"-100", b"8"], -1),
        (b"005", None, [b"5", b"600"], -1),
        (b"5", None, [], -1),  # what is missing here, `row_count` tells
    ],
)
def test_rows_lie_within_their_bounds(
    kernel: ModuleType,
    low: bytes | None,
    high: bytes | None,
    values: list[bytes],
    expected: int,
) -> None:
    assert first_misplaced(kernel, values, low=low, high=high) == expected


def test_a_bound_names_members_by_number(kernel: ModuleType) -> None:
    part = (0, MEMBER, False, (b"z", b"a"))
    assert first_misplaced(kernel, [b"z", b"a"], part, b"1") == -1
    assert first_misplaced(kernel, [b"", b"z", b"a"], part, b"0", b"2") == 2
    with pytest.raises(ValueError, match="no value of its column"):
        first_misplaced(kernel, [], part, b"z")


@pytest.mark.parametrize("value", [None, b"", b"-", b"1e5", b"--1", b".5", b"+1", b" 1", b"\xff"])
def test_a_value_without_a_place_is_in_no_order(kernel: ModuleType, value: Value) -> None:
    assert first_misplaced(kernel, [b"0", value]) == 1


def test_a_member_that_is_not_there_is_in_no_order(kernel: ModuleType) -> None:
    assert first_misplaced(kernel, [b"z", b"b"], (0, MEMBER, False, (b"z", b"a"))) == 1


def test_the_last_key_is_known_to_the_next_feed(kernel: ModuleType) -> None:
    """Its bytes are gone with the batch that they lay in."""
    proof = kernel.KeyProof(3, [(2, BYTES, False, ()), (0, DIGITS, True, ())], None, None)
    assert proof.feed(*encode_batch([(b"9", b"x", b"a"), (b"7", None, b"a")])) == -1
    assert proof.feed(b"", array("I")) == -1
    assert proof.feed(*encode_batch([(b"-7", b"", b"a"), (b"8", b"", b"b" * 300)])) == -1
    assert proof.row_count == 4
    assert proof.feed(*encode_batch([(b"9", b"", b"b" * 300)])) == 0
    with pytest.raises(ValueError, match="failed before"):
        proof.feed(b"", array("I"))


def test_what_cannot_be_is_refused(kernel: ModuleType) -> None:
    for parts in ([], [(1, DIGITS, False, ())], [NUMBER, NUMBER], [(0, 9, False, ())]):
        with pytest.raises(ValueError, match=r"key|order"):
            kernel.KeyProof(1, parts, None, None)
    with pytest.raises(ValueError, match="one value for each"):
        kernel.KeyProof(1, [NUMBER], (b"1", b"2"), None)
    with pytest.raises(ValueError, match="no value of its column"):
        kernel.KeyProof(1, [NUMBER], None, (b"x",))


values = st.sampled_from(
    [
        *(None, b"", b"a", b"0", b"-0", b"1", b"01", b"1.0", b"1.50"),
        *(b"1:02:03", b"-1", b"-1.5", b"1.:5"),
    ]
)
rows = st.lists(st.tuples(values, values, values), max_size=6)
parts = st.permutations(range(3)).flatmap(
    lambda columns: st.lists(
        st.tuples(
            st.sampled_from([DIGITS, BYTES, MEMBER]), st.booleans(), st.just((b"a", b"1", b"0"))
        ),
        min_size=1,
        max_size=3,
    ).map(lambda rest: [(one, *more) for one, more in zip(columns, rest, strict=False)])
)


@given(batches=st.lists(rows, max_size=3), parts=parts)
def test_both_kernels_agree(batches: list[list[tuple[Value, ...]]], parts: list[Part]) -> None:
    proofs = [kernel.KeyProof(3, parts, None, None) for kernel in (compiled, plain)]
    for batch in batches:
        found = [proof.feed(*encode_batch(batch)) for proof in proofs]
        assert found[0] == found[1]
        assert proofs[0].row_count == proofs[1].row_count
        if found[0] >= 0:
            break


@given(raw=st.binary(max_size=24), ends=st.lists(st.integers(0, 24), max_size=3))
def test_both_kernels_refuse_the_same_rows(raw: bytes, ends: list[int]) -> None:
    batch = RowBatch(raw, array("I", ends))
    outcomes = [_outcome(kernel, batch) for kernel in (compiled, plain)]
    assert outcomes[0] == outcomes[1]


def _outcome(kernel: ModuleType, batch: RowBatch) -> object:
    proof = kernel.KeyProof(2, [(1, BYTES, False, ())], None, (b"zz",))
    try:
        return proof.feed(*batch), proof.row_count
    except ValueError as error:
        return str(error)


def test_numbers_of_all_lengths_in_one_run(kernel: ModuleType) -> None:
    numbers = sorted(
        {sign * (10**power + step) for power in range(20) for step in (0, 1, 7) for sign in (1, -1)}
    )
    rows = encode_batch([(b"x", b"%d" % number) for number in numbers])
    proof = functools.partial(kernel.KeyProof, 2, [(1, DIGITS, False, ())])
    assert proof((b"%d" % numbers[0],), None).feed(*rows) == -1
