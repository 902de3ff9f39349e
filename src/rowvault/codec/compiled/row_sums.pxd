# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Sums of row hashes."""

from libc.stdint cimport uint8_t, uint64_t


cdef extern from "row_sums.h":
    void sum_rows "rv_sum_rows"(
        const uint64_t *key, const uint8_t *rows, size_t start, const uint8_t *ends, size_t count,
        uint64_t *total) noexcept nogil
