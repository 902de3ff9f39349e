# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""A table's layout as the inner loops need it."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free

from rowvault.codec.compiled.rows cimport check_column_count


cdef int set_column(Shape shape, Column *column, uint8_t kind, introducer) except -1:
    if not KIND_NUMBER <= kind <= KIND_DYNAMIC:
        raise ValueError("an unknown kind of column")
    if not isinstance(introducer, bytes):
        raise TypeError("introducers are bytes")
    column.kind = kind
    column.introducer = <const uint8_t *>PyBytes_AS_STRING(introducer)
    column.introducer_length = PyBytes_GET_SIZE(introducer)
    column.key_slot = -1
    shape.introducer_bytes += column.introducer_length
    return 0


@cython.final
cdef class Shape:

    def __cinit__(self, kinds, introducers, key):
        cdef Py_ssize_t i
        cdef Py_ssize_t index
        if not isinstance(kinds, bytes):
            raise TypeError("kinds are bytes")
        check_column_count(len(kinds))
        self.introducers = tuple(introducers)
        if len(self.introducers) != len(kinds):
            raise ValueError("there must be one introducer for each column")
        self.column_count = len(kinds)
        self.columns = <Column *>calloc(self.column_count, sizeof(Column))
        self.key_fields = <Field *>calloc(len(key) + 1, sizeof(Field))
        if self.columns == NULL or self.key_fields == NULL:
            raise MemoryError
        for i in range(self.column_count):
            set_column(self, &self.columns[i], kinds[i], self.introducers[i])
        for i, index in enumerate(key):
            if not 0 <= index < self.column_count or self.columns[index].key_slot >= 0:
                raise ValueError("the key names a column that is not there, or one twice")
            self.columns[index].key_slot = <int32_t>i
            self.key_count += 1

    def __dealloc__(self):
        free(self.columns)
        free(self.key_fields)
        free(self.key_buffer.data)
