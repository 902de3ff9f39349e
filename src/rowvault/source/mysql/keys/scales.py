"""Key values as numbers, so that a value halfway between two others can be reckoned.

What comes out is only a guess at where to look: the server says which row comes next there, and
how many lie on either side. Order that a scale gets wrong, such as a collation's, makes guesses
poorer and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import msgspec

from rowvault.source.mysql.keys.bounds import BYTES, NUMBERS, KeyPart

_CODECS = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",
    "latin1": "cp1252",
    "latin2": "iso8859-2",
    "ascii": "ascii",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1256": "cp1256",
    "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "koi8r": "koi8-r",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E
_FIRST_SURROGATE = 0xD800
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_TIME = re.compile(rb"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")


class Scale(Protocol):
    """A way between the values of a column and whole numbers, mostly in order."""

    def number(self, value: bytes) -> int:
        """Where a value lies. Raises ValueError for one that has no place."""
        ...

    def value(self, number: int) -> bytes:
        """A value that lies about there."""
        ...


def scale_for(part: KeyPart, low: bytes, high: bytes) -> Scale | None:
    """A scale on which both values lie; None where the type has none, or they are too odd."""
    scale = _scale(part, low, high)
    if scale is None:
        return None
    try:
        scale.number(low)
        scale.number(high)
    except ValueError:
        return None
    return scale


def _scale(part: KeyPart, low: bytes, high: bytes) -> Scale | None:
    base = part.base
    if part.text is not None:
        codec = _CODECS.get(part.text.charset.lower())
        return _text_scale(codec, low, high, not part.text.collation.endswith("bin"))
    if base in BYTES:
        return BytesScale(max(len(low), len(high)) + 1)
    if base in ("decimal", "numeric"):
        return DecimalScale(len(low.partition(b".")[2]))
    if base == "number" or base in NUMBERS:
        return DecimalScale(0)
    return _BY_TYPE.get(base)


class DecimalScale(msgspec.Struct, frozen=True):
    """Integers and decimals of a fixed number of digits behind the point."""

    digits: int

    def number(self, value: bytes) -> int:
        """In units of the last digit."""
        return int(Decimal(value.decode("ascii")).scaleb(self.digits))

    def value(self, number: int) -> bytes:
        """The number with its point."""
        return b"%s" % format(Decimal(number).scaleb(-self.digits), "f").encode("ascii")


class DateScale:
    """Days."""

    def number(self, value: bytes) -> int:
        """Since the first one. Raises ValueError for dates that no calendar has."""
        return date.fromisoformat(value.decode("ascii")).toordinal()

    def value(self, number: int) -> bytes:
        """The date."""
        return date.fromordinal(number).isoformat().encode("ascii")


class MomentScale:
    """Dates with a time."""

    def number(self, value: bytes) -> int:
        """Microseconds. Raises ValueError for dates that no calendar has."""
        moment = datetime.fromisoformat(value.decode("ascii")).replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1)

    def value(self, number: int) -> bytes:
        """Date and time."""
        moment = _EPOCH + timedelta(microseconds=number)
        return moment.replace(tzinfo=None).isoformat(" ").encode("ascii")


class TimeScale:
    """Times of TIME columns, which may be negative and longer than a day."""

    def number(self, value: bytes) -> int:
        """Microseconds. Raises ValueError for anything else."""
        match = _TIME.fullmatch(value)
        if match is None:
            raise ValueError("not a time")
        sign, hours, minutes, seconds, fraction = match.groups()
        whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
        number = whole * 1_000_000 + int((fraction or b"").ljust(6, b"0"))
        return -number if sign else number

    def value(self, number: int) -> bytes:
        """Hours, minutes, seconds and the fraction."""
        whole, fraction = divmod(abs(number), 1_000_000)
        minutes, seconds = divmod(whole, 60)
        sign = "-" if number < 0 else ""
        text = f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{fraction:06}"
        return text.encode("ascii")


_BY_TYPE: dict[str, Scale] = {
    "date": DateScale(),
    "datetime": MomentScale(),
    "timestamp": MomentScale(),
    "time": TimeScale(),
}


class BytesScale(msgspec.Struct, frozen=True):
    """Bytes as digits."""

    width: int

    def number(self, value: bytes) -> int:
        """As if zeros followed."""
        return int.from_bytes(value[: self.width].ljust(self.width, b"\0"), "big")

    def value(self, number: int) -> bytes:
        """Without the zeros at its end."""
        return number.to_bytes(self.width, "big").rstrip(b"\0")


class TextScale(msgspec.Struct, frozen=True):
    """Characters as digits."""

    codec: str
    width: int
    least: int
    """The code point of the digit nought, which stands for no character at all too."""
    greatest: int
    is_plain: bool
    """Case and accents do not count."""

    def number(self, value: bytes) -> int:
        """As if the least character followed. Raises ValueError for bytes that are no text."""
        number, base = 0, self.greatest - self.least + 1
        text = _folded(value.decode(self.codec), self.is_plain)
        for character in text[: self.width].ljust(self.width, chr(self.least)):
            number = number * base + min(max(ord(character) - self.least, 0), base - 1)
        return number

    def value(self, number: int) -> bytes:
        """Without the least characters at its end."""
        digits, base = [], self.greatest - self.least + 1
        for _ in range(self.width):
            number, digit = divmod(number, base)
            digits.append(chr(self.least + digit))
        text = "".join(reversed(digits)).rstrip(chr(self.least))
        return text.encode(self.codec, "replace")


def _text_scale(codec: str | None, low: bytes, high: bytes, is_plain: bool) -> TextScale | None:
    if codec is None:
        return None
    try:
        texts = [_folded(value.decode(codec), is_plain) for value in (low, high)]
    except ValueError:
        return None
    points = [ord(character) for text in texts for character in text]
    least = min(_FIRST_PRINTABLE, *points, _FIRST_PRINTABLE)
    greatest = min(max(_LAST_PRINTABLE, *points, _LAST_PRINTABLE), _FIRST_SURROGATE - 1)
    return TextScale(codec, max(map(len, texts)) + 2, least, greatest, is_plain)


def _folded(text: str, is_plain: bool) -> str:
    """Without case and accents, which few collations look at first."""
    if not is_plain or text.isascii():
        return text.casefold() if is_plain else text
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
