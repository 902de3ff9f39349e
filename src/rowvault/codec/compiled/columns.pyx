# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows arranged by column, and back (docs/format.md, "Column layout")."""

cimport cython
from cpython cimport array
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from rowvault.codec.compiled.arranging cimport SLACK, Work, put_count
from rowvault.codec.compiled.buffers cimport new_ends
from rowvault.codec.compiled.column_forms cimport MAXIMUM_COLUMNS, write_column
from rowvault.codec.compiled.faults cimport (
    FINE, NO_MEMORY, PAST_END, TOO_LARGE, Fault, Reason, raise_fault, raise_reason,
)
from rowvault.codec.compiled.restoring cimport Restoring, read_columns, write_rows
from rowvault.codec.compiled.rows cimport prefix_length
from rowvault.codec.compiled.words cimport LIMIT


cdef Reason split(Work *work) noexcept nogil:
    """Finds all fields. On a fault the row is in row_count, the byte in head_length."""
    cdef size_t length = work.raw_end - work.raw
    cdef size_t position = 0
    cdef size_t prefix
    cdef uint64_t value
    cdef size_t count = 0
    cdef size_t capacity = length // 8 + work.column_count
    cdef uint32_t *grown
    cdef uint32_t column
    cdef Reason reason
    work.fields = <uint32_t *>malloc(capacity * sizeof(uint32_t))
    if work.fields == NULL:
        return NO_MEMORY
    while position < length:
        if count + work.column_count > capacity:
            capacity += capacity // 2 + work.column_count
            grown = <uint32_t *>realloc(work.fields, capacity * sizeof(uint32_t))
            if grown == NULL:
                return NO_MEMORY
            work.fields = grown
        for column in range(work.column_count):
            reason = prefix_length(work.raw + position, length - position, &prefix, &value)
            if reason == FINE and value > length - position - prefix:
                reason = PAST_END
                position += prefix
            if reason != FINE:
                work.head_length = position
                return reason
            work.fields[count] = <uint32_t>position
            count += 1
            position += prefix + value
            work.room[column] += prefix + value
            work.value_bytes[column] += value
        work.row_count += 1
    return FINE


cdef Reason prepare(Work *work) noexcept nogil:
    cdef size_t rows
    cdef size_t raw_bytes = work.raw_end - work.raw
    cdef Reason reason
    work.room = <uint64_t *>malloc(work.column_count * sizeof(uint64_t))
    work.value_bytes = <uint64_t *>malloc(work.column_count * sizeof(uint64_t))
    if work.room == NULL or work.value_bytes == NULL:
        return NO_MEMORY
    memset(work.room, 0, work.column_count * sizeof(uint64_t))
    memset(work.value_bytes, 0, work.column_count * sizeof(uint64_t))
    reason = split(work)
    if reason != FINE:
        return reason
    rows = work.row_count
    work.head_capacity = 1024
    work.head = <uint8_t *>malloc(work.head_capacity)
    work.streams = <uint8_t *>malloc(raw_bytes + SLACK)
    # A column has at most 19 streams: presence, scales, and two runs of eight planes.
    work.ends = <uint32_t *>malloc(work.column_count * 19 * sizeof(uint32_t))
    work.first = <int64_t *>malloc(rows * sizeof(int64_t))
    work.second = <int64_t *>malloc(rows * sizeof(int64_t))
    work.marks = <uint8_t *>malloc(rows)
    work.presence = <uint8_t *>malloc(rows)
    if (
        work.head == NULL or work.streams == NULL or work.ends == NULL or work.first == NULL
        or work.second == NULL or work.marks == NULL or work.presence == NULL
    ):
        return NO_MEMORY
    reason = put_count(work, work.column_count)
    return put_count(work, work.row_count) if reason == FINE else reason


cdef Reason arrange_rows(Work *work) noexcept nogil:
    cdef uint32_t column
    cdef Reason reason = prepare(work)
    if reason != FINE:
        return reason
    for column in range(work.column_count):
        reason = write_column(work, column)
        if reason != FINE:
            return reason
    if work.head_length > <size_t>(work.raw_end - work.raw) - work.streams_length:
        return TOO_LARGE
    return FINE


