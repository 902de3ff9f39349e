# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Python values as values of kind DYNAMIC, and back."""

from cpython.bytes cimport (
    PyBytes_AS_STRING, PyBytes_Check, PyBytes_CheckExact, PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport (
    PyTuple_Check, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM,
)
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_DecodeUTF8
from libc.math cimport isfinite, isnan
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcpy

from rowvault.codec.compiled.buffers cimport (
    Batch, Output, Scratch, ends_array, output_append, output_reserve,
)
from rowvault.codec.compiled.faults cimport (
    BAD_ENDS, BYTES_LEFT, FINE, NO_CLASS, NOT_A_NUMBER, Fault, Reason, raise_fault, refuse,
)
from rowvault.codec.compiled.rows cimport (
    Field, check_column_count, next_row, put_length, read_field,
)
from rowvault.codec.compiled.words cimport LIMIT, load_real, store_real


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1


cdef size_t write_real(const uint8_t *bits, uint8_t *target) noexcept nogil:
    """At most 26 bytes: %.17g that reads as a real, whatever point the C locale writes."""
    cdef double value = load_real(bits)
    cdef char text[64]
    cdef size_t length = 0
    cdef bint is_real = False
    cdef int size
    cdef int i
    if isnan(value):
        memcpy(target, b"NULL", 4)
        return 4
    if not isfinite(value):
        memcpy(target, b"-9e999", 6) if value < 0 else memcpy(target, b"9e999", 5)
        return 6 if value < 0 else 5
    size = snprintf(text, sizeof(text), b"%.17g", value)
    for i in range(size):
        if c'0' <= text[i] <= c'9' or text[i] in (c'-', c'+', c'e'):
            target[length] = <uint8_t>text[i]
            is_real = is_real or text[i] == c'e'
        elif target[length - 1] == c'.':
            continue
        else:
            target[length] = c'.'
            is_real = True
        length += 1
    if not is_real:
        memcpy(target + length, b".0", 2)
        length += 2
    return length


cdef size_t count_byte(const uint8_t *data, size_t length, uint8_t byte) noexcept nogil:
    cdef size_t count = 0
    cdef size_t i
    for i in range(length):
        count += data[i] == byte
    return count


cdef size_t dynamic_length(const uint8_t *value, size_t length) noexcept nogil:
    """The rendered length of a value of kind DYNAMIC; 0 where it has no class."""
    cdef uint8_t real[64]
    cdef uint8_t found = dynamic_class(value, length)
    if found == c'i':
        return length - 1
    if found == c'r':
        return write_real(value + 1, real)
    if found == c'b':
        return 3 + 2 * (length - 1)
    if found == c't':
        if memchr(value + 1, 0, length - 1) != NULL:
            return 5 + 3 + 2 * (length - 1) + 9
        return 2 + length - 1 + count_byte(value + 1, length - 1, c"'")
    return 0


cdef int append_class(Output *out, uint8_t found, const uint8_t *body, size_t length) except -1:
    if out.length + length + 10 > LIMIT:
        raise ValueError("more than 4 GiB in one call")
    if not output_reserve(out, length + 10):
        raise MemoryError
    out.length += put_length(out.data + out.length, length + 1)
    out.data[out.length] = found
    out.length += 1
    if length:
        memcpy(out.data + out.length, body, length)
        out.length += length
    return 0


cdef int append_integer(Output *out, number) except -1:
    cdef uint8_t digits[20]
    cdef int overflow
    cdef int position = 20
    cdef int64_t value = PyLong_AsLongLongAndOverflow(number, &overflow)
    cdef uint64_t magnitude
    if overflow:
        raise ValueError("an integer of more than 64 bits")
    magnitude = -<uint64_t>value if value < 0 else <uint64_t>value
    while True:
        position -= 1
        digits[position] = <uint8_t>(c'0' + magnitude % 10)
        magnitude //= 10
        if magnitude == 0:
            break
    if value < 0:
        position -= 1
        digits[position] = c'-'
    return append_class(out, c'i', &digits[position], 20 - position)


cdef int append_value(Output *out, value) except -1:
    cdef uint8_t real[8]
    cdef Py_ssize_t size
    cdef const char *text
    if value is None:
        if not output_append(out, <const uint8_t *>b"\xfb", 1):
            raise MemoryError
    elif PyLong_CheckExact(value):
        append_integer(out, value)
    elif PyFloat_CheckExact(value):
        store_real(real, PyFloat_AS_DOUBLE(value))
        append_class(out, c'r', real, 8)
    elif PyUnicode_CheckExact(value):
        text = PyUnicode_AsUTF8AndSize(value, &size)
        append_class(out, c't', <const uint8_t *>text, size)
    elif PyBytes_Check(value):
        append_class(
            out,
            c'b' if PyBytes_CheckExact(value) else c't',
            <const uint8_t *>PyBytes_AS_STRING(value),
            PyBytes_GET_SIZE(value),
        )
    else:
        raise TypeError(f"no storage class for a value of type {type(value).__name__}")
    return 0


def encode_values(rows):
    """Rows of Python values as rows of kind DYNAMIC, and their ends.

    int, float, bytes and str become integer, real, blob and text; a subclass of bytes is text
    that may not be valid UTF-8. Raises TypeError, ValueError.
    """
    cdef Scratch scratch = Scratch()
    cdef uint32_t end
    cdef Py_ssize_t i
    for row in rows:
        if not PyTuple_Check(row):
            raise TypeError("a row must be a tuple")
        if PyTuple_GET_SIZE(row) == 0:
            raise ValueError("a row has at least one column")
        for i in range(PyTuple_GET_SIZE(row)):
            append_value(&scratch.first, <object>PyTuple_GET_ITEM(row, i))
        if scratch.first.length > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        end = <uint32_t>scratch.first.length
        if not output_append(&scratch.second, <uint8_t *>&end, 4):
            raise MemoryError
    data = PyBytes_FromStringAndSize(<char *>scratch.first.data, scratch.first.length)
    return data, ends_array(&scratch.second)


cdef object decode_integer(const uint8_t *digits, size_t length):
    """The integer; None where the bytes are not one of 64 bits."""
    cdef uint64_t magnitude = 0
    cdef bint negative = length > 0 and digits[0] == c'-'
    cdef size_t i
    if not is_integer(digits, length):
        return None
    for i in range(negative, length):
        magnitude = 10 * magnitude + (digits[i] - c'0')    # 19 digits fit into 64 bits
    if magnitude > <uint64_t>0x7FFFFFFFFFFFFFFF + negative:
        return None
    return <int64_t>(-magnitude) if negative else <int64_t>magnitude


cdef object decode_value(
    const uint8_t *rows, Field *field, size_t row, text_type
):
    cdef const uint8_t *body = rows + field.start + 1
    cdef size_t length = field.stop - field.start
    cdef uint8_t found = dynamic_class(rows + field.start, length)
    cdef Fault fault
    length -= 1
    if found == c'i':
        number = decode_integer(body, length)
        if number is not None:
            return number
    elif found == c'r':
        return load_real(body)
    elif found == c't':
        try:
            return PyUnicode_DecodeUTF8(<const char *>body, length, NULL)
        except UnicodeDecodeError:
            return text_type(PyBytes_FromStringAndSize(<const char *>body, length))
    elif found == c'b':
        return PyBytes_FromStringAndSize(<const char *>body, length)
    refuse(&fault, NOT_A_NUMBER if found == c'i' else NO_CLASS, row, field.begin)
    raise_fault(&fault)


cdef tuple decode_row(
    const uint8_t *rows, size_t row, size_t start, size_t end, uint32_t column_count, text_type
):
    cdef tuple values = PyTuple_New(column_count)
    cdef Field field
    cdef Fault fault
    cdef uint32_t i
    cdef Reason reason
    for i in range(column_count):
        reason = read_field(rows, start, end, &field)
        if reason != FINE:
            refuse(&fault, reason, row, start)
            raise_fault(&fault)
        value = None if field.is_null else decode_value(rows, &field, row, text_type)
        Py_INCREF(value)
        PyTuple_SET_ITEM(values, i, value)
        start = field.stop
    if start != end:
        refuse(&fault, BYTES_LEFT, row, start)
        raise_fault(&fault)
    return values


def decode_values(rows, ends, Py_ssize_t column_count, text_type):
    """The inverse of `encode_values`; text that is not UTF-8 as `text_type(raw)`.

    Raises ValueError.
    """
    cdef Batch batch = Batch(rows, ends)
    cdef list result = []
    cdef size_t start = 0
    cdef size_t end
    cdef size_t row
    cdef Fault fault
    check_column_count(column_count)
    for row in range(batch.count):
        if not next_row(batch.end_data, batch.length, row, start, &end, &fault):
            raise_fault(&fault)
        result.append(decode_row(batch.data, row, start, end, column_count, text_type))
        start = end
    if start != batch.length:
        refuse(&fault, BAD_ENDS, batch.count, start)
        raise_fault(&fault)
    return result
