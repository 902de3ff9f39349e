# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows made of arranged bytes."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy, memset

from rowvault.codec.compiled.column_forms cimport (
    DAY, DICTIONARY, FIXED, HAS_MARKS, INTERVAL, LENGTHS, MARK_NULL, MARK_ODD, MARK_VALUE,
    MAXIMUM_COLUMNS, MAXIMUM_DIGITS, MAXIMUM_FRACTION, MAXIMUM_PREFIX, MOMENT, PADDED, SCALED,
)
from rowvault.codec.compiled.column_texts cimport write_text
from rowvault.codec.compiled.dictionaries cimport read_entries
from rowvault.codec.compiled.faults cimport (
    COLUMNS_LEFT, ENDS_EARLY, FINE, LONG_PREFIX, NO_COLUMNS, NO_DIGITS, NO_ENTRY, NO_FORM, NO_MARK,
    NO_MEMORY, TOO_MANY_FIELDS, WRONG_LENGTH, Reason,
)
from rowvault.codec.compiled.integers cimport AT_ONCE, read_run
from rowvault.codec.compiled.rows cimport prefix_length, put_length


cdef enum:
    LONGEST_TEXT = 64    # longer than any field that is made of integers


cdef Reason read_parameters(Restoring *work, Column *column) noexcept nogil:
    """The head of a column that is made of integers, behind its form."""
    cdef uint8_t least = 0
    cdef uint8_t most = MAXIMUM_DIGITS - 1
    cdef uint32_t i
    cdef Reason reason = take_byte(work, &column.prefix_length)
    if reason == FINE and column.prefix_length > MAXIMUM_PREFIX:
        reason = LONG_PREFIX
    if reason == FINE:
        reason = take(work, column.prefix_length, &column.prefix)
    if reason != FINE:
        return reason
    column.run_count = 1
    if column.form != DAY and column.form != SCALED:
        reason = take_byte(work, &column.parameter)
        if column.form == PADDED:
            least, most = 1, MAXIMUM_DIGITS
        elif column.form == MOMENT or column.form == INTERVAL:
            most = MAXIMUM_FRACTION
            column.run_count = 2 if column.parameter else 1
        if reason == FINE and not least <= column.parameter <= most:
            reason = NO_DIGITS
    for i in range(column.run_count):
        if reason == FINE:
            reason = read_run(work, &column.runs[i])
    return reason


cdef Reason read_head(Restoring *work, Column *column) noexcept nogil:
    cdef uint8_t first
    cdef Reason reason = take_byte(work, &first)
    if reason != FINE:
        return reason
    column.form = first & ~HAS_MARKS
    column.has_marks = (first & HAS_MARKS) != 0
    if column.form > INTERVAL:
        return NO_FORM
    if column.has_marks and (column.form == LENGTHS or column.form == DICTIONARY):
        return NO_FORM
    if column.form == LENGTHS:
        return FINE
    if column.form == FIXED:
        return take_length(work, &column.length)
    if column.form == DICTIONARY:
        return read_entries(work, column)
    return read_parameters(work, column)


cdef Reason find_lengths(Restoring *work, Column *column) noexcept nogil:
    cdef uint64_t total = 0
    cdef uint64_t length
    cdef bint is_null
    cdef uint32_t row
    cdef Reason reason
    column.marks = work.data + work.position
    for row in range(work.row_count):
        reason = take_prefix(work, &length, &is_null)
        if reason != FINE:
            return reason
        total += length
        if length > work.length or total > work.length:
            return ENDS_EARLY
    return take(work, total, &column.values)


cdef Reason find_marks(Restoring *work, Column *column) noexcept nogil:
    """The stream of marks, and the fields that do not have the form."""
    cdef uint64_t length
    cdef uint32_t odd_count = 0
    cdef uint32_t row
    cdef bint is_null
    cdef uint8_t most = 0
    cdef uint8_t mark
    cdef const uint8_t *value
    cdef Reason reason = take(work, work.row_count, &column.marks)
    if reason != FINE:
        return reason
    column.count = 0
    for row in range(work.row_count):
        mark = column.marks[row]
        most = mark if mark > most else most
        column.count += mark == MARK_VALUE
        odd_count += mark == MARK_ODD
    if most > (MARK_VALUE if column.form == FIXED else MARK_ODD):
        return NO_MARK
    column.odd = work.data + work.position
    for row in range(odd_count):
        reason = take_prefix(work, &length, &is_null)
        if reason == FINE:
            reason = take(work, length, &value)
        if reason != FINE:
            return reason
    return FINE


