# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Columns written in the form that suits their values."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from rowvault.codec.compiled.arranging cimport (
    Work, copy, field_at, open_stream, put_byte, put_count, put_head, value_at,
)
from rowvault.codec.compiled.column_texts cimport read_text
from rowvault.codec.compiled.dictionaries cimport find_entries, write_dictionary
from rowvault.codec.compiled.digits cimport is_digit
from rowvault.codec.compiled.faults cimport FINE, TOO_LARGE, Reason
from rowvault.codec.compiled.integers cimport Run, prepare_run, write_planes, write_run_head
from rowvault.codec.compiled.rows cimport field_value


cdef enum:
    ROWS_PER_ODD = 16


cdef struct Reading:
    uint32_t form
    uint32_t prefix
    const uint8_t *first    # the first value, which starts with the prefix
    uint32_t parameter    # of the first text that has the form
    uint32_t count    # fields that have the form
    size_t odd_bytes    # of fields that do not have it


cdef inline bint read_column(
    Work *work, uint32_t column, Reading *reading, uint32_t form
) noexcept nogil:
    """A column in one form, which the caller names as a constant: a loop is made for each.

    False where too many of its fields do not have it.
    """
    cdef const uint8_t *value
    cdef size_t length
    cdef size_t prefix = reading.prefix
    cdef uint32_t count = 0
    cdef uint32_t odd_left = work.row_count // ROWS_PER_ODD
    cdef uint32_t parameter
    cdef uint32_t common = 0
    cdef bint has_scales = False
    cdef bint has_form
    cdef uint32_t row
    cdef uint8_t *marks = work.presence
    reading.odd_bytes = 0
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        if value == NULL:
            marks[row] = MARK_NULL
            continue
        has_form = (
            length >= prefix
            and (prefix == 0 or memcmp(value, reading.first, prefix) == 0)
            and read_text(
                form, value + prefix, length - prefix, work.raw_end,
                work.first + count, work.second + count, &parameter
            )
        )
        if has_form and count == 0:
            common = parameter
        if has_form and parameter != common:
            has_scales = True
            has_form = form == NUMBER
        if has_form:
            marks[row] = MARK_VALUE
            if form == NUMBER:
                work.marks[count] = <uint8_t>parameter
            count += 1
            continue
        if odd_left == 0:
            return False
        odd_left -= 1
        marks[row] = MARK_ODD
        reading.odd_bytes += value + length - field_at(work, row, column)
    reading.form = SCALED if form == NUMBER and has_scales else form
    reading.count = count
    reading.parameter = common
    return count > 0


cdef bint find_prefix(Work *work, uint32_t column, Reading *reading) noexcept nogil:
    """What stands before a number in the first value; False where no digit comes early enough."""
    cdef const uint8_t *value = NULL
    cdef size_t length = 0
    cdef uint32_t row
    cdef uint32_t i
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        if value != NULL:
            break
    if value == NULL:
        return False
    reading.first = value
    if length > MAXIMUM_PREFIX + 1:
        length = MAXIMUM_PREFIX + 1
    for i in range(length):
        if is_digit(value[i]):
            reading.prefix = i - (i > 0 and value[i - 1] == 45)
            return True
    return False


cdef bint find_form(Work *work, uint32_t column, Reading *reading) noexcept nogil:
    """The first form that a column's texts have as integers; False: there is none."""
    return find_prefix(work, column, reading) and (
        read_column(work, column, reading, DAY)
        or read_column(work, column, reading, MOMENT)
        or read_column(work, column, reading, INTERVAL)
        or read_column(work, column, reading, NUMBER)
        or read_column(work, column, reading, PADDED)
    )


cdef Reason write_marks(Work *work) noexcept nogil:
    cdef uint8_t *target = open_stream(work, work.row_count)
    if target == NULL:
        return TOO_LARGE
    memcpy(target, work.presence, work.row_count)
    return FINE


cdef Reason write_odd(Work *work, uint32_t column, size_t odd_bytes) noexcept nogil:
    """The fields that do not have the column's form, as they stand."""
    cdef uint8_t *target = open_stream(work, odd_bytes)
    cdef const uint8_t *field
    cdef size_t length
    cdef uint32_t row
    if target == NULL:
        return TOO_LARGE
    if odd_bytes == 0:
        return FINE
    for row in range(work.row_count):
        if work.presence[row] == MARK_ODD:
            field = field_at(work, row, column)
            length = field_value(field, &length) + length - field
            memcpy(target, field, length)
            target += length
    return FINE


cdef Reason write_scales(Work *work, uint32_t count) noexcept nogil:
    cdef uint8_t *target = open_stream(work, count)
    if target == NULL:
        return TOO_LARGE
    memcpy(target, work.marks, count)
    return FINE


