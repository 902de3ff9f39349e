# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows of wire fields, one after the other."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from rowvault.codec.compiled.faults cimport (
    BAD_ENDS, FINE, INSIDE_LENGTH, NOT_A_LENGTH, NOT_SHORTEST, PAST_END, Fault, Reason, refuse,
)
from rowvault.codec.compiled.words cimport load_end, load_little64, store_little64


cdef struct Field:
    size_t begin    # of the wire field, its length prefix included
    size_t start    # of the value
    size_t stop
    bint is_null


cdef inline Reason read_field(
    const uint8_t *rows, size_t position, size_t end, Field *field
) noexcept nogil:
    """The field at `position` of a row that stops at `end`."""
    cdef uint64_t length
    cdef uint64_t least
    cdef size_t width
    cdef size_t i
    field.begin = position
    field.is_null = False
    if position >= end:
        return INSIDE_LENGTH
    length = rows[position]
    position += 1
    if length >= 0xFB:
        if length == 0xFB:
            field.is_null = True
            field.start = position
            field.stop = position
            return FINE
        if length == 0xFF:
            return NOT_A_LENGTH
        width = 2 if length == 0xFC else 3 if length == 0xFD else 8
        least = 0xFB if length == 0xFC else 1 << 16 if length == 0xFD else 1 << 24
        if width > end - position:
            return INSIDE_LENGTH
        length = 0
        for i in range(width):
            length |= <uint64_t>rows[position + i] << (8 * i)
        if length < least:
            return NOT_SHORTEST
        position += width
    if length > end - position:
        return PAST_END
    field.start = position
    field.stop = position + length
    return FINE


cdef inline bint next_row(
    const uint8_t *ends, size_t length, size_t row, size_t start, size_t *end, Fault *fault
) noexcept nogil:
    """The end of the row that starts at `start`; False where it is no proper end."""
    end[0] = load_end(ends, row)
    if start < end[0] and end[0] <= length:
        return True
    fault.reason = BAD_ENDS
    fault.row = row
    fault.offset = start
    return False


cdef inline const uint8_t *field_value(
    const uint8_t *field, size_t *length
) noexcept nogil:
    """The value of a field that was looked at before; NULL: it has none."""
    cdef uint8_t first = field[0]
    if first < 0xFB:
        length[0] = first
        return field + 1
    if first == 0xFB:
        length[0] = 0
        return NULL
    if first == 0xFC:
        length[0] = field[1] | <uint32_t>field[2] << 8
        return field + 3
    if first == 0xFD:
        length[0] = field[1] | <uint32_t>field[2] << 8 | <uint32_t>field[3] << 16
        return field + 4
    length[0] = load_little64(field + 1)
    return field + 9


cdef inline Reason prefix_length(
    const uint8_t *data, size_t room, size_t *prefix, uint64_t *length
) noexcept nogil:
    """Bytes before the value of the field at `data`, which has `room` bytes, and of the value."""
    cdef uint64_t value
    if room == 0:
        return INSIDE_LENGTH
    prefix[0] = 1
    length[0] = 0
    if data[0] < 0xFB:
        length[0] = data[0]
        return FINE
    if data[0] == 0xFB:
        return FINE
    if data[0] == 0xFF:
        return NOT_A_LENGTH
    prefix[0] = 3 if data[0] == 0xFC else 4 if data[0] == 0xFD else 9
    if prefix[0] > room:
        return INSIDE_LENGTH
    if data[0] == 0xFC:
        value = data[1] | <uint32_t>data[2] << 8
        if value < 0xFB:
            return NOT_SHORTEST
    elif data[0] == 0xFD:
        value = data[1] | <uint32_t>data[2] << 8 | <uint32_t>data[3] << 16
        if value < 1 << 16:
            return NOT_SHORTEST
    else:
        value = load_little64(data + 1)
        if value < 1 << 24:
            return NOT_SHORTEST
    length[0] = value
    return FINE


cdef inline size_t put_length(uint8_t *target, uint64_t length) noexcept nogil:
    """A length-encoded integer in its shortest form, of 1 to 9 bytes; there is room for 9."""
    cdef size_t width
    if length < 0xFB:
        target[0] = <uint8_t>length
        return 1
    width = 2 if length < 1 << 16 else 3 if length < 1 << 24 else 8
    target[0] = 0xFC if width == 2 else 0xFD if width == 3 else 0xFE
    store_little64(target + 1, length)
    return 1 + width


cdef int check_column_count(Py_ssize_t column_count) except -1
