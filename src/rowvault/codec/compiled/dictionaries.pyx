# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Columns of few different values, each stored once."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcmp, memset

from rowvault.codec.compiled.arranging cimport (
    DICTIONARY_ENTRIES, Entry, Work, open_stream, put_byte, put_head, value_at,
)
from rowvault.codec.compiled.column_forms cimport DICTIONARY
from rowvault.codec.compiled.faults cimport FINE, LONG_ENTRY, NO_MEMORY, TOO_LARGE, UNORDERED, Reason
from rowvault.codec.compiled.restoring cimport Column, Restoring, take, take_byte, take_prefix
from rowvault.codec.compiled.words cimport load_little64


cdef enum:
    DICTIONARY_VALUE = 64
    DICTIONARY_SLOTS = 512
    ROWS_PER_ENTRY = 4


cdef inline uint64_t load_some(
    const uint8_t *data, size_t length, const uint8_t *end
) noexcept nogil:
    """Up to eight bytes as a little-endian number."""
    cdef uint64_t word = 0
    cdef size_t i
    if length >= 8:
        return load_little64(data)
    if end - data >= 8:
        return load_little64(data) & ((<uint64_t>1 << 8 * length) - 1)
    for i in range(length):
        word |= <uint64_t>data[i] << 8 * i
    return word


cdef inline uint64_t dictionary_hash(
    const uint8_t *value, size_t length, const uint8_t *end
) noexcept nogil:
    cdef uint64_t first
    cdef uint64_t last
    if value == NULL:
        return <uint64_t>0xFB << 56
    first = load_some(value, length, end)
    last = load_little64(value + length - 8) if length >= 8 else first
    first = first * <uint64_t>0x9E3779B97F4A7C15 ^ (last + length)
    first ^= first >> 32
    return first * <uint64_t>0xC2B2AE3D27D4EB4F


cdef inline bint comes_before(const Entry *a, const Entry *b) noexcept nogil:
    cdef int order
    if a.hash != b.hash:
        return a.hash < b.hash
    order = memcmp(a.value, b.value, a.length if a.length < b.length else b.length) \
        if a.value != NULL and b.value != NULL else 0
    return order < 0 or (order == 0 and a.length < b.length)


cdef bint find_entries(Work *work, uint32_t column, uint32_t *found) noexcept nogil:
    """The different values, and in `marks` which one each row has; False: too many, too long."""
    cdef uint16_t slots[DICTIONARY_SLOTS]
    cdef uint32_t limit = work.row_count // ROWS_PER_ENTRY
    cdef uint32_t count = 0
    cdef uint32_t row
    cdef uint32_t slot
    cdef size_t length
    cdef const uint8_t *value
    cdef uint64_t hashed
    cdef Entry *entry
    if limit > DICTIONARY_ENTRIES:
        limit = DICTIONARY_ENTRIES
    memset(slots, 0, sizeof(slots))
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        if length > DICTIONARY_VALUE:
            return False
        hashed = dictionary_hash(value, length, work.raw_end)
        slot = <uint32_t>(hashed >> 55)
        while slots[slot]:
            entry = &work.entries[slots[slot] - 1]
            if (
                entry.hash == hashed
                and entry.length == length
                and (entry.value == NULL) == (value == NULL)
                and (length == 0 or memcmp(entry.value, value, length) == 0)
            ):
                break
            slot = (slot + 1) % DICTIONARY_SLOTS
        if slots[slot] == 0:
            if count == limit:
                return False
            entry = &work.entries[count]
            entry.value = value
            entry.length = <uint32_t>length
            entry.hash = hashed
            count += 1
            slots[slot] = <uint16_t>count
        work.marks[row] = <uint8_t>(slots[slot] - 1)
    found[0] = count
    return count > 0


cdef Reason write_dictionary(Work *work, uint32_t column, uint32_t count) noexcept nogil:
    cdef uint8_t order[DICTIONARY_ENTRIES]
    cdef uint32_t i
    cdef uint32_t j
    cdef uint32_t number
    cdef uint32_t next_number = 0
    cdef Entry *entry
    cdef uint8_t *target
    cdef Reason reason
    for i in range(count):
        j = i
        while j > 0 and comes_before(&work.entries[i], &work.entries[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = <uint8_t>i
    reason = put_byte(work, DICTIONARY)
    if reason == FINE:
        reason = put_byte(work, <uint8_t>(count - 1))
    for i in range(count):
        entry = &work.entries[order[i]]
        number = <uint32_t>(entry.hash >> 56)
        if number < next_number:
            number = next_number
        if number > 256 - (count - i):
            number = 256 - (count - i)
        next_number = number + 1
        entry.number = <uint8_t>number
        if reason == FINE:
            reason = put_byte(work, entry.number)
        if reason == FINE:
            reason = put_byte(work, 0xFB if entry.value == NULL else <uint8_t>entry.length)
        if reason == FINE and entry.length:
            reason = put_head(work, entry.value, entry.length)
    if reason != FINE:
        return reason
    target = open_stream(work, work.row_count)
    if target == NULL:
        return TOO_LARGE
    for i in range(work.row_count):
        target[i] = work.entries[work.marks[i]].number
    return FINE


cdef Reason read_entries(Restoring *work, Column *column) noexcept nogil:
    cdef uint8_t last
    cdef uint8_t number = 0
    cdef int32_t previous = -1
    cdef uint32_t i
    cdef uint64_t length
    cdef bint is_null
    cdef size_t start
    cdef const uint8_t *value
    cdef Reason reason = take_byte(work, &last)
    if reason != FINE:
        return reason
    column.entries = <uint32_t *>malloc(256 * sizeof(uint32_t))
    if column.entries == NULL:
        return NO_MEMORY
    memset(column.entries, 0, 256 * sizeof(uint32_t))
    for i in range(<uint32_t>last + 1):
        reason = take_byte(work, &number)
        if reason != FINE:
            return reason
        if <int32_t>number <= previous:
            return UNORDERED
        previous = number
        start = work.position
        reason = take_prefix(work, &length, &is_null)
        if reason == FINE and length > DICTIONARY_VALUE:
            reason = LONG_ENTRY
        if reason == FINE:
            reason = take(work, length, &value)
        if reason != FINE:
            return reason
        column.entries[number] = <uint32_t>(start + 1)
    return FINE
