# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Values of kind DYNAMIC: a storage class of SQLite and what it holds."""

from libc.stdint cimport uint8_t


cdef inline bint is_class(uint8_t byte) noexcept nogil:
    return byte == c'i' or byte == c'r' or byte == c't' or byte == c'b'


cdef inline uint8_t dynamic_class(const uint8_t *value, size_t length) noexcept nogil:
    """The storage class; 0 where there is none or a real has not 8 bytes."""
    if length == 0 or not is_class(value[0]):
        return 0
    if value[0] == c'r' and length != 9:
        return 0
    return value[0]


cdef inline bint is_integer(const uint8_t *value, size_t length) noexcept nogil:
    """An optional minus and 1 to 19 digits."""
    cdef size_t i
    if length and value[0] == c'-':
        value += 1
        length -= 1
    for i in range(length):
        if not c'0' <= value[i] <= c'9':
            return False
    return 1 <= length <= 19


cdef size_t write_real(const uint8_t *bits, uint8_t *target) noexcept nogil
cdef size_t dynamic_length(const uint8_t *value, size_t length) noexcept nogil
