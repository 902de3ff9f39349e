"""One row that stands in several blocks, as the text of each of them: read by parts, never whole.

Where the text of a fragment begins, and within which value, follows from the fragments before it. A
value's bytes in hexadecimal are as long as the tree says without being read; of a text, the escapes
are counted once, on the way to where it is read.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rows import NULL, encode_row, read_length
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId
from rowvault.core.model import ValueKind
from rowvault.repository import LeafEntry

Read = Callable[[BlockId], bytes]

_SHORT_BYTES = 64
"""A value up to this long is written as a whole, in the fragment in which it ends."""
_LONGEST_LENGTH = 9


@dataclass(frozen=True, slots=True)
class _Form:
    """How the bytes of a long value are written: with this kind, between these."""

    kind: ValueKind
    lead: bytes
    """What makes a value of that kind of any part of it."""
    opening: bytes
    closing: bytes


@dataclass(frozen=True, slots=True)
class _State:
    """Where in the row a fragment begins."""

    column: int = 0
    form: _Form | None = None
    """Of the long value in which it begins."""
    left: int = 0
    """Bytes of that value from here on."""
    carried: bytes = b""
    """What the fragment before left over: less than a short value and its length."""


_START = _State()


@dataclass(frozen=True, slots=True)
class _Mark:
    """A fragment's place in the statement."""

    start: int
    length: int
    before: _State


class LargeRowText:
    """A statement whose only row is cut into fragments. Used from any thread."""

    def __init__(
        self,
        read: Read,
        group: Sequence[LeafEntry],
        layout: RowLayout,
        frame: tuple[bytes, bytes],
    ) -> None:
        self._read = read
        self._group = group
        self._layout = layout
        self._frame = frame
        self.length = sum(map(len, frame)) + sum(entry.rendered_bytes for entry in group)
        self._lock = threading.Lock()
        self._marks: list[_Mark] = []
        self._next = _START

    def chunks(self, offset: int) -> Iterator[tuple[int, FragmentText]]:
        """(start in the statement, chunk) from the one that covers `offset` on.

        Raises DamageError.
        """
        for number in range(len(self._group)):
            mark = self._mark(number)
            if mark.length and mark.start + mark.length > offset:
                yield mark.start, FragmentText(self, number, mark)

    def identity(self, number: int, before: _State) -> tuple[object, ...]:
        """All that decides what a fragment reads."""
        ends = (number == 0, number + 1 == len(self._group))
        kinds = (self._layout.kinds, self._layout.introducers)
        return (*self._frame, *kinds, *ends, before, self._group[number].id)

    def text(self, number: int, before: _State) -> bytes:
        """A fragment's part of the statement. Raises DamageError."""
        parts: list[bytes] = []
        self._walk(number, before, parts.append)
        return b"".join(parts)

    def _mark(self, number: int) -> _Mark:
        with self._lock:
            while len(self._marks) <= number:
                self._marks.append(self._measured(len(self._marks)))
            return self._marks[number]

    def _measured(self, number: int) -> _Mark:
        start = self._marks[-1].start + self._marks[-1].length if self._marks else 0
        before, entry = self._next, self._group[number]
        is_last = number + 1 == len(self._group)
        is_hex = before.form is not None and before.form.kind is ValueKind.BYTES
        if is_hex and before.left > entry.raw_bytes and not is_last:
            length = 2 * entry.raw_bytes
            self._next = replace(before, left=before.left - entry.raw_bytes)
        else:
            lengths: list[int] = []
            self._next = self._walk(number, before, lambda part: lengths.append(len(part)))
            length = sum(lengths)
        if is_last and start + length != self.length:
            raise CorruptError(
                f"a row in fragments is {start + length} bytes of text, where the tree says "
                f"{self.length}"
            )
        return _Mark(start, length, before)

    def _walk(self, number: int, state: _State, emit: Callable[[bytes], object]) -> _State:
        """Writes one fragment's part; the state behind it. Raises DamageError."""
        if number == 0:
            emit(self._frame[0])
        data = state.carried + self._read(self._group[number].id)
        walk = _Walk(self._layout, data, emit, lambda left: self._holds_nul(number + 1, left))
        try:
            behind = walk.run(state)
        except ValueError as error:
            raise CorruptError(f"a row cannot be written as text: {error}") from error
        if number + 1 == len(self._group):
            if behind.column != self._layout.column_count or behind.left or behind.carried:
                raise CorruptError("a row in fragments ends inside a value")
            emit(self._frame[1])
        return behind

    def _holds_nul(self, number: int, left: int) -> bool:
        """Whether a NUL is in the next `left` bytes, from this fragment on."""
        while left > 0 and number < len(self._group):
            data = self._read(self._group[number].id)
            if b"\0" in data[:left]:
                return True
            left -= len(data)
            number += 1
        return False


