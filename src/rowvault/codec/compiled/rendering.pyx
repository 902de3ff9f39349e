# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows as tuples of SQL literals."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from rowvault.codec.compiled.buffers cimport Batch, Output, Scratch, output_reserve, put_bytes
from rowvault.codec.compiled.faults cimport (
    BAD_ENDS, BYTES_LEFT, FINE, NO_MEMORY, OTHER_LENGTH, Fault, Reason, raise_fault, refuse,
)
from rowvault.codec.compiled.layout cimport Column, Shape, walk_row
from rowvault.codec.compiled.literals cimport field_room, put_field
from rowvault.codec.compiled.rows cimport Field, next_row, read_field


cdef bint measure_rows(Shape shape, Batch batch, uint64_t *total, Fault *fault) noexcept nogil:
    cdef size_t start = 0
    cdef size_t end
    cdef size_t row
    cdef uint64_t rendered
    total[0] = 0
    for row in range(batch.count):
        if not next_row(batch.end_data, batch.length, row, start, &end, fault):
            return False
        if not walk_row(shape, batch.data, row, start, end, True, &rendered, fault):
            return False
        total[0] += rendered + (2 if row else 0)
        start = end
    if start != batch.length:
        return refuse(fault, BAD_ENDS, batch.count, start)
    return True


def rendered_length(rows, ends, kinds, introducers):
    """The length of what `render_tuples` gives; numbers are not looked at. Raises ValueError."""
    cdef Shape shape = Shape(kinds, introducers, ())
    cdef Batch batch = Batch(rows, ends)
    cdef uint64_t total
    cdef Fault fault
    cdef bint fine
    with nogil:
        fine = measure_rows(shape, batch, &total, &fault)
    if not fine:
        raise_fault(&fault)
    return total


cdef bint render_row(
    Shape shape, Batch batch, size_t row, size_t start, size_t end, Output *out, Fault *fault
) noexcept nogil:
    """One tuple behind what `out` holds."""
    cdef size_t worst = (
        2 * (end - start) + shape.introducer_bytes + 32 * <size_t>shape.column_count + 64
    )
    cdef size_t position = start
    cdef uint8_t *target
    cdef uint32_t i
    cdef Field field
    cdef Reason reason = FINE
    if not output_reserve(out, worst):
        return refuse(fault, NO_MEMORY, row, start)
    target = out.data + out.length
    if out.length:
        target = put_bytes(b",\n", 2, target)
    for i in range(shape.column_count):
        target[0] = c',' if i else c'('
        target += 1
        reason = read_field(batch.data, position, end, &field)
        if reason != FINE:
            return refuse(fault, reason, row, position)
        target = put_field(
            &shape.columns[i], batch.data, batch.length, &field, target, &reason
        )
        if reason != FINE:
            return refuse(fault, reason, row, position)
        position = field.stop
    if position != end:
        return refuse(fault, BYTES_LEFT, row, position)
    target[0] = c')'
    out.length = target + 1 - out.data
    return True


cdef bint render_rows(Shape shape, Batch batch, Output *out, Fault *fault) noexcept nogil:
    cdef size_t start = 0
    cdef size_t end
    cdef size_t row
    if not output_reserve(out, batch.length + batch.length // 4 + 64):
        return refuse(fault, NO_MEMORY, 0, 0)
    for row in range(batch.count):
        if not next_row(batch.end_data, batch.length, row, start, &end, fault):
            return False
        if not render_row(shape, batch, row, start, end, out, fault):
            return False
        start = end
    if start != batch.length:
        return refuse(fault, BAD_ENDS, batch.count, start)
    return True


def render_tuples(rows, ends, kinds, introducers):
    """`(v,v,...)` per row, joined by `,` and a line feed. Raises ValueError."""
    cdef Scratch scratch = Scratch()
    cdef Shape shape = Shape(kinds, introducers, ())
    cdef Batch batch = Batch(rows, ends)
    cdef Fault fault
    cdef bint fine
    with nogil:
        fine = render_rows(shape, batch, &scratch.first, &fault)
    if not fine:
        raise_fault(&fault)
    return PyBytes_FromStringAndSize(<char *>scratch.first.data, scratch.first.length)


cdef inline uint8_t *put_lead(size_t row, uint32_t column, uint8_t *target) noexcept nogil:
    """What stands before a value of a tuple."""
    if column:
        target[0] = c','
        return target + 1
    if row:
        return put_bytes(b",\n(", 3, target)
    target[0] = c'('
    return target + 1


cdef bint render_statement_rows(
    Shape shape, Batch batch, uint8_t *target, uint8_t *limit, Output *spare, Fault *fault
) noexcept nogil:
    """Tuples that fill target to limit exactly; what may reach over it goes through `spare`."""
    # Bytes that are written may be anything to the compiler, so what it must not read again
    # stands in variables.
    cdef const uint8_t *data = batch.data
    cdef size_t length = batch.length
    cdef Column *columns = shape.columns
    cdef uint32_t column_count = shape.column_count
    cdef size_t position = 0
    cdef size_t row = 0
    cdef size_t room
    cdef uint32_t i
    cdef uint8_t *begin
    cdef uint8_t *end
    cdef Column *column
    cdef Field field
    cdef Reason reason
    while position < length:
        for i in range(column_count):
            column = &columns[i]
            reason = read_field(data, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            room = field_room(column, &field)
            begin = target
            if room > <size_t>(limit - target):
                if not output_reserve(spare, room):
                    return refuse(fault, NO_MEMORY, row, position)
                begin = spare.data
            end = put_lead(row, i, begin)
            end = put_field(column, data, length, &field, end, &reason)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            if i + 1 == column_count:
                end[0] = c')'
                end += 1
            if begin != target:
                if end - begin > limit - target:
                    return refuse(fault, OTHER_LENGTH, row, position)
                memcpy(target, begin, end - begin)
            target += end - begin
            position = field.stop
        row += 1
    if target != limit:
        return refuse(fault, OTHER_LENGTH, row, position)
    return True


def render_statement(
    rows, kinds, introducers, bytes prefix not None, bytes suffix not None, size_t rendered_bytes
):
    """`prefix`, the tuples of whole rows as `render_tuples` gives them, `suffix`.

    Raises ValueError, also where the tuples do not have `rendered_bytes`.
    """
    cdef Scratch scratch = Scratch()
    cdef Shape shape = Shape(kinds, introducers, ())
    cdef Batch batch = Batch(rows)
    cdef Py_ssize_t head = len(prefix)
    cdef Py_ssize_t tail = len(suffix)
    cdef Fault fault
    cdef bint fine
    cdef bytes text
    cdef uint8_t *target
    if rendered_bytes > (66 + shape.introducer_bytes) * batch.length:    # no field takes more
        fault.row = fault.offset = 0
        fault.reason = OTHER_LENGTH
        raise_fault(&fault)
    text = PyBytes_FromStringAndSize(NULL, head + rendered_bytes + tail)
    target = <uint8_t *>PyBytes_AS_STRING(text)
    memcpy(target, PyBytes_AS_STRING(prefix), head)
    memcpy(target + head + rendered_bytes, PyBytes_AS_STRING(suffix), tail)
    target += head
    with nogil:
        fine = render_statement_rows(
            shape, batch, target, target + rendered_bytes, &scratch.first, &fault
        )
    if not fine:
        raise_fault(&fault)
    return text
