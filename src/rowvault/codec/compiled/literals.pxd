# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Literals of SQL."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from rowvault.codec.compiled.buffers cimport put_bytes
from rowvault.codec.compiled.faults cimport NO_CLASS, NOT_A_NUMBER, Reason
from rowvault.codec.compiled.lanes cimport (
    IS_NUMBER_BYTE, copy_number16, copy_text16, hex1, hex16, put_escaped,
)
from rowvault.codec.compiled.layout cimport KIND_BYTES, KIND_NUMBER, KIND_TEXT, Column
from rowvault.codec.compiled.rows cimport Field
from rowvault.codec.compiled.values cimport dynamic_class


cdef inline uint8_t *put_text(
    const uint8_t *value, size_t length, size_t readable, uint8_t *target
) noexcept nogil:
    """Sixteen bytes at a time; of `readable` ones, the value's `length` are meant."""
    cdef size_t i = 0
    cdef size_t count
    cdef size_t j
    target[0] = c"'"
    target += 1
    while i < length:
        count = length - i if length - i < 16 else 16
        if readable - i >= 16 and copy_text16(value + i, target, count):
            target += count
        else:
            for j in range(i, i + count):
                target = put_escaped(value[j], target)
        i += count
    target[0] = c"'"
    return target + 1


cdef inline uint8_t *put_hex(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    cdef size_t i = 0
    memcpy(target, b"X'", 2)
    target += 2
    while length - i >= 16:
        hex16(value + i, target)
        target += 32
        i += 16
    while i < length:
        hex1(value[i], target)
        target += 2
        i += 1
    target[0] = c"'"
    return target + 1


cdef inline uint8_t *put_number(
    const uint8_t *value, size_t length, size_t readable, uint8_t *target, Reason *reason
) noexcept nogil:
    cdef size_t i
    if 0 < length <= 16 and readable >= 16:
        if not copy_number16(value, target, length):
            reason[0] = NOT_A_NUMBER
        return target + length
    for i in range(length):
        if not IS_NUMBER_BYTE[value[i]]:
            reason[0] = NOT_A_NUMBER
            return target
    if length == 0:
        reason[0] = NOT_A_NUMBER
    return put_bytes(value, length, target)


cdef uint8_t *put_literal(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil


cdef inline uint8_t *put_dynamic(
    const uint8_t *value, size_t length, uint8_t *target, Reason *reason
) noexcept nogil:
    # Another module does it, and must not get `reason`: a variable whose address has gone there
    # is read from memory again after every byte that is written.
    cdef uint8_t *end = put_literal(value, length, target)
    if end != NULL:
        return end
    reason[0] = NOT_A_NUMBER if dynamic_class(value, length) else NO_CLASS
    return target


cdef inline uint8_t *put_value(
    Column *column, const uint8_t *value, size_t length, size_t readable, uint8_t *target,
    Reason *reason,
) noexcept nogil:
    if column.kind == KIND_NUMBER:
        return put_number(value, length, readable, target, reason)
    if column.kind == KIND_TEXT:
        return put_text(value, length, readable, target)
    if column.kind == KIND_BYTES:
        target = put_bytes(column.introducer, column.introducer_length, target)
        return put_hex(value, length, target)
    return put_dynamic(value, length, target, reason)


cdef inline uint8_t *put_field(
    Column *column, const uint8_t *rows, size_t readable, Field *field, uint8_t *target,
    Reason *reason,
) noexcept nogil:
    """The literal of a field; `readable` bytes of `rows` are there."""
    if field.is_null:
        return put_bytes(b"NULL", 4, target)
    return put_value(
        column, rows + field.start, field.stop - field.start, readable - field.start, target,
        reason,
    )


cdef inline size_t field_room(Column *column, Field *field) noexcept nogil:
    """What a literal and what stands around it may take, with what is copied behind its end.

    A byte becomes two at most, a real at most 26, framing at most 17.
    """
    return 2 * (field.stop - field.start) + column.introducer_length + 64
