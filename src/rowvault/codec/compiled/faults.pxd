# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Why rows or arranged bytes are refused."""

from libc.stdint cimport uint64_t


cdef enum Reason:
    FINE
    NO_MEMORY
    # rows
    INSIDE_LENGTH
    NOT_A_LENGTH
    NOT_SHORTEST
    PAST_END
    BYTES_LEFT
    BAD_ENDS
    NO_CLASS
    NOT_A_NUMBER
    OTHER_LENGTH
    # packets
    EMPTY_PACKET
    WRONG_SEQUENCE
    MALFORMED_END
    BEHIND_END
    TOO_LONG
    # arranged bytes
    TOO_LARGE    # no fault: the rows are better left as they are
    ENDS_EARLY
    NO_COLUMNS
    TOO_MANY_FIELDS
    NO_FORM
    LONG_PREFIX
    NO_DIGITS
    WIDE
    UNORDERED
    LONG_ENTRY
    NO_ENTRY
    NO_MARK
    OUT_OF_RANGE
    COLUMNS_LEFT
    WRONG_LENGTH


cdef struct Fault:
    Reason reason
    uint64_t row
    uint64_t offset


cdef inline bint refuse(Fault *fault, Reason reason, size_t row, size_t offset) noexcept nogil:
    fault.reason = reason
    fault.row = row
    fault.offset = offset
    return False


cdef int raise_reason(Reason reason) except -1
cdef int raise_fault(Fault *fault) except -1