cdef Reason write_integer_head(Work *work, Reading *reading, bint has_marks) noexcept nogil:
    cdef Reason reason = put_byte(work, <uint8_t>(reading.form | (HAS_MARKS if has_marks else 0)))
    if reason == FINE:
        reason = put_byte(work, <uint8_t>reading.prefix)
    if reason == FINE:
        reason = put_head(work, reading.first, reading.prefix)
    if reason == FINE and reading.form != DAY and reading.form != SCALED:
        reason = put_byte(work, <uint8_t>reading.parameter)
    return reason


cdef Reason write_integers(
    Work *work, uint32_t column, Reading *reading, bint *written
) noexcept nogil:
    """Leaves `written` False, and nothing written, where the column would become larger."""
    cdef Run runs[2]
    cdef uint32_t run_count = 1
    cdef uint32_t count = reading.count
    cdef bint has_marks = count < work.row_count
    cdef uint64_t size = reading.odd_bytes
    cdef uint32_t i
    cdef Reason reason
    written[0] = False
    prepare_run(&runs[0], work.first, count)
    if (reading.form == MOMENT or reading.form == INTERVAL) and reading.parameter:
        prepare_run(&runs[1], work.second, count)
        run_count = 2
    for i in range(run_count):
        size += <uint64_t>runs[i].width * count
    size += (work.row_count if has_marks else 0) + (count if reading.form == SCALED else 0)
    if size > work.room[column]:
        return FINE
    written[0] = True
    reason = write_integer_head(work, reading, has_marks)
    if reason == FINE and has_marks:
        reason = write_marks(work)
        if reason == FINE:
            reason = write_odd(work, column, reading.odd_bytes)
    if reason == FINE and reading.form == SCALED:
        reason = write_scales(work, count)
    for i in range(run_count):
        if reason == FINE:
            reason = write_run_head(work, &runs[i])
        if reason == FINE:
            reason = write_planes(work, &runs[i], count)
    return reason


cdef bint have_one_length(
    Work *work, uint32_t column, size_t *common, uint32_t *count
) noexcept nogil:
    """All values have as many bytes; how many there are."""
    cdef size_t length
    cdef uint32_t row
    cdef const uint8_t *value
    count[0] = 0
    common[0] = 0
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        work.presence[row] = value != NULL
        if value == NULL:
            continue
        if count[0] == 0:
            common[0] = length
        elif length != common[0]:
            return False
        count[0] += 1
    return True


cdef Reason write_fixed(
    Work *work, uint32_t column, size_t common, uint32_t count
) noexcept nogil:
    cdef bint has_marks = count < work.row_count
    cdef uint8_t *target
    cdef size_t length
    cdef uint32_t row
    cdef const uint8_t *value
    cdef Reason reason = put_byte(work, FIXED | (HAS_MARKS if has_marks else 0))
    if reason == FINE:
        reason = put_count(work, common)
    if reason == FINE and has_marks:
        reason = write_marks(work)
    if reason != FINE:
        return reason
    target = open_stream(work, work.value_bytes[column])
    if target == NULL:
        return TOO_LARGE
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        if value != NULL:
            copy(target, value, common, work.raw_end)
            target += common
    return FINE


cdef Reason write_lengths(Work *work, uint32_t column) noexcept nogil:
    cdef size_t value_bytes = work.value_bytes[column]
    cdef uint8_t *lengths
    cdef uint8_t *values
    cdef const uint8_t *field
    cdef const uint8_t *value
    cdef size_t length
    cdef uint32_t row
    cdef Reason reason = put_byte(work, LENGTHS)
    if reason != FINE:
        return reason
    lengths = open_stream(work, work.room[column] - value_bytes)
    values = open_stream(work, value_bytes) if lengths != NULL else NULL
    if values == NULL:
        return TOO_LARGE
    for row in range(work.row_count):
        field = field_at(work, row, column)
        value = field_value(field, &length)
        if field[0] <= 0xFB:
            lengths[0] = field[0]
            lengths += 1
        else:
            memcpy(lengths, field, value - field)
            lengths += value - field
        if value != NULL:
            copy(values, value, length, work.raw_end)
            values += length
    return FINE


cdef Reason write_column(Work *work, uint32_t column) noexcept nogil:
    """The column in the form that suits it; never larger than its fields, the head apart."""
    cdef Reading reading
    cdef uint32_t count
    cdef size_t common
    cdef bint written
    cdef Reason reason
    if find_entries(work, column, &count):
        return write_dictionary(work, column, count)
    if find_form(work, column, &reading):
        reason = write_integers(work, column, &reading, &written)
        if written or reason != FINE:
            return reason
    if have_one_length(work, column, &common, &count):
        return write_fixed(work, column, common, count)
    return write_lengths(work, column)