cdef Reason find_streams(Restoring *work, Column *column) noexcept nogil:
    cdef uint32_t i
    cdef Reason reason = FINE
    if column.form == LENGTHS:
        return find_lengths(work, column)
    if column.form == DICTIONARY:
        return take(work, work.row_count, &column.marks)
    column.count = work.row_count
    if column.has_marks:
        reason = find_marks(work, column)
        if reason != FINE:
            return reason
    if column.form == FIXED:
        if column.count and column.length > work.length // column.count:
            return ENDS_EARLY
        return take(work, column.length * column.count, &column.values)
    if column.form == SCALED:
        reason = take(work, column.count, &column.scales)
    for i in range(column.run_count):
        if reason == FINE:
            reason = take(work, <uint64_t>column.runs[i].width * column.count,
                          &column.runs[i].planes)
    return reason


cdef Reason read_columns(Restoring *work) noexcept nogil:
    """All heads, then where all streams are."""
    cdef uint64_t column_count
    cdef uint64_t row_count = 0
    cdef uint32_t i
    cdef uint32_t k
    cdef Reason reason = take_length(work, &column_count)
    if reason == FINE:
        reason = take_length(work, &row_count)
    if reason != FINE:
        return reason
    if column_count == 0 or column_count > MAXIMUM_COLUMNS:
        return NO_COLUMNS
    if row_count > work.raw_bytes // column_count:
        return TOO_MANY_FIELDS
    work.row_count = <uint32_t>row_count
    work.columns = <Column *>malloc(column_count * sizeof(Column))
    if work.columns == NULL:
        return NO_MEMORY
    memset(work.columns, 0, column_count * sizeof(Column))
    work.column_count = <uint32_t>column_count
    for i in range(work.column_count):
        reason = read_head(work, &work.columns[i])
        if reason != FINE:
            return reason
    for i in range(work.column_count):
        reason = find_streams(work, &work.columns[i])
        if reason != FINE:
            return reason
        for k in range(work.columns[i].run_count):
            work.columns[i].runs[k].values = <int64_t *>malloc(AT_ONCE * sizeof(int64_t))
            if work.columns[i].runs[k].values == NULL:
                return NO_MEMORY
    return FINE if work.position == work.length else COLUMNS_LEFT


cdef void make_integers(
    StoredRun *run, uint32_t total, uint32_t first, uint32_t count
) noexcept nogil:
    """`count` integers from the place `first` of `total` on."""
    cdef uint64_t words[AT_ONCE]
    cdef uint64_t last = run.last
    cdef const uint8_t *plane
    cdef uint32_t shift
    cdef uint32_t i
    cdef uint32_t k
    memset(words, 0, sizeof(words))
    for k in range(run.width):
        plane = run.planes + <size_t>k * total + first
        shift = 8 * k
        for i in range(count):
            words[i] |= <uint64_t>plane[i] << shift
    for i in range(count):
        words[i] = words[i] >> 1 ^ (0 - (words[i] & 1))
    if run.differences:
        for i in range(count):
            last += words[i]
            words[i] = last
        run.last = last
    memcpy(run.values, words, count * sizeof(uint64_t))


cdef Reason put_text(Restoring *work, Column *column) noexcept nogil:
    """The next field of a column that is made of integers."""
    cdef uint8_t spare[LONGEST_TEXT]
    cdef size_t room = work.raw_bytes - work.written
    cdef uint8_t *target = work.target + work.written if room >= LONGEST_TEXT else spare
    cdef uint32_t place = column.done
    cdef uint32_t count
    cdef uint32_t i
    cdef size_t length = 0
    cdef Reason reason
    if place == column.ready + AT_ONCE or place == 0:
        column.ready = place
        count = column.count - place
        if count > AT_ONCE:
            count = AT_ONCE
        for i in range(column.run_count):
            make_integers(&column.runs[i], column.count, place, count)
    column.done += 1
    for i in range(column.prefix_length):
        target[1 + i] = column.prefix[i]
    reason = write_text(column, place, target + 1 + column.prefix_length, &length)
    if reason != FINE:
        return reason
    length += column.prefix_length
    target[0] = <uint8_t>length
    if room < LONGEST_TEXT:
        if length + 1 > room:
            return WRONG_LENGTH
        memcpy(work.target + work.written, spare, length + 1)
    work.written += length + 1
    return FINE


