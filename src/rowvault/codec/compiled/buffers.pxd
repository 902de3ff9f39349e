# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Memory that grows, and borrowed buffers."""

cimport cython
from cpython cimport array
from libc.stdint cimport uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy


cdef enum:
    KEPT_CAPACITY = 1 << 20   # an idle buffer larger than this is given back


cdef struct Output:
    uint8_t *data
    size_t length
    size_t capacity


cdef bint output_grow(Output *out, size_t more) noexcept nogil


cdef inline bint output_reserve(Output *out, size_t more) noexcept nogil:
    """Room for `more` bytes behind what is there; False: no memory."""
    return more <= out.capacity - out.length or output_grow(out, more)


cdef inline bint output_append(Output *out, const uint8_t *source, size_t length) noexcept nogil:
    if not output_reserve(out, length):
        return False
    if length:
        memcpy(out.data + out.length, source, length)
        out.length += length
    return True


cdef inline bint output_append_small(
    Output *out, const uint8_t *source, size_t length
) noexcept nogil:
    """The same where `length` is a constant, so that the copy is an instruction or two."""
    if not output_reserve(out, length):
        return False
    memcpy(out.data + out.length, source, length)
    out.length += length
    return True


cdef inline void output_clear(Output *out) noexcept nogil:
    """Empty; memory beyond the ordinary is given back."""
    out.length = 0
    if out.capacity > KEPT_CAPACITY:
        free(out.data)
        out.data = NULL
        out.capacity = 0


cdef inline uint8_t *put_bytes(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    memcpy(target, value, length)
    return target + length


@cython.final
cdef class Scratch:
    """Two outputs that live as long as one call."""

    cdef Output first
    cdef Output second


@cython.final
cdef class Batch:
    """Borrowed buffers: bytes, and the ends of the rows in them where given."""

    cdef Py_buffer rows
    cdef Py_buffer ends
    cdef bint has_rows
    cdef bint has_ends
    cdef const uint8_t *data
    cdef size_t length
    cdef const uint8_t *end_data
    cdef size_t count


cdef array.array new_ends(size_t count, bint zero)
cdef array.array ends_array(Output *ends)
