"""Guesses between two key values: nearly in order, and always something a server can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.core.model import Column, ValueKind
from rowvault.source.mysql.keys.bounds import KeyPart, TextKind
from rowvault.source.mysql.keys.ranges import OrderPart
from rowvault.source.mysql.keys.scales import Scale, scale_for


def part(kind: str, charset: str = "", collation: str = "") -> KeyPart:
    text = TextKind(charset, collation) if charset else None
    return KeyPart(OrderPart("k"), Column("k", kind, ValueKind.TEXT), text)


def scale(one: KeyPart, low: bytes, high: bytes) -> Scale:
    found = scale_for(one, low, high)
    assert found is not None
    return found


EXACT = [
    ("bigint unsigned", b"0", b"18446744073709551615"),
    ("bigint(20)", b"-9223372036854775808", b"-1"),
    ("int(5) unsigned zerofill", b"00042", b"00050"),
    ("decimal(30,10)", b"-142.8571428571", b"0.0000000001"),
    ("date", b"0001-01-01", b"9999-12-31"),
    ("datetime", b"2020-02-29 23:59:59", b"2020-03-01 00:00:00"),
    ("timestamp(6)", b"2020-01-01 00:00:00.000001", b"2020-01-01 00:00:00.500000"),
    ("time(6)", b"-838:59:59.000000", b"-00:00:00.000001"),
    ("time", b"01:02:03", b"838:59:59"),
    ("varbinary(9)", b"", b"\xff\x00\x01"),
]


@pytest.mark.parametrize(("kind", "low", "high"), EXACT)
def test_a_value_halfway_lies_between(kind: str, low: bytes, high: bytes) -> None:
    one = scale(part(kind), low, high)
    first, last = one.number(low), one.number(high)
    assert first < last
    middle = (first + last + 1) // 2
    assert one.number(one.value(middle)) == middle
    assert one.number(one.value(last)) == last


@pytest.mark.parametrize(
    ("kind", "value"),
    [("date", b"0000-00-00"), ("date", b"2024-02-30"), ("datetime", b"2024-00-00 00:00:00")],
)
def test_dates_of_no_calendar_have_no_place(kind: str, value: bytes) -> None:
    assert scale_for(part(kind), value, b"2024-01-01") is None


@pytest.mark.parametrize(
    ("charset", "low", "high"),
    [
        ("utf8mb4", b"tenant-00012", b"Tenant-00013"),
        ("latin1", b"a", b"\xe9t\xe9"),
        ("utf16", b"\x00a", b"\x65\xe5"),
        ("utf8mb4", b"\x01", "\U0001f600".encode()),
    ],
)
def test_a_text_halfway_is_text(charset: str, low: bytes, high: bytes) -> None:
    one = scale(part("varchar(20)", charset, f"{charset}_general_ci"), low, high)
    first, last = sorted((one.number(low), one.number(high)))
    for number in (first + 1, (first + last) // 2, last - 1):
        one.number(one.value(number))


def test_case_does_not_matter_unless_the_collation_is_binary() -> None:
    folded = scale(part("char(3)", "utf8mb4", "utf8mb4_general_ci"), b"aB", b"Ab")
    assert folded.number(b"aB") == folded.number(b"Ab")
    exact = scale(part("char(3)", "utf8mb4", "utf8mb4_bin"), b"aB", b"Ab")
    assert exact.number(b"Ab") < exact.number(b"aB")


@pytest.mark.parametrize("charset", ["gbk", "sjis"])
def test_other_charsets_have_no_scale(charset: str) -> None:
    assert scale_for(part("char(3)", charset, f"{charset}_bin"), b"a", b"b") is None


def test_text_that_is_none_has_no_scale() -> None:
    assert scale_for(part("char(3)", "utf8mb4", "utf8mb4_bin"), b"\xff", b"b") is None


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=2))
def test_any_two_texts_have_a_text_between(texts: list[str]) -> None:
    low, high = sorted(texts)
    one = scale(part("text", "utf8mb4", "utf8mb4_bin"), low.encode(), high.encode())
    first, last = one.number(low.encode()), one.number(high.encode())
    one.value((first + last) // 2).decode()
