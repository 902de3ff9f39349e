# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""The errors that say why rows or arranged bytes are refused."""




cdef tuple REASONS = (
    "",
    "",
    "the row ends where a length should be",
    "not the start of a length",
    "a length that is not in its shortest form",
    "a value that runs past the end of its row",
    "bytes are left behind the last value",
    "the ends do not ascend to the end of the rows",
    "a value without a proper storage class",
    "not a number",
    "the text is not as long as it was said to be",
    "an empty packet where a row should be",
    "a packet out of sequence",
    "a malformed packet at the end of the result set",
    "bytes behind the end of the result set",
    "more than 4 GiB of rows at once",
    "",
    "the arranged bytes end early",
    "a count of columns that is never written",
    "more fields than bytes",
    "a form that is never written",
    "a prefix that is too long",
    "digits that are never written",
    "integers of more than eight bytes",
    "a dictionary out of order",
    "a value too long for a dictionary",
    "a number that is not in the dictionary",
    "a mark that is never written",
    "an integer out of its range",
    "bytes are left behind the last column",
    "another number of bytes of rows than are due",
)


cdef int raise_reason(Reason reason) except -1:
    """MemoryError, or ValueError with the reason."""
    if reason == NO_MEMORY:
        raise MemoryError
    raise ValueError(REASONS[<int>reason])


cdef int raise_fault(Fault *fault) except -1:
    """MemoryError, or ValueError that names row and byte."""
    if fault.reason == NO_MEMORY:
        raise MemoryError
    raise ValueError(f"row {fault.row}, byte {fault.offset}: {REASONS[<int>fault.reason]}")
