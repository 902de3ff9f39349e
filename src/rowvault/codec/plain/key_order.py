"""Keys in the order of the server's index, as far as that order is known without the server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rowvault.codec.plain.buffers import take_bytes, take_ends
from rowvault.codec.plain.rows import BAD_ENDS, check_column_count, fault, read_field
from rowvault.codec.rows import Value

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

AS_DIGITS, AS_BYTES, AS_MEMBER = 1, 2, 3
MOST_KEY_PARTS: Final = 64

OrderedPart = tuple[int, int, bool, tuple[bytes, ...]]
"""(column, order of its values, whether the index has it falling, members of an ENUM)"""

_DIGITS = re.compile(rb"(-?)([0-9]+)([0-9.:]*)", re.DOTALL)
_MEMBER_NUMBER = re.compile(rb"[0-9]{1,9}", re.DOTALL)


class _NoPlaceError(Exception):
    """A value that is none of its column's."""


class _Place(NamedTuple):
    """What a value is compared by."""

    data: bytes
    """Behind sign and leading zeros, where these are digits."""
    whole: int = 0
    """Digits in front of the point or colon; of a member its number."""
    negative: bool = False


def _digits_place(value: bytes) -> _Place:
    match = _DIGITS.fullmatch(value)
    if match is None:
        raise _NoPlaceError
    sign, whole, rest = match.groups()
    whole = whole.lstrip(b"0")
    is_zero = not whole and not rest.strip(b"0.:")
    return _Place(whole + rest, len(whole), bool(sign) and not is_zero)


def _place(part: OrderedPart, value: Value) -> _Place:
    _, order, _, members = part
    if value is None:
        raise _NoPlaceError
    if order == AS_DIGITS:
        return _digits_place(value)
    if order == AS_BYTES:
        return _Place(value)
    if value and value not in members:
        raise _NoPlaceError
    return _Place(b"", members.index(value) + 1 if value else 0)


def _bound_place(part: OrderedPart, value: bytes) -> _Place:
    if not isinstance(value, bytes):
        raise TypeError("values are bytes")
    try:
        if part[1] != AS_MEMBER:
            return _place(part, value)
        if _MEMBER_NUMBER.fullmatch(value):
            return _Place(b"", int(value))
    except _NoPlaceError:
        pass
    raise ValueError("a bound is no value of its column")


def _sign(left: int | bytes, right: int | bytes) -> int:
    return (left > right) - (left < right)  # type: ignore[operator]  # both are of one kind


def _compare_magnitudes(left: _Place, right: _Place) -> int:
    """A longer whole part is greater; noughts at the end of a fraction do not count."""
    common = min(len(left.data), len(right.data))
    found = _sign(left.whole, right.whole) or _sign(left.data[:common], right.data[:common])
    if found:
        return found
    rests = (left.data[common:].strip(b"0.:"), right.data[common:].strip(b"0.:"))
    return bool(rests[0]) - bool(rests[1])


def _compare(part: OrderedPart, left: _Place, right: _Place) -> int:
    """-1, 0 or 1, in the direction in which the index has this column."""
    if part[1] == AS_MEMBER:
        found = _sign(left.whole, right.whole)
    elif part[1] == AS_BYTES:
        found = _sign(left.data, right.data)
    elif left.negative != right.negative:
        found = -1 if left.negative else 1
    else:
        found = _compare_magnitudes(left, right)
        found = -found if left.negative else found
    return -found if part[2] else found


class KeyProof:
    """Proves that the rows of a row-chunk ascend strictly by their key, within its bounds.

    `parts`: for each key column, in key order, (column, order, falls, members); order 1: decimal
    numbers and times, 2: bytes, 3: members of an ENUM by number. `low` is the key of the first row,
    `high` lies behind the last one; None: an open end. Members stand in bounds by number.
    """

    def __init__(
        self,
        column_count: int,
        parts: Sequence[OrderedPart],
        low: tuple[bytes, ...] | None,
        high: tuple[bytes, ...] | None,
    ) -> None:
        check_column_count(column_count)
        self._parts = tuple(parts)
        _check_parts(self._parts, column_count)
        self._walked_columns = max(part[0] for part in self._parts) + 1
        self._high = None if high is None else self._bound(high)
        self._previous = None if low is None else self._bound(low)
        self._begins = low is not None
        self._failed = False
        self.row_count = 0
        """Rows that were in order so far."""

    def _bound(self, key: tuple[bytes, ...]) -> list[_Place]:
        if len(key) != len(self._parts):
            raise ValueError("a bound has one value for each column of the key")
        return [_bound_place(part, value) for part, value in zip(self._parts, key, strict=True)]

    def feed(self, rows: Buffer, ends: Buffer) -> int:
        """The number of the first of these rows that is not in its place; -1: all are.

        So is a row whose key has NULL in it or a value that has no place. The proof is over then.
        Raises ValueError, naming row and byte, where rows are malformed as far as their key.
        """
        if self._failed:
            raise ValueError("the proof has failed before")
        self._failed = True
        data, start = take_bytes(rows), 0
        listed = take_ends(ends)
        for ordinal, end in enumerate(listed):
            if not start < end <= len(data):
                fault(ordinal, start, BAD_ENDS)
            if not self._takes(self._key(data, start, end, ordinal)):
                return ordinal
            self.row_count += 1
            start = end
        if start != len(data):
            fault(len(listed), start, BAD_ENDS)
        self._failed = False
        return -1

    def _key(self, rows: bytes, start: int, end: int, ordinal: int) -> list[Value]:
        values = []
        for _ in range(self._walked_columns):
            value, start = read_field(rows, start, end, ordinal)
            values.append(value)
        return [values[part[0]] for part in self._parts]

    def _takes(self, key: list[Value]) -> bool:
        try:
            places = [_place(part, value) for part, value in zip(self._parts, key, strict=True)]
        except _NoPlaceError:
            return False
        if self._previous is not None:
            found = self._compare_keys(places, self._previous)
            if found != (0 if self._begins else 1):
                return False
        if self._high is not None and self._compare_keys(places, self._high) >= 0:
            return False
        self._previous, self._begins = places, False
        return True

    def _compare_keys(self, left: list[_Place], right: list[_Place]) -> int:
        triples = zip(self._parts, left, right, strict=True)
        return next((found for triple in triples if (found := _compare(*triple))), 0)


def _check_parts(parts: Sequence[OrderedPart], column_count: int) -> None:
    if not 0 < len(parts) <= MOST_KEY_PARTS:
        raise ValueError("a key has at least one column and at most 64")
    columns = [part[0] for part in parts]
    if len(set(columns)) != len(columns) or not all(0 <= one < column_count for one in columns):
        raise ValueError("the key names a column that is not there, or one twice")
    if not all(AS_DIGITS <= part[1] <= AS_MEMBER for part in parts):
        raise ValueError("an unknown order of values")
    if not all(isinstance(member, bytes) for part in parts for member in part[3]):
        raise TypeError("members are bytes")
