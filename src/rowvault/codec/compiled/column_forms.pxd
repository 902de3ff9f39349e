# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""How the values of a column are stored (docs/format.md, "Column layout")."""

from libc.stdint cimport uint32_t

from rowvault.codec.compiled.arranging cimport Work
from rowvault.codec.compiled.faults cimport Reason


cdef enum:
    MAXIMUM_COLUMNS = 4096
    MAXIMUM_DIGITS = 18
    MAXIMUM_FRACTION = 6
    MAXIMUM_PREFIX = 16
    MAXIMUM_WIDTH = 8
    HAS_MARKS = 0x80
    MARK_NULL = 0
    MARK_VALUE = 1
    MARK_ODD = 2
    DIFFERENCES = 0x80

    LENGTHS = 0
    FIXED = 1
    DICTIONARY = 2
    NUMBER = 3
    SCALED = 4
    PADDED = 5
    DAY = 6
    MOMENT = 7
    INTERVAL = 8


cdef Reason write_column(Work *work, uint32_t column) noexcept nogil
