# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""A table's layout as the inner loops need it."""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from rowvault.codec.compiled.buffers cimport Output, output_append, output_clear
from rowvault.codec.compiled.faults cimport BYTES_LEFT, FINE, NO_CLASS, Fault, Reason, refuse
from rowvault.codec.compiled.lanes cimport count_special
from rowvault.codec.compiled.rows cimport Field, read_field
from rowvault.codec.compiled.values cimport dynamic_class, dynamic_length


cdef enum:
    KIND_NUMBER = 1
    KIND_TEXT = 2
    KIND_BYTES = 3
    KIND_DYNAMIC = 4


cdef struct Column:
    uint8_t kind
    const uint8_t *introducer
    size_t introducer_length
    int32_t key_slot    # place among the key columns, or -1


@cython.final
cdef class Shape:
    """A table's layout, and the key fields of the row in hand."""

    cdef Column *columns
    cdef uint32_t column_count
    cdef uint32_t key_count
    cdef size_t introducer_bytes
    cdef Field *key_fields
    cdef Output key_buffer
    cdef tuple introducers    # keeps the bytes that `columns` points to


cdef inline bint copy_key(
    Shape shape, const uint8_t *rows, const uint8_t **key, size_t *length
) noexcept nogil:
    cdef uint32_t i
    cdef Field *field
    output_clear(&shape.key_buffer)
    for i in range(shape.key_count):
        field = &shape.key_fields[i]
        if not output_append(&shape.key_buffer, rows + field.begin, field.stop - field.begin):
            return False
    key[0] = shape.key_buffer.data
    length[0] = shape.key_buffer.length
    return True


cdef inline bint gather_key(
    Shape shape, const uint8_t *rows, size_t start, size_t end, const uint8_t **key, size_t *length
) noexcept nogil:
    """The key's wire fields end to end, of the row walked last; False: no memory."""
    cdef uint32_t i
    if not shape.key_count:
        key[0] = rows + start
        length[0] = end - start
        return True
    for i in range(1, shape.key_count):
        if shape.key_fields[i].begin != shape.key_fields[i - 1].stop:
            return copy_key(shape, rows, key, length)
    key[0] = rows + shape.key_fields[0].begin
    length[0] = shape.key_fields[shape.key_count - 1].stop - shape.key_fields[0].begin
    return True


cdef inline bint walk_row(
    Shape shape, const uint8_t *rows, size_t row, size_t start, size_t end, bint measure,
    uint64_t *rendered, Fault *fault,
) noexcept nogil:
    """Once over a row's columns: finds the key fields and, if asked, the length of its tuple."""
    cdef Column *columns = shape.columns
    cdef Column *column
    cdef uint32_t column_count = shape.column_count
    cdef uint64_t total = 1 + column_count
    cdef size_t position = start
    cdef size_t length
    cdef uint32_t i
    cdef Field field
    cdef Reason reason
    for i in range(column_count):
        column = &columns[i]
        reason = read_field(rows, position, end, &field)
        if reason != FINE:
            return refuse(fault, reason, row, position)
        if column.key_slot >= 0:
            shape.key_fields[column.key_slot] = field
        position = field.stop
        if not measure:
            continue
        length = field.stop - field.start
        if field.is_null:
            total += 4
        elif column.kind == KIND_NUMBER:
            total += length
        elif column.kind == KIND_TEXT:
            total += 2 + length + count_special(rows, field.start, field.stop)
        elif column.kind == KIND_BYTES:
            total += column.introducer_length + 3 + 2 * length
        else:
            if dynamic_class(rows + field.start, length) == 0:
                return refuse(fault, NO_CLASS, row, field.begin)
            total += dynamic_length(rows + field.start, length)
    if position != end:
        return refuse(fault, BYTES_LEFT, row, position)
    rendered[0] = total
    return True
