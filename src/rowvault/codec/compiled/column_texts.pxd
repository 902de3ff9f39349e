# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Texts that are integers: numbers, days, moments and intervals."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from rowvault.codec.compiled.column_forms cimport (
    DAY, INTERVAL, MAXIMUM_DIGITS, MAXIMUM_FRACTION, MOMENT, NUMBER, PADDED, SCALED,
)
from rowvault.codec.compiled.digits cimport (
    DAY_SECONDS, FIRST_DAY, INTERVAL_LIMIT, LAST_DAY, NUMBER_LIMIT, TENS, are_digits8,
    count_digits, day_of, days_of_month, digits8, is_digit, magnitude, short_number, write_day,
    write_digits,
)
from rowvault.codec.compiled.faults cimport FINE, NO_DIGITS, OUT_OF_RANGE, Reason
from rowvault.codec.compiled.restoring cimport Column
from rowvault.codec.compiled.words cimport load_little64


cdef inline bint read_digits(
    const uint8_t *text, size_t length, uint64_t *number
) noexcept nogil:
    """All of up to 18 digits; False where one is something else."""
    cdef uint64_t value = 0
    cdef size_t i = 0
    while length - i >= 8:
        if not are_digits8(load_little64(text + i)):
            return False
        value = value * 100000000 + digits8(load_little64(text + i))
        i += 8
    while i < length:
        if not is_digit(text[i]):
            return False
        value = value * 10 + (text[i] - 48)
        i += 1
    number[0] = value
    return True


cdef inline bint read_number(
    const uint8_t *text, size_t length, const uint8_t *end, int64_t *mantissa, uint32_t *scale
) noexcept nogil:
    """A decimal number in its only spelling, of at most 18 digits."""
    cdef bint negative = length > 0 and text[0] == 45
    cdef size_t i
    cdef uint64_t value = 0
    cdef uint64_t fraction
    cdef size_t start
    if not negative and 0 < length <= 8 and end - text >= 8:
        if not short_number(text, <uint32_t>length, &value, scale):
            return False
        mantissa[0] = <int64_t>value
        return True
    if negative:
        text += 1
        length -= 1
    if length == 0 or length > MAXIMUM_DIGITS + 1:
        return False
    i = 0
    while i < length and is_digit(text[i]):
        value = value * 10 + (text[i] - 48)
        i += 1
    if i == 0 or (i > 1 and text[0] == 48) or i > MAXIMUM_DIGITS:
        return False
    scale[0] = 0
    if i < length:
        if text[i] != 46:
            return False
        start = i + 1
        scale[0] = <uint32_t>(length - start)
        if start == length or length - 1 > MAXIMUM_DIGITS:
            return False
        if not read_digits(text + start, scale[0], &fraction):
            return False
        value = value * TENS[scale[0]] + fraction
    if negative and value == 0:
        return False
    mantissa[0] = -<int64_t>value if negative else <int64_t>value
    return True


cdef inline uint32_t two_digits(const uint8_t *text) noexcept nogil:
    """Their value; 255 and more where they are none."""
    if is_digit(text[0]) and is_digit(text[1]):
        return (text[0] - 48) * 10 + (text[1] - 48)
    return 255


cdef inline bint read_day(const uint8_t *text, int64_t *day) noexcept nogil:
    """YYYY-MM-DD, ten bytes."""
    cdef uint32_t century = two_digits(text)
    cdef uint32_t year = two_digits(text + 2)
    cdef uint32_t month = two_digits(text + 5)
    cdef uint32_t of_month = two_digits(text + 8)
    if century > 99 or year > 99 or text[4] != 45 or text[7] != 45:
        return False
    year += century * 100
    if year == 0 or not 1 <= month <= 12:
        return False
    if of_month == 0 or of_month > days_of_month(year, month):
        return False
    day[0] = day_of(year, month, of_month)
    return True


cdef inline bint read_clock(
    const uint8_t *text, size_t length, bint of_day,
    int64_t *seconds, int64_t *fraction, uint32_t *digits
) noexcept nogil:
    """hh:mm:ss[.f], of a day, or with a third digit of hours where they need it."""
    cdef uint32_t hour
    cdef uint32_t minute
    cdef uint32_t second
    cdef uint64_t number = 0
    if length < 8:
        return False
    hour = two_digits(text)
    if hour > 99:
        return False
    if text[2] != 58:
        if of_day or text[0] == 48 or length < 9 or not is_digit(text[2]) or text[3] != 58:
            return False
        hour = hour * 10 + (text[2] - 48)
        text += 1
        length -= 1
    elif of_day and hour > 23:
        return False
    minute = two_digits(text + 3)
    second = two_digits(text + 6)
    if minute > 59 or second > 59 or text[5] != 58:
        return False
    digits[0] = 0
    if length > 8:
        if text[8] != 46 or length == 9 or length > 9 + MAXIMUM_FRACTION:
            return False
        digits[0] = <uint32_t>(length - 9)
        if not read_digits(text + 9, digits[0], &number):
            return False
    seconds[0] = <int64_t>hour * 3600 + minute * 60 + second
    fraction[0] = <int64_t>number
    return True


