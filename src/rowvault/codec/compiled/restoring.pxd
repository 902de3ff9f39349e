# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Arranged bytes while rows are made of them."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from rowvault.codec.compiled.faults cimport ENDS_EARLY, FINE, NOT_A_LENGTH, Reason
from rowvault.codec.compiled.rows cimport prefix_length


cdef struct StoredRun:
    const uint8_t *planes
    uint64_t last    # what differences are added to
    uint8_t width
    bint differences
    int64_t *values    # AT_ONCE of them


cdef struct Column:
    uint8_t form
    bint has_marks
    uint8_t prefix_length
    uint8_t parameter
    uint8_t run_count
    const uint8_t *prefix
    uint64_t length    # FIXED: of each value
    uint32_t *entries    # DICTIONARY: for each number where its field stands, counted from 1
    const uint8_t *marks    # a byte per row: what it is, entry; LENGTHS: the lengths
    const uint8_t *odd    # fields that do not have the form
    const uint8_t *scales
    const uint8_t *values
    uint32_t count    # fields that have the form
    uint32_t done    # of those
    uint32_t ready    # integers that are made begin here
    StoredRun runs[2]


cdef struct Restoring:
    const uint8_t *data
    size_t length
    size_t position
    uint8_t *target
    size_t raw_bytes
    size_t written
    uint32_t row_count
    uint32_t column_count
    Column *columns


cdef inline Reason take(Restoring *work, uint64_t length, const uint8_t **taken) noexcept nogil:
    if length > work.length - work.position:
        return ENDS_EARLY
    taken[0] = work.data + work.position
    work.position += length
    return FINE


cdef inline Reason take_byte(Restoring *work, uint8_t *byte) noexcept nogil:
    if work.position == work.length:
        return ENDS_EARLY
    byte[0] = work.data[work.position]
    work.position += 1
    return FINE


cdef inline Reason take_prefix(Restoring *work, uint64_t *length, bint *is_null) noexcept nogil:
    cdef size_t prefix = 0
    cdef Reason reason = prefix_length(
        work.data + work.position, work.length - work.position, &prefix, length
    )
    if reason == FINE:
        is_null[0] = work.data[work.position] == 0xFB
        work.position += prefix
    return reason


cdef inline Reason take_length(Restoring *work, uint64_t *length) noexcept nogil:
    cdef bint is_null
    cdef Reason reason = take_prefix(work, length, &is_null)
    return NOT_A_LENGTH if reason == FINE and is_null else reason


cdef Reason read_columns(Restoring *work) noexcept nogil
cdef Reason write_rows(Restoring *work) noexcept nogil
