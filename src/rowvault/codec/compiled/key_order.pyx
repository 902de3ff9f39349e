# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""The order of rows by their key."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from rowvault.codec.compiled.buffers cimport Batch, Output, output_append, output_reserve
from rowvault.codec.compiled.digits cimport is_digit
from rowvault.codec.compiled.faults cimport BAD_ENDS, FINE, NO_MEMORY, Fault, Reason, raise_fault, refuse
from rowvault.codec.compiled.rows cimport Field, check_column_count, next_row, read_field


cdef enum:
    AS_DIGITS = 1
    AS_BYTES = 2
    AS_MEMBER = 3


cdef uint32_t MOST_KEY_PARTS = 64


cdef struct Member:
    const uint8_t *text
    size_t length


cdef struct OrderedPart:
    uint32_t column
    uint8_t order
    bint falls
    Member *members
    size_t member_count


cdef struct KeyValue:
    const uint8_t *data    # behind sign and leading zeros, where these are digits
    size_t length
    size_t whole           # digits in front of the point or colon; of a member its number
    bint negative


cdef bint read_digits(const uint8_t *text, size_t length, KeyValue *value) noexcept nogil:
    """A decimal number, or hours, minutes and seconds. False: neither."""
    cdef size_t at = length > 0 and text[0] == 45
    cdef size_t start = at
    cdef bint is_zero
    value.negative = at == 1
    while at < length and text[at] == 48:
        at += 1
    value.data = text + at
    value.length = length - at
    value.whole = 0
    while at < length and is_digit(text[at]):
        at += 1
        value.whole += 1
    if at == start:
        return False
    is_zero = value.whole == 0
    while at < length:
        if text[at] != 46 and not 48 <= text[at] <= 58:
            return False
        is_zero = is_zero and not 49 <= text[at] <= 57
        at += 1
    value.negative = value.negative and not is_zero
    return True


cdef bint read_member(
    const uint8_t *text, size_t length, const OrderedPart *part, KeyValue *value
) noexcept nogil:
    """The member's number; the empty text is nought. False: there is no such member."""
    cdef size_t i
    value.whole = 0
    if length == 0:
        return True
    for i in range(part.member_count):
        if part.members[i].length == length and not memcmp(part.members[i].text, text, length):
            value.whole = i + 1
            return True
    return False


cdef bint read_number(const uint8_t *text, size_t length, KeyValue *value) noexcept nogil:
    """The number of a member, as a bound has it."""
    cdef size_t i
    value.whole = 0
    for i in range(length):
        if not is_digit(text[i]) or i >= 9:
            return False
        value.whole = 10 * value.whole + (text[i] - 48)
    return length > 0


cdef inline bint read_key_value(
    const uint8_t *text, size_t length, const OrderedPart *part, KeyValue *value
) noexcept nogil:
    value.data = text
    value.length = length
    value.whole = 0
    value.negative = False
    if part.order == AS_DIGITS:
        return read_digits(text, length, value)
    return part.order == AS_BYTES or read_member(text, length, part, value)


cdef inline int sign_of(size_t one, size_t other) noexcept nogil:
    return (one > other) - (one < other)


cdef inline int compare_bytes(const KeyValue *one, const KeyValue *other) noexcept nogil:
    """Of the bytes that both have; nought: they are equal."""
    cdef size_t common = one.length if one.length < other.length else other.length
    cdef int found = memcmp(one.data, other.data, common) if common else 0
    return (found > 0) - (found < 0)


cdef int compare_magnitudes(const KeyValue *one, const KeyValue *other) noexcept nogil:
    """A longer whole part is greater; noughts at the end of a fraction do not count."""
    cdef int found = sign_of(one.whole, other.whole)
    cdef const KeyValue *longer = one if one.length > other.length else other
    cdef size_t i = one.length if longer == other else other.length
    if found == 0:
        found = compare_bytes(one, other)
    while found == 0 and i < longer.length:
        if 49 <= longer.data[i] <= 57:
            found = 1 if longer == one else -1
        i += 1
    return found


