"""Literals of SQL for values of kind DYNAMIC."""

from libc.stdint cimport uint8_t
from libc.string cimport memchr

from rowvault.codec.compiled.buffers cimport put_bytes
from rowvault.codec.compiled.values cimport dynamic_class, is_integer, write_real


cdef uint8_t *put_sqlite_text(const uint8_t *text, size_t length, uint8_t *target) noexcept nogil:
    cdef size_t i
    if memchr(text, 0, length) != NULL:
        target = put_bytes(b"CAST(", 5, target)
        target = put_hex(text, length, target)
        return put_bytes(b" AS TEXT)", 9, target)
    target[0] = c"'"
    target += 1
    for i in range(length):
        target[0] = text[i]
        target += 1
        if text[i] == c"'":
            target[0] = c"'"
            target += 1
    target[0] = c"'"
    return target + 1


cdef uint8_t *put_literal(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    """NULL where the value has no class, or is no integer as it should be."""
    cdef uint8_t found = dynamic_class(value, length)
    value += 1
    length -= 1
    if found == c'i':
        return put_bytes(value, length, target) if is_integer(value, length) else NULL
    if found == c'r':
        return target + write_real(value, target)
    if found == c't':
        return put_sqlite_text(value, length, target)
    if found == c'b':
        return put_hex(value, length, target)
    return NULL
