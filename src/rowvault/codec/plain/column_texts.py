"""Texts that are integers in disguise: read, and written again byte for byte.

A text is read as integers only where writing them gives the same text; else it is None.
"""

from __future__ import annotations

import datetime
import re
from typing import Final, NamedTuple

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


class Reading(NamedTuple):
    """A text as integers."""

    parameter: int
    """How many digits: behind the point, of the fraction, or of a padded number; else 0."""
    integers: tuple[int, ...]


_NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_DATE = re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(rb"([0-9]{2}|[1-9][0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?")


def read_number(text: bytes) -> Reading | None:
    """A decimal number in its only spelling: digits behind the point, and all digits as integer."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction = match[1], match[2], match[3] or b""
    mantissa = int(whole + fraction)
    if len(whole) + len(fraction) > MAXIMUM_DIGITS or (sign and not mantissa):
        return None
    return Reading(len(fraction), (-mantissa if sign else mantissa,))


def write_number(mantissa: int, scale: int) -> bytes:
    """The text of `mantissa` / 10^`scale`."""
    digits = b"%0*d" % (scale + 1, abs(mantissa))
    text = digits[:-scale] + b"." + digits[-scale:] if scale else digits
    return b"-" + text if mantissa < 0 else text


def read_padded(text: bytes) -> Reading | None:
    """How many digits, if nothing else; as integer."""
    if 0 < len(text) <= MAXIMUM_DIGITS and not text.strip(b"0123456789"):
        return Reading(len(text), (int(text),))
    return None


def read_day(text: bytes) -> Reading | None:
    """Days since 1970 of YYYY-MM-DD in the Gregorian calendar, from the year 1 on."""
    day = _day(text)
    return None if day is None else Reading(0, (day,))


def _day(text: bytes) -> int | None:
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


def _clock(text: bytes, hour_limit: int) -> Reading | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = map(int, match.groups()[:3])
    digits = match[4] or b""
    if hour >= hour_limit or minute > 59 or second > 59 or len(digits) > MAXIMUM_FRACTION:
        return None
    return Reading(len(digits), (hour * 3600 + minute * 60 + second, int(digits or b"0")))


def write_clock(seconds: int) -> bytes:
    """hh:mm:ss."""
    return b"%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def read_moment(text: bytes) -> Reading | None:
    """Seconds since 1970 of YYYY-MM-DD hh:mm:ss[.f], and the fraction with so many digits."""
    day = _day(text[:10])
    clock = _clock(text[11:], 24)
    if day is None or clock is None or text[10:11] != b" ":
        return None
    seconds, fraction = clock.integers
    return Reading(clock.parameter, (day * DAY_SECONDS + seconds, fraction))


def write_moment(seconds: int) -> bytes:
    """YYYY-MM-DD hh:mm:ss."""
    day, rest = divmod(seconds, DAY_SECONDS)
    return write_day(day) + b" " + write_clock(rest)


def read_interval(text: bytes) -> Reading | None:
    """Seconds of hh:mm:ss[.f], hours with a third digit where they need it, and the fraction."""
    return _clock(text, HOUR_LIMIT)


def prefix_of(value: bytes) -> bytes | None:
    """What stands before a number in it; None where no digit comes early enough."""
    for length in range(min(len(value), MAXIMUM_PREFIX + 1)):
        if value[length : length + 1].isdigit():
            return value[: length - (value[length - 1 : length] == b"-")]
    return None
