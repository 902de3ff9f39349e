# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""The compiled column layout: rows arranged by column, and back, in C, without the GIL.

rowvault.codec.plain.columns says in plain Python what both functions do; both must agree in every
case. Nothing outside the buffers is read, nothing beyond the stated bytes is written.

It is one long file so that the compiler sees through every call of the inner loops, and apart from
_kernel.pyx because both directions share the forms and nothing else.
"""

cimport cython
from cpython cimport array
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

import array as _array

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    #define RV_LITTLE64(x) (x)
    #else
    #define RV_LITTLE64(x) __builtin_bswap64(x)
    #endif

    static inline uint64_t rv_load_little64(const uint8_t *from) {
        uint64_t word;
        memcpy(&word, from, 8);
        return RV_LITTLE64(word);
    }

    static inline void rv_store_little64(uint8_t *to, uint64_t word) {
        word = RV_LITTLE64(word);
        memcpy(to, &word, 8);
    }

    static inline unsigned rv_bit_length(uint64_t word) {
        return word ? 64 - __builtin_clzll(word) : 0;
    }

    /* Eight digits at once: what is none of them leaves a high nibble that is not 3. */
    static inline int rv_are_digits8(uint64_t word) {
        const uint64_t high = 0xF0F0F0F0F0F0F0F0;
        return ((word & high) | (((word + 0x0606060606060606) & high) >> 4)) == 0x3333333333333333;
    }

    static inline uint64_t rv_digits8(uint64_t word) {
        word = (word & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
        word = (word & 0x00FF00FF00FF00FF) * 6553601 >> 16;
        return (word & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
    }

    /* A number of 1 to 8 bytes at the start of 8 that may be read: digits, and a point between
       two of them. No branch depends on the number; 0: it is something else, or negative. */
    static inline int rv_short_number(
        const uint8_t *text, unsigned length, uint64_t *value, unsigned *scale
    ) {
        const uint64_t ones = 0x0101010101010101;
        uint64_t word = rv_load_little64(text) << 8 * (8 - length) >> 8 * (8 - length);
        uint64_t other = word ^ ones * '.';
        uint64_t point = (other - ones) & ~other & ones * 0x80;
        unsigned whole = length;
        *scale = 0;
        if (point) {
            whole = __builtin_ctzll(point) / 8;
            uint64_t before = ((uint64_t)1 << 8 * whole) - 1;
            word = (word & before) | (word >> 8 & ~before);
            *scale = --length - whole;
            if (!whole || !*scale) return 0;
        }
        word <<= 8 * (8 - length);
        if (length < 8) word |= ones * '0' >> 8 * length;
        *value = rv_digits8(word);
        return rv_are_digits8(word) && (text[0] != '0' || whole == 1);
    }

    static const char rv_pairs[201] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";

    static const uint64_t rv_tens[20] = {
        1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull, 100000000ull,
        1000000000ull, 10000000000ull, 100000000000ull, 1000000000000ull, 10000000000000ull,
        100000000000000ull, 1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
        1000000000000000000ull, 10000000000000000000ull
    };

    /* `count` digits of a number below 10^count. */
    static inline void rv_write_digits(uint8_t *to, uint64_t number, unsigned count) {
        while (count >= 2 && number >> 32) {
            count -= 2;
            memcpy(to + count, rv_pairs + 2 * (number % 100), 2);
            number /= 100;
        }
        uint32_t rest = (uint32_t)number;    /* divides faster */
        while (count >= 2) {
            count -= 2;
            memcpy(to + count, rv_pairs + 2 * (rest % 100), 2);
            rest /= 100;
        }
        if (count) to[0] = (uint8_t)('0' + rest);
    }

    static inline unsigned rv_count_digits(uint64_t number) {
        unsigned count = (rv_bit_length(number | 1) * 1233 >> 12) + 1;
        return count - (number < rv_tens[count - 1] && count > 1);
    }

    /* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
    static inline int64_t rv_day_of(int64_t year, unsigned month, unsigned day) {
        year -= month <= 2;
        int64_t era = year / 400;
        unsigned of_era = (unsigned)(year - era * 400);
        unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        return era * 146097 + (int64_t)day_of_era - 719468;
    }

    static inline void rv_write_day(uint8_t *to, int64_t day) {
        uint32_t days = (uint32_t)(day + 719468);
        uint32_t era = days / 146097;
        uint32_t day_of_era = days - era * 146097;
        uint32_t of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        uint32_t of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
        uint32_t shifted = (5 * of_year + 2) / 153;
        uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
        rv_write_digits(to, of_era + era * 400 + (month <= 2), 4);
        to[4] = to[7] = '-';
        rv_write_digits(to + 5, month, 2);
        rv_write_digits(to + 8, of_year - (153 * shifted + 2) / 5 + 1, 2);
    }

    static inline unsigned rv_days_of_month(unsigned year, unsigned month) {
        static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        return days[month] + (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0));
    }
    """
    uint64_t load_little64 "rv_load_little64"(const uint8_t *source) noexcept nogil
    void store_little64 "rv_store_little64"(uint8_t *target, uint64_t word) noexcept nogil
    uint32_t bit_length "rv_bit_length"(uint64_t word) noexcept nogil
    bint are_digits8 "rv_are_digits8"(uint64_t word) noexcept nogil
    uint64_t digits8 "rv_digits8"(uint64_t word) noexcept nogil
    bint short_number "rv_short_number"(
        const uint8_t *text, uint32_t length, uint64_t *value, uint32_t *scale) noexcept nogil
    void write_digits "rv_write_digits"(
        uint8_t *target, uint64_t number, uint32_t count) noexcept nogil
    uint32_t count_digits "rv_count_digits"(uint64_t number) noexcept nogil
    int64_t day_of "rv_day_of"(int64_t year, uint32_t month, uint32_t day) noexcept nogil
    void write_day "rv_write_day"(uint8_t *target, int64_t day) noexcept nogil
    uint32_t days_of_month "rv_days_of_month"(uint32_t year, uint32_t month) noexcept nogil
    const uint64_t *TENS "rv_tens"