cdef inline Reason put_bytes(
    Restoring *work, const uint8_t *source, size_t length
) noexcept nogil:
    cdef size_t room = work.raw_bytes - work.written
    cdef uint8_t *target = work.target + work.written
    if length > room:
        return WRONG_LENGTH
    if length <= 32 and room >= 32 and <size_t>(work.data + work.length - source) >= 32:
        memcpy(target, source, 16)
        memcpy(target + 16, source + 16, 16)
    else:
        memcpy(target, source, length)
    work.written += length
    return FINE


cdef inline Reason put_value(
    Restoring *work, const uint8_t *prefix, size_t prefix_bytes,
    const uint8_t *value, uint64_t length
) noexcept nogil:
    cdef Reason reason = put_bytes(work, prefix, prefix_bytes)
    return put_bytes(work, value, length) if reason == FINE else reason


cdef inline Reason put_fixed(Restoring *work, Column *column) noexcept nogil:
    cdef uint8_t encoded[9]
    cdef size_t width
    cdef Reason reason
    cdef size_t room = work.raw_bytes - work.written
    if column.length < 0xFB:
        if room == 0:
            return WRONG_LENGTH
        work.target[work.written] = <uint8_t>column.length
        work.written += 1
    else:
        width = put_length(encoded, column.length)
        if width > room:
            return WRONG_LENGTH
        memcpy(work.target + work.written, encoded, width)
        work.written += width
    reason = put_bytes(work, column.values, column.length)
    column.values += column.length
    return reason


cdef inline Reason put_lengths(Restoring *work, Column *column) noexcept nogil:
    cdef size_t prefix = 1
    cdef uint64_t length = 0
    cdef Reason reason
    if column.marks[0] < 0xFB:
        length = column.marks[0]
    else:
        prefix_length(column.marks, 9, &prefix, &length)    # seen to be fine before
    reason = put_value(work, column.marks, prefix, column.values, length)
    column.marks += prefix
    column.values += length
    return reason


cdef Reason put_entry(Restoring *work, Column *column, uint32_t row) noexcept nogil:
    cdef uint32_t place = column.entries[column.marks[row]]
    cdef const uint8_t *field
    if place == 0:
        return NO_ENTRY
    field = work.data + place - 1
    return put_bytes(work, field, 1 + (field[0] if field[0] != 0xFB else 0))


cdef Reason put_odd(Restoring *work, Column *column, uint8_t mark) noexcept nogil:
    """NULL, or a field that does not have the form."""
    cdef const uint8_t *field = column.odd
    cdef size_t prefix = 0
    cdef uint64_t length = 0
    if mark == MARK_NULL:
        if work.written == work.raw_bytes:
            return WRONG_LENGTH
        work.target[work.written] = 0xFB
        work.written += 1
        return FINE
    prefix_length(field, 9, &prefix, &length)    # seen to be fine before
    column.odd += prefix + length
    return put_bytes(work, field, prefix + length)


cdef Reason put_field(Restoring *work, Column *column, uint32_t row) noexcept nogil:
    if column.form == LENGTHS:
        return put_lengths(work, column)
    if column.form == DICTIONARY:
        return put_entry(work, column, row)
    if column.has_marks and column.marks[row] != MARK_VALUE:
        return put_odd(work, column, column.marks[row])
    if column.form == FIXED:
        return put_fixed(work, column)
    return put_text(work, column)


cdef Reason write_rows(Restoring *work) noexcept nogil:
    cdef uint32_t row
    cdef uint32_t i
    cdef Reason reason
    for row in range(work.row_count):
        for i in range(work.column_count):
            reason = put_field(work, &work.columns[i], row)
            if reason != FINE:
                return reason
    return FINE if work.written == work.raw_bytes else WRONG_LENGTH
