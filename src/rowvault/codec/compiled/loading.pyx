# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows as lines of fields, as LOAD DATA reads them."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t

from rowvault.codec.compiled.buffers cimport Batch, Output, Scratch, output_reserve
from rowvault.codec.compiled.faults cimport FINE, NO_MEMORY, Fault, Reason, raise_fault, refuse
from rowvault.codec.compiled.rows cimport Field, check_column_count, read_field


cdef extern from *:
    """
    #include "lanes.h"

    /* Copies sixteen bytes, and says whether one of them needs a backslash. */
    static inline int rv_copy_line16(const uint8_t *from, uint8_t *to) {
        rv_lanes lanes = rv_load_lanes(from);
        memcpy(to, &lanes, 16);
        return rv_any_lane(RV_IS(lanes, 9) | RV_IS(lanes, 10) | RV_IS(lanes, 92));
    }

    /* A byte, with a backslash where it needs one, which few do. */
    static inline uint8_t *rv_put_in_line(uint8_t byte, uint8_t *to) {
        if (__builtin_expect(byte == 9 || byte == 10 || byte == 92, 0)) *to++ = '\\\\';
        *to = byte;
        return to + 1;
    }
    """
    bint copy_line16 "rv_copy_line16"(const uint8_t *source, uint8_t *target) noexcept nogil
    uint8_t *put_in_line "rv_put_in_line"(uint8_t byte, uint8_t *target) noexcept nogil


cdef inline uint8_t *put_escaped(
    const uint8_t *value, size_t length, uint8_t *target
) noexcept nogil:
    """The value with a backslash before each tab, line feed and backslash."""
    cdef size_t i = 0
    cdef size_t stop
    while i < length:
        if length - i >= 16:
            if not copy_line16(value + i, target):
                i += 16
                target += 16
                continue
            stop = i + 16
        else:
            stop = length
        while i < stop:
            target = put_in_line(value[i], target)
            i += 1
    return target


cdef bint put_lines(
    const uint8_t *rows, size_t length, uint32_t column_count, Output *out, Fault *fault
) noexcept nogil:
    cdef size_t position = 0
    cdef size_t row = 0
    cdef uint32_t column
    # What is written may be anything to the compiler, so these stand in variables.
    cdef uint8_t *target
    cdef uint8_t *limit
    cdef size_t room
    cdef Field field
    cdef Reason reason
    if not output_reserve(out, length + length // 8 + 64):
        return refuse(fault, NO_MEMORY, 0, 0)
    target = out.data
    limit = out.data + out.capacity
    while position < length:
        for column in range(column_count):
            reason = read_field(rows, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            # Each byte may become two; a whole NULL and what ends the field take three.
            room = 2 * (field.stop - field.start) + 3
            if room > <size_t>(limit - target):
                out.length = target - out.data
                if not output_reserve(out, room):
                    return refuse(fault, NO_MEMORY, row, position)
                target = out.data + out.length
                limit = out.data + out.capacity
            if field.is_null:
                target[0] = c'\\'
                target[1] = c'N'
                target += 2
            else:
                target = put_escaped(rows + field.start, field.stop - field.start, target)
            target[0] = c'\n' if column == column_count - 1 else c'\t'
            target += 1
            position = field.stop
        row += 1
    out.length = target - out.data
    return True


def render_lines(rows, Py_ssize_t column_count):
    """A line for each row, as LOAD DATA reads it. Raises ValueError."""
    cdef Scratch scratch = Scratch()
    cdef Batch batch
    cdef Fault fault
    cdef bint fine
    check_column_count(column_count)
    batch = Batch(rows)
    with nogil:
        fine = put_lines(batch.data, batch.length, column_count, &scratch.first, &fault)
    if not fine:
        raise_fault(&fault)
    return PyBytes_FromStringAndSize(<char *>scratch.first.data, scratch.first.length)