cdef uint64_t LIMIT = 0xFFFFFFFF    # offsets in rows have 32 bits

cdef enum:
    MAXIMUM_COLUMNS = 4096
    MAXIMUM_DIGITS = 18
    MAXIMUM_FRACTION = 6
    MAXIMUM_PREFIX = 16
    MAXIMUM_WIDTH = 8
    DICTIONARY_ENTRIES = 224
    DICTIONARY_VALUE = 64
    DICTIONARY_SLOTS = 512
    ROWS_PER_ENTRY = 4
    ROWS_PER_ODD = 16
    HAS_MARKS = 0x80
    MARK_NULL = 0
    MARK_VALUE = 1
    MARK_ODD = 2
    DIFFERENCES = 0x80
    SLACK = 64    # bytes behind a buffer that copies may overrun
    AT_ONCE = 64    # rows whose integers are made at once
    LONGEST_TEXT = 64    # longer than any field that is made of integers

    LENGTHS = 0
    FIXED = 1
    DICTIONARY = 2
    NUMBER = 3
    SCALED = 4
    PADDED = 5
    DAY = 6
    MOMENT = 7
    INTERVAL = 8

cdef int64_t DAY_SECONDS = 86400
cdef int64_t FIRST_DAY = -719162    # 0001-01-01
cdef int64_t LAST_DAY = 2932896    # 9999-12-31
cdef int64_t NUMBER_LIMIT = 1000000000000000000
cdef int64_t INTERVAL_LIMIT = 3600000

