# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows taken apart into their values."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport uint8_t, uint32_t

from rowvault.codec.compiled.buffers cimport Batch, Output, Scratch, ends_array, output_append
from rowvault.codec.compiled.faults cimport FINE, NO_MEMORY, Fault, Reason, raise_fault, refuse


cdef int check_column_count(Py_ssize_t column_count) except -1:
    if not 0 < column_count <= 0xFFFF:
        raise ValueError("a row has at least one column and at most 65535")
    return 0


cdef bint find_ends(
    const uint8_t *rows, size_t length, uint32_t column_count, Output *ends, Fault *fault
) noexcept nogil:
    cdef size_t position = 0
    cdef size_t row = 0
    cdef uint32_t column
    cdef uint32_t end
    cdef Field field
    cdef Reason reason
    while position < length:
        for column in range(column_count):
            reason = read_field(rows, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            position = field.stop
        end = <uint32_t>position
        if not output_append(ends, <uint8_t *>&end, 4):
            return refuse(fault, NO_MEMORY, row, position)
        row += 1
    return True


def row_ends(rows, Py_ssize_t column_count):
    """The ends of the whole rows that `rows` consists of. Raises ValueError."""
    cdef Scratch scratch = Scratch()
    cdef Batch batch = Batch(rows)
    cdef Fault fault
    cdef bint fine
    check_column_count(column_count)
    with nogil:
        fine = find_ends(batch.data, batch.length, column_count, &scratch.first, &fault)
    if not fine:
        raise_fault(&fault)
    return ends_array(&scratch.first)


cdef tuple next_values(Batch batch, Py_ssize_t column_count, size_t *position, size_t row):
    cdef tuple values = PyTuple_New(column_count)
    cdef Py_ssize_t column
    cdef Field field
    cdef Fault fault
    cdef Reason reason
    cdef object value
    for column in range(column_count):
        reason = read_field(batch.data, position[0], batch.length, &field)
        if reason != FINE:
            refuse(&fault, reason, row, position[0])
            raise_fault(&fault)
        value = None
        if not field.is_null:
            value = PyBytes_FromStringAndSize(
                <const char *>batch.data + field.start, field.stop - field.start
            )
        Py_INCREF(value)
        PyTuple_SET_ITEM(values, column, value)
        position[0] = field.stop
    return values


def row_values(rows, Py_ssize_t column_count):
    """The values of whole rows, a tuple of bytes and None for each. Raises ValueError."""
    cdef Batch batch = Batch(rows)
    cdef size_t position = 0
    cdef list found = []
    check_column_count(column_count)
    while position < batch.length:
        found.append(next_values(batch, column_count, &position, len(found)))
    return found