class _Walk:
    """Once over the bytes of one fragment."""

    def __init__(
        self,
        layout: RowLayout,
        data: bytes,
        emit: Callable[[bytes], object],
        holds_nul: Callable[[int], bool],
    ) -> None:
        self._layout = layout
        self._data = data
        self._emit = emit
        self._holds_nul = holds_nul
        self._at = 0

    def run(self, state: _State) -> _State:
        """The state behind it. Raises ValueError, CorruptError."""
        state = replace(state, carried=b"")
        while self._at < len(self._data):
            if state.form is not None:
                state = self._go_on(state, state.form)
                continue
            if state.column == self._layout.column_count:
                raise CorruptError("bytes are left behind the last value of a row")
            begun = self._begin(state)
            if begun is None:
                return replace(state, carried=self._data[self._at :])
            state = begun
        return state

    def _begin(self, state: _State) -> _State | None:
        """Writes a whole value, or the opening of a long one; None where it is cut too early."""
        head = self._data[self._at : self._at + _LONGEST_LENGTH + 1]
        if head[0] == NULL:
            return self._whole(state, self._at + 1)
        try:
            length, width = read_length(head, 0)
        except CorruptError:
            if len(head) > _LONGEST_LENGTH:
                raise
            return None
        start, kind = self._at + width, ValueKind(self._layout.kinds[state.column])
        stop = start + length
        if length <= _SHORT_BYTES or kind is ValueKind.NUMBER:
            return self._whole(state, stop) if stop <= len(self._data) else None
        if kind is ValueKind.DYNAMIC:
            if start == len(self._data):
                return None
            found, start = self._data[start : start + 1], start + 1
            form = self._sqlite_form(found, start, stop)
        elif kind is ValueKind.BYTES:
            introducer = self._layout.introducers[state.column]
            form = _Form(kind, b"", introducer + b"X'", b"'")
        else:
            form = _Form(kind, b"", b"'", b"'")
        self._emit(_before(state.column) + form.opening)
        self._at = start
        return replace(state, form=form, left=stop - start)

    def _sqlite_form(self, found: bytes, start: int, stop: int) -> _Form:
        if found == b"b":
            return _Form(ValueKind.BYTES, b"", b"X'", b"'")
        if found != b"t":
            raise CorruptError("a long value of SQLite is neither text nor bytes")
        rest = stop - len(self._data)
        if b"\0" in self._data[start:stop] or (rest > 0 and self._holds_nul(rest)):
            return _Form(ValueKind.BYTES, b"", b"CAST(X'", b"' AS TEXT)")
        return _Form(ValueKind.DYNAMIC, b"t", b"'", b"'")

    def _whole(self, state: _State, stop: int) -> _State:
        column = state.column
        field = self._data[self._at : stop]
        literal = _literal(field, self._layout.kinds[column], self._layout.introducers[column])
        self._emit(_before(column) + literal)
        self._at = stop
        return self._ended(state)

    def _go_on(self, state: _State, form: _Form) -> _State:
        part = self._data[self._at : self._at + state.left]
        literal = _literal(encode_row((form.lead + part,)), form.kind, b"")
        self._emit(literal[2:-1] if form.kind is ValueKind.BYTES else literal[1:-1])
        self._at += len(part)
        if len(part) < state.left:
            return replace(state, left=state.left - len(part))
        self._emit(form.closing)
        return self._ended(state)

    def _ended(self, state: _State) -> _State:
        if state.column + 1 == self._layout.column_count:
            self._emit(b")")
        return _State(state.column + 1)


def _before(column: int) -> bytes:
    return b"," if column else b"("


def _literal(field: bytes, kind: int, introducer: bytes) -> bytes:
    """Of one field as it stands in a row. Raises ValueError."""
    ends = array("I", [len(field)])
    return kernel.render_tuples(field, ends, bytes((kind,)), (introducer,))[1:-1]


@dataclass(frozen=True, slots=True)
class FragmentText:
    """The part of a large row's statement that one block makes."""

    row: LargeRowText
    number: int
    mark: _Mark

    @property
    def identity(self) -> tuple[object, ...]:
        """All that decides what it reads."""
        return self.row.identity(self.number, self.mark.before)

    @property
    def length(self) -> int:
        """In bytes."""
        return self.mark.length

    @property
    def statement_length(self) -> int:
        """Of the statement that it is a part of."""
        return self.row.length

    def text(self) -> bytes:
        """The bytes. Raises DamageError."""
        return self.row.text(self.number, self.mark.before)
