# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Columns of few different values, each stored once."""

from libc.stdint cimport uint32_t

from rowvault.codec.compiled.arranging cimport Work
from rowvault.codec.compiled.faults cimport Reason
from rowvault.codec.compiled.restoring cimport Column, Restoring


cdef bint find_entries(Work *work, uint32_t column, uint32_t *found) noexcept nogil
cdef Reason write_dictionary(Work *work, uint32_t column, uint32_t count) noexcept nogil
cdef Reason read_entries(Restoring *work, Column *column) noexcept nogil