cdef enum Reason:
    FINE
    NO_MEMORY
    INSIDE_LENGTH
    NOT_A_LENGTH
    NOT_SHORTEST
    PAST_END
    TOO_LARGE    # no fault: the rows are better left as they are
    ENDS_EARLY
    NO_COLUMNS
    TOO_MANY_FIELDS
    NO_FORM
    LONG_PREFIX
    NO_DIGITS
    WIDE
    UNORDERED
    LONG_ENTRY
    NO_ENTRY
    NO_MARK
    OUT_OF_RANGE
    BYTES_LEFT
    WRONG_LENGTH

cdef tuple REASONS = (
    "",
    "",
    "the row ends where a length should be",
    "not the start of a length",
    "a length that is not in its shortest form",
    "a value that runs past the end of its row",
    "",
    "the arranged bytes end early",
    "a count of columns that is never written",
    "more fields than bytes",
    "a form that is never written",
    "a prefix that is too long",
    "digits that are never written",
    "integers of more than eight bytes",
    "a dictionary out of order",
    "a value too long for a dictionary",
    "a number that is not in the dictionary",
    "a mark that is never written",
    "an integer out of its range",
    "bytes are left behind the last column",
    "another number of bytes of rows than are due",
)


# --- fields -----------------------------------------------------------------------------------

cdef inline const uint8_t *field_value(
    const uint8_t *field, size_t *length
) noexcept nogil:
    """The value of a field that was looked at before; NULL: it has none."""
    cdef uint8_t first = field[0]
    if first < 0xFB:
        length[0] = first
        return field + 1
    if first == 0xFB:
        length[0] = 0
        return NULL
    if first == 0xFC:
        length[0] = field[1] | <uint32_t>field[2] << 8
        return field + 3
    if first == 0xFD:
        length[0] = field[1] | <uint32_t>field[2] << 8 | <uint32_t>field[3] << 16
        return field + 4
    length[0] = load_little64(field + 1)
    return field + 9


cdef inline Reason prefix_length(
    const uint8_t *data, size_t room, size_t *prefix, uint64_t *length
) noexcept nogil:
    """Bytes before the value of the field at `data`, which has `room` bytes, and of the value."""
    cdef uint64_t value
    if room == 0:
        return INSIDE_LENGTH
    prefix[0] = 1
    length[0] = 0
    if data[0] < 0xFB:
        length[0] = data[0]
        return FINE
    if data[0] == 0xFB:
        return FINE
    if data[0] == 0xFF:
        return NOT_A_LENGTH
    prefix[0] = 3 if data[0] == 0xFC else 4 if data[0] == 0xFD else 9
    if prefix[0] > room:
        return INSIDE_LENGTH
    if data[0] == 0xFC:
        value = data[1] | <uint32_t>data[2] << 8
        if value < 0xFB:
            return NOT_SHORTEST
    elif data[0] == 0xFD:
        value = data[1] | <uint32_t>data[2] << 8 | <uint32_t>data[3] << 16
        if value < 1 << 16:
            return NOT_SHORTEST
    else:
        value = load_little64(data + 1)
        if value < 1 << 24:
            return NOT_SHORTEST
    length[0] = value
    return FINE


cdef inline void copy(
    uint8_t *target, const uint8_t *source, size_t length, const uint8_t *source_end
) noexcept nogil:
    """Copies; where the source has bytes to spare, up to SLACK bytes more than asked."""
    if length <= 32 and source_end - source >= 32:
        memcpy(target, source, 16)
        memcpy(target + 16, source + 16, 16)
    else:
        memcpy(target, source, length)


# --- arranging --------------------------------------------------------------------------------

cdef struct Run:
    int64_t *values    # become the words of the planes
    int64_t base
    uint8_t mode
    uint8_t width


cdef struct Entry:
    const uint8_t *value    # NULL: the field NULL
    uint32_t length
    uint64_t hash
    uint8_t number


