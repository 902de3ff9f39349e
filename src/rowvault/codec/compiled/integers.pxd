# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Runs of integers, stored in planes: one byte of all of them after the other."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from rowvault.codec.compiled.arranging cimport Work, open_stream, put_head
from rowvault.codec.compiled.column_forms cimport DIFFERENCES, MAXIMUM_WIDTH
from rowvault.codec.compiled.digits cimport bit_length, magnitude
from rowvault.codec.compiled.faults cimport FINE, TOO_LARGE, WIDE, Reason
from rowvault.codec.compiled.restoring cimport Restoring, StoredRun, take, take_byte
from rowvault.codec.compiled.words cimport load_little64, store_little64


cdef enum:
    AT_ONCE = 64    # rows whose integers are made at once


cdef struct Run:
    int64_t *values    # become the words of the planes
    int64_t base
    uint8_t mode
    uint8_t width


cdef inline uint64_t folded(int64_t value) noexcept nogil:
    return <uint64_t>value << 1 ^ <uint64_t>(value >> 63)


cdef inline void prepare_run(Run *run, int64_t *values, uint32_t count) noexcept nogil:
    """Makes the words of the planes out of `values`."""
    cdef uint64_t near = 0
    cdef uint64_t far = 0
    cdef uint64_t used = 0
    cdef uint64_t word
    cdef int64_t previous
    cdef int64_t value
    cdef uint32_t half = count // 2
    cdef uint32_t i
    cdef uint32_t partner = half
    for i in range(1, count):
        partner += 1
        if partner == count:
            partner = 0
        near += bit_length(magnitude(values[i] - values[i - 1]))
        far += bit_length(magnitude(values[i] - values[partner]))
    run.values = values
    run.mode = DIFFERENCES if near * 8 < far * 7 else 0
    run.base = values[0]
    if run.mode:
        previous = values[0]
        for i in range(count):
            value = values[i]
            word = folded(value - previous)
            previous = value
            values[i] = <int64_t>word
            used |= word
    else:
        for i in range(count):
            word = folded(values[i])
            values[i] = <int64_t>word
            used |= word
    run.width = <uint8_t>((bit_length(used) + 7) // 8)


cdef inline Reason write_run_head(Work *work, Run *run) noexcept nogil:
    cdef uint8_t encoded[9]
    encoded[0] = run.mode | run.width
    store_little64(encoded + 1, <uint64_t>run.base)
    return put_head(work, encoded, 9 if run.mode else 1)


cdef inline Reason write_planes(Work *work, Run *run, uint32_t count) noexcept nogil:
    cdef uint8_t *target
    cdef uint32_t shift
    cdef uint32_t plane
    cdef uint32_t i
    for plane in range(run.width):
        target = open_stream(work, count)
        if target == NULL:
            return TOO_LARGE
        shift = 8 * plane
        for i in range(count):
            target[i] = <uint8_t>(<uint64_t>run.values[i] >> shift)
    return FINE


cdef inline Reason read_run(Restoring *work, StoredRun *run) noexcept nogil:
    cdef uint8_t first
    cdef const uint8_t *base
    cdef Reason reason = take_byte(work, &first)
    if reason != FINE:
        return reason
    run.width = first & ~DIFFERENCES
    if run.width > MAXIMUM_WIDTH:
        return WIDE
    run.differences = (first & DIFFERENCES) != 0
    if run.differences:
        reason = take(work, 8, &base)
        if reason == FINE:
            run.last = load_little64(base)
    return reason