@cython.final
cdef class Arranging:
    """Borrowed rows and the memory of one call."""

    cdef Py_buffer rows
    cdef bint has_rows
    cdef Work work

    def __cinit__(self, rows, uint32_t column_count):
        memset(&self.work, 0, sizeof(Work))
        PyObject_GetBuffer(rows, &self.rows, PyBUF_SIMPLE)
        self.has_rows = True
        if <uint64_t>self.rows.len > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        self.work.raw = <const uint8_t *>self.rows.buf
        self.work.raw_end = self.work.raw + self.rows.len
        self.work.column_count = column_count

    def __dealloc__(self):
        free(self.work.fields)
        free(self.work.room)
        free(self.work.value_bytes)
        free(self.work.head)
        free(self.work.streams)
        free(self.work.ends)
        free(self.work.first)
        free(self.work.second)
        free(self.work.marks)
        free(self.work.presence)
        if self.has_rows:
            PyBuffer_Release(&self.rows)

    cdef tuple result(self):
        cdef Work *work = &self.work
        cdef bytes data = PyBytes_FromStringAndSize(NULL, work.head_length + work.streams_length)
        cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(data)
        cdef array.array ends = new_ends(work.end_count + 1, False)
        cdef size_t i
        memcpy(target, work.head, work.head_length)
        memcpy(target + work.head_length, work.streams, work.streams_length)
        ends.data.as_uints[0] = <uint32_t>work.head_length
        for i in range(work.end_count):
            ends.data.as_uints[i + 1] = <uint32_t>(work.head_length + work.ends[i])
        return data, ends


def arrange(rows, Py_ssize_t column_count):
    """Whole rows as (arranged bytes, ends of the parts that compress best apart), or None.

    Raises ValueError.
    """
    cdef Arranging arranging
    cdef Reason reason
    cdef Fault fault
    if column_count <= 0:
        raise ValueError("a row has at least one column")
    if column_count > MAXIMUM_COLUMNS:
        return None
    arranging = Arranging(rows, <uint32_t>column_count)
    if arranging.rows.len == 0:
        return None
    with nogil:
        reason = arrange_rows(&arranging.work)
    if reason == FINE:
        return arranging.result()
    if reason == TOO_LARGE:
        return None
    fault.reason = reason
    fault.row = arranging.work.row_count
    fault.offset = arranging.work.head_length
    raise_fault(&fault)


@cython.final
cdef class StoredColumns:
    """Borrowed bytes and the memory of one call."""

    cdef Py_buffer arranged
    cdef bint has_arranged
    cdef Restoring work

    def __cinit__(self, arranged):
        memset(&self.work, 0, sizeof(Restoring))
        PyObject_GetBuffer(arranged, &self.arranged, PyBUF_SIMPLE)
        self.has_arranged = True
        if <uint64_t>self.arranged.len > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        self.work.data = <const uint8_t *>self.arranged.buf
        self.work.length = self.arranged.len

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.work.column_count):
            free(self.work.columns[i].entries)
            free(self.work.columns[i].runs[0].values)
            free(self.work.columns[i].runs[1].values)
        free(self.work.columns)
        if self.has_arranged:
            PyBuffer_Release(&self.arranged)


def restore_rows(arranged, uint64_t raw_bytes):
    """The rows, exactly `raw_bytes` of them. Raises ValueError where that cannot be."""
    cdef StoredColumns restoring = StoredColumns(arranged)
    cdef Restoring *work = &restoring.work
    cdef Reason reason
    cdef bytes rows
    if raw_bytes > LIMIT:
        raise ValueError("more than 4 GiB in one call")
    work.raw_bytes = raw_bytes
    with nogil:
        reason = read_columns(work)
    if reason == FINE:
        rows = PyBytes_FromStringAndSize(NULL, raw_bytes)
        work.target = <uint8_t *>PyBytes_AS_STRING(rows)
        with nogil:
            reason = write_rows(work)
    if reason != FINE:
        raise_reason(reason)
    return rows