cdef struct Work:
    const uint8_t *raw
    const uint8_t *raw_end
    uint32_t column_count
    uint32_t row_count
    uint32_t *fields    # where each field begins, row by row
    uint64_t *room    # per column: bytes of its fields
    uint64_t *value_bytes    # per column: bytes of its values
    uint8_t *head
    size_t head_length
    size_t head_capacity
    uint8_t *streams    # as many as raw bytes, and SLACK
    size_t streams_length
    uint32_t *ends
    size_t end_count
    int64_t *first    # three places for one column: integers,
    int64_t *second
    uint8_t *marks    # and a byte per row: entry, scale
    uint8_t *presence
    Entry entries[DICTIONARY_ENTRIES + 1]


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


cdef inline const uint8_t *field_at(Work *work, uint32_t row, uint32_t column) noexcept nogil:
    return work.raw + work.fields[<size_t>row * work.column_count + column]


cdef inline const uint8_t *value_at(
    Work *work, uint32_t row, uint32_t column, size_t *length
) noexcept nogil:
    return field_value(field_at(work, row, column), length)


cdef Reason put_head(Work *work, const uint8_t *data, size_t length) noexcept nogil:
    cdef size_t capacity
    cdef uint8_t *grown
    if length > work.head_capacity - work.head_length:
        capacity = work.head_capacity * 2 + length
        grown = <uint8_t *>realloc(work.head, capacity)
        if grown == NULL:
            return NO_MEMORY
        work.head = grown
        work.head_capacity = capacity
    memcpy(work.head + work.head_length, data, length)
    work.head_length += length
    return FINE


cdef inline Reason put_byte(Work *work, uint8_t byte) noexcept nogil:
    return put_head(work, &byte, 1)


cdef Reason put_length(Work *work, uint64_t length) noexcept nogil:
    cdef uint8_t encoded[9]
    cdef size_t width
    if length < 0xFB:
        return put_byte(work, <uint8_t>length)
    width = 2 if length < 1 << 16 else 3 if length < 1 << 24 else 8
    encoded[0] = 0xFC if width == 2 else 0xFD if width == 3 else 0xFE
    store_little64(encoded + 1, length)
    return put_head(work, encoded, 1 + width)


cdef uint8_t *open_stream(Work *work, size_t length) noexcept nogil:
    """Room for a stream; NULL where all of them would be more than the rows."""
    cdef uint8_t *start = work.streams + work.streams_length
    if length > <size_t>(work.raw_end - work.raw) - work.streams_length:
        return NULL
    if length:
        work.streams_length += length
        work.ends[work.end_count] = <uint32_t>work.streams_length
        work.end_count += 1
    return start


cdef inline uint64_t load_some(
    const uint8_t *data, size_t length, const uint8_t *end
) noexcept nogil:
    """Up to eight bytes as a little-endian number."""
    cdef uint64_t word = 0
    cdef size_t i
    if length >= 8:
        return load_little64(data)
    if end - data >= 8:
        return load_little64(data) & ((<uint64_t>1 << 8 * length) - 1)
    for i in range(length):
        word |= <uint64_t>data[i] << 8 * i
    return word


cdef inline uint64_t dictionary_hash(
    const uint8_t *value, size_t length, const uint8_t *end
) noexcept nogil:
    cdef uint64_t first
    cdef uint64_t last
    if value == NULL:
        return <uint64_t>0xFB << 56
    first = load_some(value, length, end)
    last = load_little64(value + length - 8) if length >= 8 else first
    first = first * <uint64_t>0x9E3779B97F4A7C15 ^ (last + length)
    first ^= first >> 32
    return first * <uint64_t>0xC2B2AE3D27D4EB4F


cdef inline bint comes_before(const Entry *a, const Entry *b) noexcept nogil:
    cdef int order
    if a.hash != b.hash:
        return a.hash < b.hash
    order = memcmp(a.value, b.value, a.length if a.length < b.length else b.length) \
        if a.value != NULL and b.value != NULL else 0
    return order < 0 or (order == 0 and a.length < b.length)


