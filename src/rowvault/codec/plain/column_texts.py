"""Texts that are integers in disguise: read, and written again byte for byte.

Each form reads a column's texts as integers only where writing them gives the same texts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

MAXIMUM_DIGITS: Final = 18
LIMIT: Final = 10**MAXIMUM_DIGITS
"""Integers are below it in magnitude."""
MAXIMUM_FRACTION: Final = 6
MAXIMUM_PREFIX: Final = 16
DAY_SECONDS: Final = 86400
HOUR_LIMIT: Final = 1000
_EPOCH = datetime.date(1970, 1, 1).toordinal()
FIRST_DAY: Final = datetime.date(1, 1, 1).toordinal() - _EPOCH
LAST_DAY: Final = datetime.date(9999, 12, 31).toordinal() - _EPOCH

T = TypeVar("T")

_NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_DATE = re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(rb"([0-9]{2}|[1-9][0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number in its only spelling."""

    mantissa: int
    scale: int
    """Digits behind the point."""
    whole_digits: int


def read_number(text: bytes) -> Number | None:
    """The number; None where it would be written differently, or has too many digits."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction = match[1], match[2], match[3] or b""
    if len(whole) + len(fraction) > MAXIMUM_DIGITS:
        return None
    mantissa = int(whole + fraction)
    if sign and not mantissa:
        return None
    return Number(-mantissa if sign else mantissa, len(fraction), len(whole))


def write_number(mantissa: int, scale: int) -> bytes:
    """The text of `mantissa` / 10^`scale`."""
    digits = b"%0*d" % (scale + 1, abs(mantissa))
    text = digits[:-scale] + b"." + digits[-scale:] if scale else digits
    return b"-" + text if mantissa < 0 else text


def read_padded(text: bytes) -> int | None:
    """All digits, and not too many of them."""
    if 0 < len(text) <= MAXIMUM_DIGITS and not text.strip(b"0123456789"):
        return int(text)
    return None


def read_day(text: bytes) -> int | None:
    """Days since 1970 of YYYY-MM-DD in the Gregorian calendar, from the year 1 on."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.date(*map(int, match.groups())).toordinal() - _EPOCH
    except ValueError:
        return None


def write_day(day: int) -> bytes:
    """The date of a day from FIRST_DAY to LAST_DAY."""
    return datetime.date.fromordinal(day + _EPOCH).isoformat().encode()


def read_clock(text: bytes, hour_limit: int) -> tuple[int, bytes] | None:
    """(seconds, fraction's digits) of hh:mm:ss[.f]; hours have a third digit where they need it."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = map(int, match.groups()[:3])
    fraction = match[4] or b""
    if hour >= hour_limit or minute > 59 or second > 59 or len(fraction) > MAXIMUM_FRACTION:
        return None
    return hour * 3600 + minute * 60 + second, fraction


def write_clock(seconds: int) -> bytes:
    """hh:mm:ss."""
    return b"%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def read_moment(text: bytes) -> tuple[int, bytes] | None:
    """(seconds since 1970, fraction's digits) of YYYY-MM-DD hh:mm:ss[.f]."""
    day = read_day(text[:10])
    clock = read_clock(text[11:], 24)
    if day is None or clock is None or text[10:11] != b" ":
        return None
    return day * DAY_SECONDS + clock[0], clock[1]


def write_moment(seconds: int) -> bytes:
    """YYYY-MM-DD hh:mm:ss."""
    day, rest = divmod(seconds, DAY_SECONDS)
    return write_day(day) + b" " + write_clock(rest)


def read_interval(text: bytes) -> tuple[int, bytes] | None:
    """(seconds, fraction's digits) of hh:mm:ss[.f] below 1000 hours."""
    return read_clock(text, HOUR_LIMIT)


def prefix_of(value: bytes) -> bytes | None:
    """What stands before a number in it; None where no digit comes early enough."""
    for length in range(min(len(value), MAXIMUM_PREFIX + 1)):
        if value[length : length + 1].isdigit():
            return value[: length - (value[length - 1 : length] == b"-")]
    return None


def read_all(texts: Sequence[bytes], read: Callable[[bytes], T | None]) -> list[T] | None:
    """What each text means; None where one means nothing."""
    result: list[T] = []
    for text in texts:
        value = read(text)
        if value is None:
            return None
        result.append(value)
    return result
