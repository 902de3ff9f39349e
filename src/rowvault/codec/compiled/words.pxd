"""Words of memory, little-endian unless a name says otherwise."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef extern from "words.h":
    const uint64_t LIMIT "RV_LIMIT"
    uint64_t load_little64 "rv_load_little64"(const uint8_t *source) noexcept nogil
    uint64_t load_big64 "rv_load_big64"(const uint8_t *source) noexcept nogil
    uint32_t load_little32 "rv_load_little32"(const uint8_t *source) noexcept nogil
    void store_little64 "rv_store_little64"(uint8_t *target, uint64_t word) noexcept nogil
    uint32_t load_end "rv_load_end"(const uint8_t *ends, size_t index) noexcept nogil
    double load_real "rv_load_real"(const uint8_t *source) noexcept nogil
    void store_real "rv_store_real"(uint8_t *target, double value) noexcept nogil
    void prefetch "RV_PREFETCH"(const uint8_t *place) noexcept nogil