cdef bint find_entries(Work *work, uint32_t column, uint32_t *found) noexcept nogil:
    """The different values, and in `marks` which one each row has; False: too many, too long."""
    cdef uint16_t slots[DICTIONARY_SLOTS]
    cdef uint32_t limit = work.row_count // ROWS_PER_ENTRY
    cdef uint32_t count = 0
    cdef uint32_t row
    cdef uint32_t slot
    cdef size_t length
    cdef const uint8_t *value
    cdef uint64_t hashed
    cdef Entry *entry
    if limit > DICTIONARY_ENTRIES:
        limit = DICTIONARY_ENTRIES
    memset(slots, 0, sizeof(slots))
    for row in range(work.row_count):
        value = value_at(work, row, column, &length)
        if length > DICTIONARY_VALUE:
            return False
        hashed = dictionary_hash(value, length, work.raw_end)
        slot = <uint32_t>(hashed >> 55)
        while slots[slot]:
            entry = &work.entries[slots[slot] - 1]
            if (
                entry.hash == hashed
                and entry.length == length
                and (entry.value == NULL) == (value == NULL)
                and (length == 0 or memcmp(entry.value, value, length) == 0)
            ):
                break
            slot = (slot + 1) % DICTIONARY_SLOTS
        if slots[slot] == 0:
            if count == limit:
                return False
            entry = &work.entries[count]
            entry.value = value
            entry.length = <uint32_t>length
            entry.hash = hashed
            count += 1
            slots[slot] = <uint16_t>count
        work.marks[row] = <uint8_t>(slots[slot] - 1)
    found[0] = count
    return count > 0


