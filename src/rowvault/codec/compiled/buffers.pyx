# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Memory that grows, and borrowed buffers."""

cimport cython
from cpython cimport array
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

import array as _array

from rowvault.codec.compiled.words cimport LIMIT


cdef array.array ENDS_TEMPLATE = _array.array("I")
if ENDS_TEMPLATE.itemsize != 4:
    raise ImportError("array type code 'I' has not 4 bytes here")


cdef bint output_grow(Output *out, size_t more) noexcept nogil:
    cdef size_t capacity = out.length + more
    cdef uint8_t *data
    if capacity < out.capacity + out.capacity // 2:
        capacity = out.capacity + out.capacity // 2
    data = <uint8_t *>realloc(out.data, capacity)
    if data == NULL:
        return False
    out.data = data
    out.capacity = capacity
    return True


cdef array.array new_ends(size_t count, bint zero):
    """An array of type code 'I'; zero: of noughts, else of anything."""
    return array.clone(ENDS_TEMPLATE, count, zero)


cdef array.array ends_array(Output *ends):
    cdef array.array result = new_ends(ends.length // 4, False)
    if ends.length:
        memcpy(result.data.as_voidptr, ends.data, ends.length)
    return result


@cython.final
cdef class Scratch:

    def __dealloc__(self):
        free(self.first.data)
        free(self.second.data)


@cython.final
cdef class Batch:

    def __cinit__(self, rows, ends=None):
        PyObject_GetBuffer(rows, &self.rows, PyBUF_SIMPLE)
        self.has_rows = True
        self.data = <const uint8_t *>self.rows.buf
        self.length = self.rows.len
        if self.length > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        if ends is None:
            return
        PyObject_GetBuffer(ends, &self.ends, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        self.has_ends = True
        if self.ends.ndim != 1 or self.ends.format == NULL or self.ends.format != b"I":
            raise ValueError("ends must be an array of type code 'I'")
        self.end_data = <const uint8_t *>self.ends.buf
        self.count = self.ends.len // 4

    def __dealloc__(self):
        if self.has_ends:
            PyBuffer_Release(&self.ends)
        if self.has_rows:
            PyBuffer_Release(&self.rows)
