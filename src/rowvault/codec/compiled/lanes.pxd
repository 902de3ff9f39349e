# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Text, numbers and hexadecimal digits, sixteen bytes at once."""

from libc.stdint cimport uint8_t


cdef extern from "lanes.h":
    const uint8_t *IS_NUMBER_BYTE "rv_is_number_byte"
    size_t count_special "rv_count_special"(
        const uint8_t *data, size_t start, size_t stop) noexcept nogil
    bint copy_text16 "rv_copy_text16"(
        const uint8_t *source, uint8_t *target, size_t length) noexcept nogil
    uint8_t *put_escaped "rv_put_escaped"(uint8_t byte, uint8_t *target) noexcept nogil
    bint copy_number16 "rv_copy_number16"(
        const uint8_t *source, uint8_t *target, size_t length) noexcept nogil
    bint copy_json16 "rv_copy_json16"(const uint8_t *source, uint8_t *target) noexcept nogil
    void hex16 "rv_hex16"(const uint8_t *source, uint8_t *target) noexcept nogil
    void hex1 "rv_hex1"(uint8_t byte, uint8_t *target) noexcept nogil
