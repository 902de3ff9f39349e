# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Records of the block index: 32 bytes each (docs/format.md, "Index")."""

from rowvault.codec.compiled.buffers cimport Batch


cdef enum:
    RECORD = 32
    PREFIX = 16
    NUMBER_AT = 16
    OFFSET_AT = 20
    FRAME_BYTES_AT = 24
    TYPE_AT = 28
    DEPTH_AT = 29
    PACK_TYPE_AT = 30


cdef int check_records(Batch records, size_t size) except -1
