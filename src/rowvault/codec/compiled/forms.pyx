# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows as CSV and as JSON, which docs/reference/text-formats.md states."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.math cimport isnan
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr

from rowvault.codec.compiled.buffers cimport Batch, Output, Scratch, output_reserve, put_bytes
from rowvault.codec.compiled.digits cimport is_digit
from rowvault.codec.compiled.faults cimport FINE, NO_MEMORY, Fault, Reason, raise_fault, refuse
from rowvault.codec.compiled.lanes cimport copy_json16
from rowvault.codec.compiled.layout cimport (
    KIND_BYTES, KIND_DYNAMIC, KIND_NUMBER, KIND_TEXT, Column, Shape,
)
from rowvault.codec.compiled.literals cimport put_dynamic, put_hex, put_number
from rowvault.codec.compiled.rows cimport Field, read_field
from rowvault.codec.compiled.values cimport dynamic_class
from rowvault.codec.compiled.words cimport load_little64, load_real


cdef extern from *:
    """
    /* What stands behind a backslash for a byte in a JSON string; 0: it has no such form. */
    static const uint8_t rv_json_escapes[256] = {
        [8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r', [34] = '"', [92] = '\\\\'
    };
    """
    const uint8_t *JSON_ESCAPES "rv_json_escapes"


cdef enum:
    FORM_CSV = 1
    FORM_JSON = 2


cdef bint is_json_number(const uint8_t *text, size_t length) noexcept nogil:
    """RFC 8259, section 6."""
    cdef size_t i = 0
    cdef size_t digits
    if i < length and text[i] == c'-':
        i += 1
    digits = i
    while i < length and is_digit(text[i]):
        i += 1
    if i == digits or (text[digits] == c'0' and i - digits > 1):
        return False
    if i < length and text[i] == c'.':
        i += 1
        digits = i
        while i < length and is_digit(text[i]):
            i += 1
        if i == digits:
            return False
    if i < length and (text[i] == c'e' or text[i] == c'E'):
        i += 1
        if i < length and (text[i] == c'+' or text[i] == c'-'):
            i += 1
        digits = i
        while i < length and is_digit(text[i]):
            i += 1
        if i == digits:
            return False
    return i == length


cdef bint is_utf8(const uint8_t *text, size_t length) noexcept nogil:
    """As the Unicode standard has it, table 3-7: no surrogates, nothing longer than needed."""
    cdef size_t i = 0
    cdef size_t more
    cdef uint8_t first
    cdef uint8_t low
    cdef uint8_t high
    while i < length:
        if length - i >= 8 and not load_little64(text + i) & 0x8080808080808080U:
            i += 8
            continue
        first = text[i]
        i += 1
        if first < 0x80:
            continue
        if first < 0xC2 or first > 0xF4:
            return False
        more = 1 if first < 0xE0 else 2 if first < 0xF0 else 3
        if length - i < more:
            return False
        low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        if not low <= text[i] <= high:
            return False
        i += 1
        while more > 1:
            if text[i] & 0xC0 != 0x80:
                return False
            i += 1
            more -= 1
    return True


cdef uint8_t *put_csv_text(const uint8_t *text, size_t length, uint8_t *target) noexcept nogil:
    cdef const uint8_t *quote
    cdef size_t count
    target[0] = c'"'
    target += 1
    while length:
        quote = <const uint8_t *>memchr(text, c'"', length)
        count = length if quote == NULL else quote + 1 - text
        target = put_bytes(text, count, target)
        if quote != NULL:
            target[0] = c'"'
            target += 1
        text += count
        length -= count
    target[0] = c'"'
    return target + 1


cdef uint8_t *put_json_text(const uint8_t *text, size_t length, uint8_t *target) noexcept nogil:
    """A string; an object of hexadecimal digits where the bytes are no text."""
    cdef size_t i = 0
    cdef uint8_t byte
    if not is_utf8(text, length):
        return put_json_bytes(text, length, target)
    target[0] = c'"'
    target += 1
    while i < length:
        if length - i >= 16 and copy_json16(text + i, target):
            target += 16
            i += 16
            continue
        byte = text[i]
        i += 1
        if byte < 32 or byte == c'"' or byte == c'\\':
            target = put_json_escape(byte, target)
        else:
            target[0] = byte
            target += 1
    target[0] = c'"'
    return target + 1


cdef inline uint8_t *put_json_escape(uint8_t byte, uint8_t *target) noexcept nogil:
    target[0] = c'\\'
    if JSON_ESCAPES[byte]:
        target[1] = JSON_ESCAPES[byte]
        return target + 2
    target = put_bytes(b"u00", 3, target + 1)
    target[0] = c'0' + (byte >> 4)
    target[1] = (c'0' if byte & 15 < 10 else c'a' - 10) + (byte & 15)
    return target + 2


