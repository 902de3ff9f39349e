# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Decimal digits and days, as integers and back."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "digits.h":
    const int64_t DAY_SECONDS "RV_DAY_SECONDS"
    const int64_t FIRST_DAY "RV_FIRST_DAY"
    const int64_t LAST_DAY "RV_LAST_DAY"
    const int64_t NUMBER_LIMIT "RV_NUMBER_LIMIT"
    const int64_t INTERVAL_LIMIT "RV_INTERVAL_LIMIT"
    const uint64_t *TENS "rv_tens"
    uint32_t bit_length "rv_bit_length"(uint64_t word) noexcept nogil
    bint are_digits8 "rv_are_digits8"(uint64_t word) noexcept nogil
    uint64_t digits8 "rv_digits8"(uint64_t word) noexcept nogil
    bint short_number "rv_short_number"(
        const uint8_t *text, uint32_t length, uint64_t *value, uint32_t *scale) noexcept nogil
    void write_digits "rv_write_digits"(
        uint8_t *target, uint64_t number, uint32_t count) noexcept nogil
    uint32_t count_digits "rv_count_digits"(uint64_t number) noexcept nogil
    int64_t day_of "rv_day_of"(int64_t year, uint32_t month, uint32_t day) noexcept nogil
    void write_day "rv_write_day"(uint8_t *target, int64_t day) noexcept nogil
    uint32_t days_of_month "rv_days_of_month"(uint32_t year, uint32_t month) noexcept nogil


cdef inline bint is_digit(uint8_t byte) noexcept nogil:
    return <uint8_t>(byte - 48) < 10


cdef inline uint64_t magnitude(int64_t value) noexcept nogil:
    return <uint64_t>(-value if value < 0 else value)