cdef inline bint read_text(
    uint32_t form, const uint8_t *text, size_t length, const uint8_t *end,
    int64_t *first, int64_t *second, uint32_t *parameter
) noexcept nogil:
    """One text as integers and how many digits; False: it does not have the form."""
    cdef int64_t day = 0
    cdef uint64_t number
    parameter[0] = 0
    if form == NUMBER:
        return read_number(text, length, end, first, parameter)
    if form == DAY:
        return length == 10 and read_day(text, first)
    if form == MOMENT:
        if length < 19 or text[10] != 32 or not read_day(text, &day):
            return False
        if not read_clock(text + 11, length - 11, True, first, second, parameter):
            return False
        first[0] += day * DAY_SECONDS
        return True
    if form == INTERVAL:
        return read_clock(text, length, False, first, second, parameter)
    parameter[0] = <uint32_t>length
    if not 0 < length <= MAXIMUM_DIGITS or not read_digits(text, length, &number):
        return False
    first[0] = <int64_t>number
    return True


cdef inline size_t write_clock(uint8_t *target, uint64_t seconds) noexcept nogil:
    cdef uint32_t rest = <uint32_t>seconds
    cdef uint32_t hours = rest // 3600
    cdef uint32_t width = 3 if hours > 99 else 2
    rest -= hours * 3600
    write_digits(target, hours, width)
    target[width] = 58
    write_digits(target + width + 1, rest // 60, 2)
    target[width + 3] = 58
    write_digits(target + width + 4, rest % 60, 2)
    return width + 6


cdef inline Reason write_number(
    Column *column, uint32_t place, int64_t mantissa, uint8_t *target, size_t *length
) noexcept nogil:
    cdef uint32_t scale = column.parameter
    cdef uint32_t digits
    cdef uint64_t number
    cdef uint64_t whole
    cdef size_t at = 0
    if not -NUMBER_LIMIT < mantissa < NUMBER_LIMIT:
        return OUT_OF_RANGE
    number = magnitude(mantissa)
    if column.form == SCALED:
        scale = column.scales[place]
        if scale >= MAXIMUM_DIGITS:
            return NO_DIGITS
    if mantissa < 0:
        target[0] = 45
        at = 1
    whole = number // TENS[scale] if scale else number
    digits = count_digits(whole)
    write_digits(target + at, whole, digits)
    at += digits
    if scale:
        target[at] = 46
        write_digits(target + at + 1, number - whole * TENS[scale], scale)
        at += 1 + scale
    length[0] = at
    return FINE


cdef inline Reason write_fraction(
    Column *column, int64_t fraction, uint8_t *target, size_t *length
) noexcept nogil:
    if column.parameter == 0:
        return FINE
    if not 0 <= fraction < <int64_t>TENS[column.parameter]:
        return OUT_OF_RANGE
    target[length[0]] = 46
    write_digits(target + length[0] + 1, <uint64_t>fraction, column.parameter)
    length[0] += 1 + column.parameter
    return FINE


cdef inline Reason write_text(
    Column *column, uint32_t place, uint8_t *target, size_t *length
) noexcept nogil:
    """A value that is made of integers, at most LONGEST_TEXT bytes."""
    cdef int64_t value = column.runs[0].values[place - column.ready]
    cdef int64_t day
    if column.form == NUMBER or column.form == SCALED:
        return write_number(column, place, value, target, length)
    if column.form == PADDED:
        if not 0 <= value < <int64_t>TENS[column.parameter]:
            return OUT_OF_RANGE
        write_digits(target, <uint64_t>value, column.parameter)
        length[0] = column.parameter
        return FINE
    if column.form == DAY:
        if not FIRST_DAY <= value <= LAST_DAY:
            return OUT_OF_RANGE
        write_day(target, value)
        length[0] = 10
        return FINE
    if column.form == MOMENT:
        if not FIRST_DAY * DAY_SECONDS <= value < (LAST_DAY + 1) * DAY_SECONDS:
            return OUT_OF_RANGE
        day = (value - FIRST_DAY * DAY_SECONDS) // DAY_SECONDS + FIRST_DAY
        write_day(target, day)
        target[10] = 32
        length[0] = 11 + write_clock(target + 11, <uint64_t>(value - day * DAY_SECONDS))
    else:
        if not 0 <= value < INTERVAL_LIMIT:
            return OUT_OF_RANGE
        length[0] = write_clock(target, <uint64_t>value)
    if column.run_count == 1:
        return FINE
    return write_fraction(column, column.runs[1].values[place - column.ready], target, length)
