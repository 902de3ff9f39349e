# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""The compiled kernel's rendering for LOAD DATA: rows as lines of fields, in C, without the GIL.

rowvault.codec.plain.loading says in plain Python what each name does; both must agree in every
case. Nothing outside the buffers that are given is read.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc, realloc

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* Sixteen bytes at once, on any machine that the compiler knows: copies them, and says whether
       one of them needs a backslash. */
    typedef uint8_t rv_line_lanes __attribute__((vector_size(16)));

    static inline int rv_copy_lanes(const uint8_t *from, uint8_t *to) {
        rv_line_lanes lanes, special;
        uint64_t half[2];
        memcpy(&lanes, from, 16);
        memcpy(to, &lanes, 16);
        special = (rv_line_lanes)(lanes == 9) | (rv_line_lanes)(lanes == 10)
            | (rv_line_lanes)(lanes == 92);
        memcpy(half, &special, 16);
        return (half[0] | half[1]) != 0;
    }
    """
    bint copy_lanes "rv_copy_lanes"(const uint8_t *source, uint8_t *target) noexcept nogil

cdef uint64_t LIMIT = 0xFFFFFFFF

cdef enum Reason:
    FINE
    INSIDE_LENGTH
    NOT_A_LENGTH
    NOT_SHORTEST
    PAST_END
    NO_MEMORY

cdef tuple REASONS = (
    "",
    "the row ends where a length should be",
    "not the start of a length",
    "a length that is not in its shortest form",
    "a value that runs past the end of its row",
)

cdef struct Lines:
    uint8_t *data
    size_t length
    size_t capacity
    uint64_t row       # where reading stopped for a reason
    uint64_t offset


cdef inline Reason read_length(
    const uint8_t *rows, size_t end, size_t *position, size_t *length, bint *is_null
) noexcept nogil:
    """The length of the field at `position`, which is then where its value begins."""
    cdef size_t at = position[0]
    cdef uint64_t size
    cdef uint64_t least
    cdef size_t width
    cdef size_t i
    if at >= end:
        return INSIDE_LENGTH
    size = rows[at]
    at += 1
    is_null[0] = size == 0xFB
    if is_null[0]:
        size = 0
    elif size == 0xFF:
        return NOT_A_LENGTH
    elif size > 0xFB:
        width = 2 if size == 0xFC else 3 if size == 0xFD else 8
        least = 0xFB if size == 0xFC else 1 << 16 if size == 0xFD else 1 << 24
        if width > end - at:
            return INSIDE_LENGTH
        size = 0
        for i in range(width):
            size |= <uint64_t>rows[at + i] << (8 * i)
        if size < least:
            return NOT_SHORTEST
        at += width
    if size > end - at:
        return PAST_END
    position[0] = at
    length[0] = size
    return FINE


cdef inline uint8_t *put_escaped(
    const uint8_t *value, size_t length, uint8_t *target
) noexcept nogil:
    """The value with a backslash before each tab, line feed and backslash."""
    cdef size_t i = 0
    cdef size_t stop
    cdef uint8_t byte
    while i < length:
        if length - i >= 16:
            if not copy_lanes(value + i, target):
                i += 16
                target += 16
                continue
            stop = i + 16
        else:
            stop = length
        while i < stop:
            byte = value[i]
            if byte == c'\t' or byte == c'\n' or byte == c'\\':
                target[0] = c'\\'
                target += 1
            target[0] = byte
            target += 1
            i += 1
    return target


cdef bint reserve(Lines *lines, size_t more) noexcept nogil:
    cdef size_t capacity = lines.length + more
    cdef uint8_t *data
    if capacity <= lines.capacity:
        return True
    if capacity < lines.capacity + lines.capacity // 2:
        capacity = lines.capacity + lines.capacity // 2
    data = <uint8_t *>realloc(lines.data, capacity)
    if data == NULL:
        return False
    lines.data = data
    lines.capacity = capacity
    return True


cdef Reason render(
    const uint8_t *rows, size_t length, Py_ssize_t column_count, Lines *lines
) noexcept nogil:
    cdef size_t position = 0
    cdef size_t size = 0
    cdef bint is_null = False
    cdef Py_ssize_t column
    cdef Reason reason
    cdef uint8_t *target
    while position < length:
        for column in range(column_count):
            lines.offset = position
            reason = read_length(rows, length, &position, &size, &is_null)
            if reason != FINE:
                return reason
            # Each byte may become two; a whole NULL and what ends the field take three.
            if not reserve(lines, 2 * size + 3):
                return NO_MEMORY
            target = lines.data + lines.length
            if is_null:
                target[0] = c'\\'
                target[1] = c'N'
                target += 2
            else:
                target = put_escaped(rows + position, size, target)
            target[0] = c'\n' if column == column_count - 1 else c'\t'
            lines.length = target + 1 - lines.data
            position += size
        lines.row += 1
    return FINE


def render_lines(rows, Py_ssize_t column_count):
    """A line for each row, as LOAD DATA reads it. Raises ValueError."""
    cdef Py_buffer view
    cdef Lines lines
    cdef Reason reason
    if not 0 < column_count <= 0xFFFF:
        raise ValueError("a row has at least one column and at most 65535")
    PyObject_GetBuffer(rows, &view, PyBUF_SIMPLE)
    try:
        if <uint64_t>view.len > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        lines.length = lines.row = lines.offset = 0
        lines.capacity = view.len + view.len // 8 + 64
        lines.data = <uint8_t *>malloc(lines.capacity)
        if lines.data == NULL:
            raise MemoryError
        try:
            with nogil:
                reason = render(<const uint8_t *>view.buf, view.len, column_count, &lines)
            if reason == NO_MEMORY:
                raise MemoryError
            if reason != FINE:
                raise ValueError(f"row {lines.row}, byte {lines.offset}: {REASONS[<int>reason]}")
            return PyBytes_FromStringAndSize(<char *>lines.data, lines.length)
        finally:
            free(lines.data)
    finally:
        PyBuffer_Release(&view)