cdef Reason write_dictionary(Work *work, uint32_t column, uint32_t count) noexcept nogil:
    cdef uint8_t order[DICTIONARY_ENTRIES]
    cdef uint32_t i
    cdef uint32_t j
    cdef uint32_t number
    cdef uint32_t next_number = 0
    cdef Entry *entry
    cdef uint8_t *target
    cdef Reason reason
    for i in range(count):
        j = i
        while j > 0 and comes_before(&work.entries[i], &work.entries[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = <uint8_t>i
    reason = put_byte(work, DICTIONARY)
    if reason == FINE:
        reason = put_byte(work, <uint8_t>(count - 1))
    for i in range(count):
        entry = &work.entries[order[i]]
        number = <uint32_t>(entry.hash >> 56)
        if number < next_number:
            number = next_number
        if number > 256 - (count - i):
            number = 256 - (count - i)
        next_number = number + 1
        entry.number = <uint8_t>number
        if reason == FINE:
            reason = put_byte(work, entry.number)
        if reason == FINE:
            reason = put_byte(work, 0xFB if entry.value == NULL else <uint8_t>entry.length)
        if reason == FINE and entry.length:
            reason = put_head(work, entry.value, entry.length)
    if reason != FINE:
        return reason
    target = open_stream(work, work.row_count)
    if target == NULL:
        return TOO_LARGE
    for i in range(work.row_count):
        target[i] = work.entries[work.marks[i]].number
    return FINE


# --- texts that are integers ------------------------------------------------------------------

cdef inline bint is_digit(uint8_t byte) noexcept nogil:
    return <uint8_t>(byte - 48) < 10


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


cdef struct Reading:
    uint32_t form
    uint32_t prefix
    const uint8_t *first    # the first value, which starts with the prefix
    uint32_t parameter    # of the first text that has the form
    uint32_t count    # fields that have the form
    size_t odd_bytes    # of fields that do not have it


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


# --- runs of integers -------------------------------------------------------------------------

cdef inline uint64_t magnitude(int64_t value) noexcept nogil:
    return <uint64_t>(-value if value < 0 else value)


cdef inline uint64_t folded(int64_t value) noexcept nogil:
    return <uint64_t>value << 1 ^ <uint64_t>(value >> 63)


cdef void prepare_run(Run *run, int64_t *values, uint32_t count) noexcept nogil:
    """Makes the words of the planes out of `values`."""
    cdef uint64_t near = 0
    cdef uint64_t far = 0
    cdef uint64_t used = 0
    cdef uint64_t word
    cdef int64_t previous
    cdef int64_t value
    cdef uint32_t half = count // 2
    cdef uint32_t i
    cdef uint32_t partner = half
    for i in range(1, count):
        partner += 1
        if partner == count:
            partner = 0
        near += bit_length(magnitude(values[i] - values[i - 1]))
        far += bit_length(magnitude(values[i] - values[partner]))
    run.values = values
    run.mode = DIFFERENCES if near * 8 < far * 7 else 0
    run.base = values[0]
    if run.mode:
        previous = values[0]
        for i in range(count):
            value = values[i]
            word = folded(value - previous)
            previous = value
            values[i] = <int64_t>word
            used |= word
    else:
        for i in range(count):
            word = folded(values[i])
            values[i] = <int64_t>word
            used |= word
    run.width = <uint8_t>((bit_length(used) + 7) // 8)


cdef Reason write_run_head(Work *work, Run *run) noexcept nogil:
    cdef uint8_t encoded[9]
    encoded[0] = run.mode | run.width
    store_little64(encoded + 1, <uint64_t>run.base)
    return put_head(work, encoded, 9 if run.mode else 1)


cdef Reason write_planes(Work *work, Run *run, uint32_t count) noexcept nogil:
    cdef uint8_t *target
    cdef uint32_t shift
    cdef uint32_t plane
    cdef uint32_t i
    for plane in range(run.width):
        target = open_stream(work, count)
        if target == NULL:
            return TOO_LARGE
        shift = 8 * plane
        for i in range(count):
            target[i] = <uint8_t>(<uint64_t>run.values[i] >> shift)
    return FINE


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


# --- texts as they are ------------------------------------------------------------------------

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
        reason = put_length(work, common)
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
    reason = put_length(work, work.column_count)
    return put_length(work, work.row_count) if reason == FINE else reason


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


cdef array.array ENDS_TEMPLATE = _array.array("I")
if ENDS_TEMPLATE.itemsize != 4:
    raise ImportError("array type code 'I' has not 4 bytes here")


@cython.final
cdef class _Arranging:
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
        cdef array.array ends = array.clone(ENDS_TEMPLATE, work.end_count + 1, zero=False)
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
    cdef _Arranging arranging
    cdef Reason reason
    if column_count <= 0:
        raise ValueError("a row has at least one column")
    if column_count > MAXIMUM_COLUMNS:
        return None
    arranging = _Arranging(rows, <uint32_t>column_count)
    if arranging.rows.len == 0:
        return None
    with nogil:
        reason = arrange_rows(&arranging.work)
    if reason == FINE:
        return arranging.result()
    if reason == TOO_LARGE:
        return None
    if reason == NO_MEMORY:
        raise MemoryError
    raise ValueError(
        f"row {arranging.work.row_count}, byte {arranging.work.head_length}: "
        f"{REASONS[<int>reason]}"
    )


# --- restoring --------------------------------------------------------------------------------

cdef struct StoredRun:
    const uint8_t *planes
    uint64_t last    # what differences are added to
    uint8_t width
    bint differences
    int64_t *values    # AT_ONCE of them


cdef struct Column:
    uint8_t form
    bint has_marks
    uint8_t prefix_length
    uint8_t parameter
    uint8_t run_count
    const uint8_t *prefix
    uint64_t length    # FIXED: of each value
    uint32_t *entries    # DICTIONARY: for each number where its field stands, counted from 1
    const uint8_t *marks    # a byte per row: what it is, entry; LENGTHS: the lengths
    const uint8_t *odd    # fields that do not have the form
    const uint8_t *scales
    const uint8_t *values
    uint32_t count    # fields that have the form
    uint32_t done    # of those
    uint32_t ready    # integers that are made begin here
    StoredRun runs[2]


cdef struct Restoring:
    const uint8_t *data
    size_t length
    size_t position
    uint8_t *target
    size_t raw_bytes
    size_t written
    uint32_t row_count
    uint32_t column_count
    Column *columns


cdef Reason take(Restoring *work, uint64_t length, const uint8_t **taken) noexcept nogil:
    if length > work.length - work.position:
        return ENDS_EARLY
    taken[0] = work.data + work.position
    work.position += length
    return FINE


cdef Reason take_byte(Restoring *work, uint8_t *byte) noexcept nogil:
    if work.position == work.length:
        return ENDS_EARLY
    byte[0] = work.data[work.position]
    work.position += 1
    return FINE


cdef Reason take_prefix(Restoring *work, uint64_t *length, bint *is_null) noexcept nogil:
    cdef size_t prefix = 0
    cdef Reason reason = prefix_length(
        work.data + work.position, work.length - work.position, &prefix, length
    )
    if reason == FINE:
        is_null[0] = work.data[work.position] == 0xFB
        work.position += prefix
    return reason


cdef Reason take_length(Restoring *work, uint64_t *length) noexcept nogil:
    cdef bint is_null
    cdef Reason reason = take_prefix(work, length, &is_null)
    return NOT_A_LENGTH if reason == FINE and is_null else reason


cdef Reason read_entries(Restoring *work, Column *column) noexcept nogil:
    cdef uint8_t last
    cdef uint8_t number = 0
    cdef int32_t previous = -1
    cdef uint32_t i
    cdef uint64_t length
    cdef bint is_null
    cdef size_t start
    cdef const uint8_t *value
    cdef Reason reason = take_byte(work, &last)
    if reason != FINE:
        return reason
    column.entries = <uint32_t *>malloc(256 * sizeof(uint32_t))
    if column.entries == NULL:
        return NO_MEMORY
    memset(column.entries, 0, 256 * sizeof(uint32_t))
    for i in range(<uint32_t>last + 1):
        reason = take_byte(work, &number)
        if reason != FINE:
            return reason
        if <int32_t>number <= previous:
            return UNORDERED
        previous = number
        start = work.position
        reason = take_prefix(work, &length, &is_null)
        if reason == FINE and length > DICTIONARY_VALUE:
            reason = LONG_ENTRY
        if reason == FINE:
            reason = take(work, length, &value)
        if reason != FINE:
            return reason
        column.entries[number] = <uint32_t>(start + 1)
    return FINE


cdef Reason read_run(Restoring *work, StoredRun *run) noexcept nogil:
    cdef uint8_t first
    cdef const uint8_t *base
    cdef Reason reason = take_byte(work, &first)
    if reason != FINE:
        return reason
    run.width = first & ~DIFFERENCES
    if run.width > MAXIMUM_WIDTH:
        return WIDE
    run.differences = (first & DIFFERENCES) != 0
    if run.differences:
        reason = take(work, 8, &base)
        if reason == FINE:
            run.last = load_little64(base)
    return reason


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
        width = 2 if column.length < 1 << 16 else 3 if column.length < 1 << 24 else 8
        encoded[0] = 0xFC if width == 2 else 0xFD if width == 3 else 0xFE
        store_little64(encoded + 1, column.length)
        if width + 1 > room:
            return WRONG_LENGTH
        memcpy(work.target + work.written, encoded, width + 1)
        work.written += width + 1
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
    return FINE if work.position == work.length else BYTES_LEFT


@cython.final
cdef class _Restoring:
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
    cdef _Restoring restoring = _Restoring(arranged)
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
    if reason == NO_MEMORY:
        raise MemoryError
    if reason != FINE:
        raise ValueError(REASONS[<int>reason])
    return rows