cdef int compare_values(
    const OrderedPart *part, const KeyValue *one, const KeyValue *other
) noexcept nogil:
    """-1, 0 or 1, in the direction in which the index has this column."""
    cdef int found
    if part.order == AS_MEMBER:
        found = sign_of(one.whole, other.whole)
    elif part.order == AS_BYTES:
        found = compare_bytes(one, other) or sign_of(one.length, other.length)
    elif one.negative != other.negative:
        found = -1 if one.negative else 1
    else:
        found = compare_magnitudes(one, other)
        if one.negative:
            found = -found
    return -found if part.falls else found


@cython.final
cdef class KeyProof:
    """Proves that the rows of a row-chunk ascend strictly by their key, within its bounds.

    `parts`: for each key column, in key order, (column, order, falls, members); order 1: decimal
    numbers and times, 2: bytes, 3: members of an ENUM by number. `low` is the key of the first row,
    `high` lies behind the last one; None: an open end. Members stand in bounds by number.
    """

    cdef OrderedPart *parts
    cdef uint32_t part_count
    cdef uint32_t walked_columns    # up to the last one of the key
    cdef int32_t *part_of           # column -> part, or -1
    cdef KeyValue *values           # of three keys: the row in hand, the one before it, `high`
    cdef Output held                # the bytes of the last row's key, between two feeds
    cdef tuple kept                 # keeps the bytes that is pointed to
    cdef bint has_previous
    cdef bint begins                # the next row is to be `low` itself
    cdef bint has_high
    cdef bint failed
    cdef bint busy
    cdef readonly uint64_t row_count
    """Rows that were in order so far."""

    def __cinit__(self, Py_ssize_t column_count, parts, low, high):
        cdef Py_ssize_t i
        check_column_count(column_count)
        parts = tuple(parts)
        if not 0 < len(parts) <= MOST_KEY_PARTS:
            raise ValueError("a key has at least one column and at most 64")
        self.part_count = len(parts)
        self.parts = <OrderedPart *>calloc(self.part_count, sizeof(OrderedPart))
        self.part_of = <int32_t *>malloc(column_count * sizeof(int32_t))
        self.values = <KeyValue *>calloc(3 * self.part_count, sizeof(KeyValue))
        if self.parts == NULL or self.part_of == NULL or self.values == NULL:
            raise MemoryError
        for i in range(column_count):
            self.part_of[i] = -1
        self.kept = (parts, low, high)
        for i in range(self.part_count):
            column, order, falls, members = parts[i]
            self.set_part(i, column_count, column, order, falls, members)
        if high is not None:
            self.set_bound(self.values + 2 * self.part_count, high)
            self.has_high = True
        if low is not None:
            self.set_bound(self.values + self.part_count, low)
            self.has_previous = True
            self.begins = True

    def __dealloc__(self):
        cdef uint32_t i
        if self.parts != NULL:
            for i in range(self.part_count):
                free(self.parts[i].members)
        free(self.parts)
        free(self.part_of)
        free(self.values)
        free(self.held.data)

    cdef int set_part(
        self, Py_ssize_t index, Py_ssize_t column_count, Py_ssize_t column, int order, bint falls,
        tuple members
    ) except -1:
        cdef OrderedPart *part = &self.parts[index]
        cdef Py_ssize_t i
        if not 0 <= column < column_count or self.part_of[column] >= 0:
            raise ValueError("the key names a column that is not there, or one twice")
        if not AS_DIGITS <= order <= AS_MEMBER:
            raise ValueError("an unknown order of values")
        self.part_of[column] = <int32_t>index
        part.column = <uint32_t>column
        part.order = <uint8_t>order
        part.falls = falls
        if column >= self.walked_columns:
            self.walked_columns = <uint32_t>column + 1
        part.members = <Member *>calloc(len(members) + 1, sizeof(Member))
        if part.members == NULL:
            raise MemoryError
        for i, member in enumerate(members):
            if not isinstance(member, bytes):
                raise TypeError("members are bytes")
            part.members[i].text = <const uint8_t *>PyBytes_AS_STRING(member)
            part.members[i].length = PyBytes_GET_SIZE(member)
        part.member_count = len(members)
        return 0

    cdef int set_bound(self, KeyValue *values, tuple key) except -1:
        cdef uint32_t i
        cdef const uint8_t *text
        cdef size_t length
        cdef bint fine
        if len(key) != self.part_count:
            raise ValueError("a bound has one value for each column of the key")
        for i in range(self.part_count):
            value = key[i]
            if not isinstance(value, bytes):
                raise TypeError("values are bytes")
            text = <const uint8_t *>PyBytes_AS_STRING(value)
            length = PyBytes_GET_SIZE(value)
            if self.parts[i].order == AS_MEMBER:
                fine = read_number(text, length, &values[i])
            else:
                fine = read_key_value(text, length, &self.parts[i], &values[i])
            if not fine:
                raise ValueError("a bound is no value of its column")
        return 0

    def feed(self, rows, ends):
        """The number of the first of these rows that is not in its place; -1: all are.

        So is a row whose key has NULL in it or a value that has no place. The proof is over then.
        Raises ValueError, naming row and byte, where rows are malformed as far as their key.
        """
        cdef Batch batch
        cdef Fault fault
        cdef bint fine
        cdef int64_t misplaced = -1
        if self.busy:
            raise RuntimeError("a proof is used by one thread at a time")
        if self.failed:
            raise ValueError("the proof has failed before")
        batch = Batch(rows, ends)
        self.busy = True
        self.failed = True    # until all rows are found to be in order
        try:
            with nogil:
                fine = self.scan(batch, &misplaced, &fault)
            if not fine:
                raise_fault(&fault)
            self.failed = misplaced >= 0
            return misplaced
        finally:
            self.busy = False

    cdef bint scan(self, Batch batch, int64_t *misplaced, Fault *fault) noexcept nogil:
        cdef size_t start = 0
        cdef size_t end
        cdef size_t row
        cdef bint is_readable
        for row in range(batch.count):
            if not next_row(batch.end_data, batch.length, row, start, &end, fault):
                return False
            if not self.read_key(batch.data, row, start, end, &is_readable, fault):
                return False
            if not is_readable or not self.is_in_place():
                misplaced[0] = <int64_t>row
                return True
            memcpy(
                self.values + self.part_count, self.values, self.part_count * sizeof(KeyValue)
            )
            self.has_previous = True
            self.begins = False
            self.row_count += 1
            start = end
        if start != batch.length:
            return refuse(fault, BAD_ENDS, batch.count, start)
        if batch.count and not self.hold():
            return refuse(fault, NO_MEMORY, batch.count, start)
        return True

    cdef inline bint read_key(
        self, const uint8_t *rows, size_t row, size_t start, size_t end, bint *is_readable,
        Fault *fault
    ) noexcept nogil:
        """The key of the row into the first values; False where the row is malformed."""
        cdef size_t position = start
        cdef uint32_t column
        cdef int32_t part
        cdef Field field
        cdef Reason reason
        is_readable[0] = True
        for column in range(self.walked_columns):
            reason = read_field(rows, position, end, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            position = field.stop
            part = self.part_of[column]
            if part >= 0 and (field.is_null or not read_key_value(
                rows + field.start, field.stop - field.start, &self.parts[part], &self.values[part]
            )):
                is_readable[0] = False
        return True

    cdef inline bint is_in_place(self) noexcept nogil:
        if self.has_previous:
            if self.compare(self.values + self.part_count) != (0 if self.begins else 1):
                return False
        return not self.has_high or self.compare(self.values + 2 * self.part_count) < 0

    cdef inline int compare(self, const KeyValue *other) noexcept nogil:
        """The row in hand with another key."""
        cdef uint32_t i
        cdef int found
        for i in range(self.part_count):
            found = compare_values(&self.parts[i], &self.values[i], &other[i])
            if found:
                return found
        return 0

    cdef bint hold(self) noexcept nogil:
        """Keeps the last key's bytes beyond the batch that they lie in. False: no memory."""
        cdef KeyValue *values = self.values + self.part_count
        cdef size_t total = 0
        cdef uint32_t i
        for i in range(self.part_count):
            total += values[i].length
        self.held.length = 0
        if not output_reserve(&self.held, total + 1):
            return False
        for i in range(self.part_count):
            if not output_append(&self.held, values[i].data, values[i].length):
                return False
            values[i].data = self.held.data + self.held.length - values[i].length
        return True
