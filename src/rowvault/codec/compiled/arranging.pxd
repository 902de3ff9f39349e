# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows while they are arranged, and what has been written of the arrangement."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memcpy

from rowvault.codec.compiled.faults cimport FINE, NO_MEMORY, Reason
from rowvault.codec.compiled.rows cimport field_value, put_length


cdef enum:
    SLACK = 64    # bytes behind a buffer that copies may overrun
    DICTIONARY_ENTRIES = 224


cdef struct Entry:
    const uint8_t *value    # NULL: the field NULL
    uint32_t length
    uint64_t hash
    uint8_t number


cdef struct Work:
    const uint8_t *raw
    const uint8_t *raw_end
    uint32_t column_count
    uint32_t row_count
    uint32_t *fields    # where each field begins, row by row
    uint64_t *room    # per column: bytes of its fields
    uint64_t *value_bytes    # per column: bytes of its values
    uint8_t *head
    size_t head_length
    size_t head_capacity
    uint8_t *streams    # as many as raw bytes, and SLACK
    size_t streams_length
    uint32_t *ends
    size_t end_count
    int64_t *first    # three places for one column: integers,
    int64_t *second
    uint8_t *marks    # and a byte per row: entry, scale
    uint8_t *presence
    Entry entries[DICTIONARY_ENTRIES + 1]


cdef inline const uint8_t *field_at(Work *work, uint32_t row, uint32_t column) noexcept nogil:
    return work.raw + work.fields[<size_t>row * work.column_count + column]


cdef inline const uint8_t *value_at(
    Work *work, uint32_t row, uint32_t column, size_t *length
) noexcept nogil:
    return field_value(field_at(work, row, column), length)


cdef inline Reason put_head(Work *work, const uint8_t *data, size_t length) noexcept nogil:
    cdef size_t capacity
    cdef uint8_t *grown
    if length > work.head_capacity - work.head_length:
        capacity = work.head_capacity * 2 + length
        grown = <uint8_t *>realloc(work.head, capacity)
        if grown == NULL:
            return NO_MEMORY
        work.head = grown
        work.head_capacity = capacity
    memcpy(work.head + work.head_length, data, length)
    work.head_length += length
    return FINE


cdef inline Reason put_byte(Work *work, uint8_t byte) noexcept nogil:
    return put_head(work, &byte, 1)


cdef inline Reason put_count(Work *work, uint64_t count) noexcept nogil:
    cdef uint8_t encoded[9]
    return put_head(work, encoded, put_length(encoded, count))


cdef inline uint8_t *open_stream(Work *work, size_t length) noexcept nogil:
    """Room for a stream; NULL where all of them would be more than the rows."""
    cdef uint8_t *start = work.streams + work.streams_length
    if length > <size_t>(work.raw_end - work.raw) - work.streams_length:
        return NULL
    if length:
        work.streams_length += length
        work.ends[work.end_count] = <uint32_t>work.streams_length
        work.end_count += 1
    return start


cdef inline void copy(
    uint8_t *target, const uint8_t *source, size_t length, const uint8_t *source_end
) noexcept nogil:
    """Copies; where the source has bytes to spare, up to SLACK bytes more than asked."""
    if length <= 32 and source_end - source >= 32:
        memcpy(target, source, 16)
        memcpy(target + 16, source + 16, 16)
    else:
        memcpy(target, source, length)