cdef uint8_t *put_json_bytes(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    target = put_bytes(b'{"hex":"', 8, target)
    # The literal is X'...': its first two bytes are written over, its last one too.
    target = put_hex(value, length, target - 2) - 1
    target[-2 * <Py_ssize_t>length - 2] = c':'
    target[-2 * <Py_ssize_t>length - 1] = c'"'
    return put_bytes(b'"}', 2, target)


cdef uint8_t *put_form_value(
    int form, uint8_t kind, const uint8_t *value, size_t length, size_t readable, uint8_t *target,
    Reason *reason,
) noexcept nogil:
    cdef uint8_t found
    if kind == KIND_NUMBER:
        if form == FORM_JSON and not is_json_number(value, length):
            # Leading zeros, say; what cannot be in a number is refused as in every form.
            target[0] = c'"'
            target = put_number(value, length, readable, target + 1, reason)
            target[0] = c'"'
            return target + 1
        return put_number(value, length, readable, target, reason)
    if kind == KIND_DYNAMIC:
        found = dynamic_class(value, length)
        if found == c'i' or found == c'r' or found == 0:
            return put_dynamic_number(form, value, length, target, reason)
        value += 1
        length -= 1
        kind = KIND_TEXT if found == c't' else KIND_BYTES
    if kind == KIND_TEXT:
        if form == FORM_JSON:
            return put_json_text(value, length, target)
        return put_csv_text(value, length, target)
    if form == FORM_JSON:
        return put_json_bytes(value, length, target)
    return put_hex(value, length, target)


cdef uint8_t *put_dynamic_number(
    int form, const uint8_t *value, size_t length, uint8_t *target, Reason *reason
) noexcept nogil:
    """As in SQL, but for what is no number there: NULL."""
    if length == 9 and value[0] == c'r' and isnan(load_real(value + 1)):
        return put_bytes(b"null", 4, target) if form == FORM_JSON else target
    return put_dynamic(value, length, target, reason)


cdef bint render_form(
    int form, Shape shape, Batch batch, Output *out, Fault *fault
) noexcept nogil:
    """In FORM_JSON an introducer is what stands before the column's value."""
    cdef const uint8_t *data = batch.data
    cdef size_t length = batch.length
    cdef uint32_t column_count = shape.column_count
    cdef size_t position = 0
    cdef size_t row = 0
    cdef size_t room
    cdef uint32_t i
    # What is written may be anything to the compiler, so these stand in variables.
    cdef uint8_t *target
    cdef uint8_t *limit
    cdef Column *column
    cdef Field field
    cdef Reason reason
    if not output_reserve(out, batch.length + batch.length // 2 + 64):
        return refuse(fault, NO_MEMORY, 0, 0)
    target = out.data
    limit = out.data + out.capacity
    while position < length:
        for i in range(column_count):
            column = &shape.columns[i]
            reason = read_field(data, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            # A control character becomes six bytes in JSON.
            room = 6 * (field.stop - field.start) + column.introducer_length + 64
            if room > <size_t>(limit - target):
                out.length = target - out.data
                if not output_reserve(out, room):
                    return refuse(fault, NO_MEMORY, row, position)
                target = out.data + out.length
                limit = out.data + out.capacity
            if form == FORM_JSON:
                target[0] = c',' if i else c'{'
                target = put_bytes(column.introducer, column.introducer_length, target + 1)
            elif i:
                target[0] = c','
                target += 1
            if not field.is_null:
                target = put_form_value(
                    form, column.kind, data + field.start, field.stop - field.start,
                    length - field.start, target, &reason,
                )
            elif form == FORM_JSON:
                target = put_bytes(b"null", 4, target)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            position = field.stop
        if form == FORM_JSON:
            target[0] = c'}'
            target += 1
        target[0] = c'\n'
        target += 1
        row += 1
    out.length = target - out.data
    return True


cdef bytes rendered_form(int form, rows, kinds, introducers):
    cdef Scratch scratch = Scratch()
    cdef Shape shape = Shape(kinds, introducers, ())
    cdef Batch batch = Batch(rows)
    cdef Fault fault
    cdef bint fine
    with nogil:
        fine = render_form(form, shape, batch, &scratch.first, &fault)
    if not fine:
        raise_fault(&fault)
    return PyBytes_FromStringAndSize(<char *>scratch.first.data, scratch.first.length)


def render_csv(rows, kinds):
    """A line of comma-separated values for each whole row. Raises ValueError."""
    return rendered_form(FORM_CSV, rows, kinds, (b"",) * len(kinds))


def render_json_lines(rows, kinds, names):
    """A line with a JSON object for each whole row; `names` are JSON strings and a colon each.

    Raises ValueError.
    """
    return rendered_form(FORM_JSON, rows, kinds, names)
