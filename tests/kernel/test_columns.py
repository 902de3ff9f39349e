"""Rows arranged by column come back as they were, and damaged arrangements are refused."""

from __future__ import annotations

import hashlib
from types import ModuleType

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kernel.strategies import Table, binary, numbers, seeded_batch, tables
from rowvault.codec import compiled, plain
from rowvault.codec.rows import Value, encode_batch


@pytest.fixture(scope="session", params=[compiled, plain], ids=["compiled", "plain"])
def columns(request: pytest.FixtureRequest) -> ModuleType:
    """The compiled column layout, then its plain twin."""
    return request.param


digits = st.text("0123456789", min_size=1, max_size=19).map(str.encode)
days = st.dates().map(lambda day: day.isoformat().encode())
moments = st.datetimes().map(lambda moment: moment.isoformat(" ").encode())
intervals = st.builds(
    lambda hour, rest: b"%02d:%02d:%02d" % (hour, rest // 60, rest % 60),
    st.integers(0, 1100),
    st.integers(0, 3700),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2).map(
    lambda number: str(number).encode()
)
prefixed = st.builds(
    lambda prefix, text: prefix + text, st.sampled_from([b"SKU-", b"i", b""]), digits
)
nearly_numbers = st.text("01259.-", min_size=1, max_size=10).map(str.encode)
few = st.sampled_from([b"", b"new", b"paid", b"a longer value of thirty bytes"])
kinds = (numbers, decimals, nearly_numbers, digits, prefixed, days, moments, intervals, few, binary)


@st.composite
def columns_of_one_kind(draw: st.DrawFn) -> list[tuple[Value, ...]]:
    """Rows whose columns hold what one type of column would, NULL and strangers among it."""
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    fields = [draw(st.sampled_from([kind, kind | st.none(), kind | binary])) for kind in chosen]
    return draw(st.lists(st.tuples(*fields), min_size=1, max_size=60))


@given(rows=columns_of_one_kind())
def test_rows_come_back(columns: ModuleType, rows: list[tuple[Value, ...]]) -> None:
    raw = encode_batch(rows).rows
    arranged = columns.arrange(raw, len(rows[0]))
    assert arranged == plain.arrange(raw, len(rows[0]))
    if arranged is not None:
        data, ends = arranged
        assert len(data) <= len(raw)
        assert list(ends) == sorted(set(ends))
        assert ends[-1] == len(data)
        assert columns.restore_rows(data, len(raw)) == raw


@given(texts=st.lists(nearly_numbers, min_size=1, max_size=3))
def test_nearly_numbers_are_told_from_numbers(columns: ModuleType, texts: list[bytes]) -> None:
    """Each among many numbers, so that it does not undo their form."""
    rows = [(b"%d" % (n * 37 + 12_345_678),) for n in range(60)]
    rows[20:20] = [(text,) for text in texts]
    raw = encode_batch(rows).rows
    arranged = columns.arrange(raw, 1)
    assert arranged == plain.arrange(raw, 1)
    assert arranged is not None
    assert columns.restore_rows(arranged[0], len(raw)) == raw


@given(table=tables())
def test_rows_of_any_table_come_back(columns: ModuleType, table: Table) -> None:
    raw = table.batch.rows
    arranged = columns.arrange(raw, table.layout.column_count)
    if arranged is not None:
        assert columns.restore_rows(arranged[0], len(raw)) == raw


def test_what_is_no_row_is_refused(columns: ModuleType) -> None:
    with pytest.raises(ValueError, match="byte 2"):
        columns.arrange(b"\1a", 2)
    with pytest.raises(ValueError, match="at least one"):
        columns.arrange(b"", 0)


@given(data=st.binary(max_size=200), raw_bytes=st.integers(0, 400))
def test_any_bytes_are_restored_alike_or_refused(data: bytes, raw_bytes: int) -> None:
    results = []
    for module in (compiled, plain):
        try:
            results.append(module.restore_rows(data, raw_bytes))
        except ValueError:
            results.append(None)
    assert results[0] == results[1]


SEEDED = encode_batch(
    (
        b"%d" % number,
        b"%d" % (number * number % 1009),
        b"%d.%02d" % (number * 7919 % 500, number * 104729 % 100),
        b"%d.%s" % (number % 7, b"5" * (number % 4 + 1)),
        b"SKU-%06d" % (number * 31),
        b"2026-%02d-%02d" % (number % 12 + 1, number % 28 + 1),
        b"2026-11-28 %02d:%02d:%02d.%03d" % (number % 24, number % 60, number % 59, number % 1000),
        b"%02d:%02d:%02d" % (number % 200, number % 60, number % 60),
        (b"new", b"paid", None)[number % 3],
        None if number % 5 == 0 else b"%d" % (number * 3),
        bytes((number % 256,)) * 3 + b"%03d" % (number % 997),
        b"text " * (number % 3) + b"%d" % number + b"x" * (300 if number == 77 else 0),
    )
    for number in range(1, 600)
).rows


def test_the_layout_does_not_change(columns: ModuleType) -> None:
    """Pinned: what is stored must be readable, and bases must stay alike, for ever."""
    arranged = columns.arrange(SEEDED, 12)
    assert arranged is not None
    data, ends = arranged
    assert len(ends) == 23
    assert (
        hashlib.sha256(data).hexdigest()
        == "bf6dc1743c58cc4d683af7fdb5be2faadfa9d27cdf25066d8a75576de215c918"
    )
    assert columns.restore_rows(data, len(SEEDED)) == SEEDED
    mixed = seeded_batch(0, 300)
    data, _ = columns.arrange(mixed.rows, 4)
    assert (
        hashlib.sha256(data).hexdigest()
        == "37b75202df5ae82746eb98aa6a95a7ad65d47b28e121e2d64c04e1471bd3ffc5"
    )


def test_one_changed_row_leaves_the_others_bytes(columns: ModuleType) -> None:
    """Bases serve as prefixes: of each column only the neighbourhood of the change differs."""
    rows = [(b"%d" % n, b"%d" % (n * 7919 % 5003), b"text %d" % n) for n in range(2000)]
    before, _ = columns.arrange(encode_batch(rows).rows, 3)
    rows[1000] = (b"1000", b"77", b"changed")
    del rows[300]
    after, _ = columns.arrange(encode_batch(rows).rows, 3)
    prefix = zstandard.ZstdCompressionDict(before, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    packed = zstandard.ZstdCompressor(level=3, dict_data=prefix).compress(after)
    assert len(packed) < 300
