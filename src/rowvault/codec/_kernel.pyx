# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""The compiled kernel: all work per row and per byte, in C, without the GIL.

rowvault.codec.plain says in plain Python what each name does; both must agree in every case. The
module imports nothing of Rowvault, raises ValueError for malformed input, and reads nothing
outside the buffers it is given. One object is used by one thread at a time; RuntimeError says so.

It is one long file so that the compiler sees through every call of the inner loops.
"""

cimport cython
from cpython cimport array
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release,
    PyObject_GetBuffer,
)
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
from libc.errno cimport EINTR, ETIMEDOUT, errno
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

import array as _array

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    int PyErr_CheckSignals() except -1
    object PyErr_SetFromErrno(object kind)
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #include <errno.h>
    #include <poll.h>
    #include <stdlib.h>
    #include <sys/socket.h>

    #ifdef __GLIBC__
    #include <malloc.h>
    static void rv_keep_freed_memory(int most_kept, int mapped_from) {
        mallopt(M_TRIM_THRESHOLD, most_kept);
        mallopt(M_MMAP_THRESHOLD, mapped_from);
    }
    #else
    static void rv_keep_freed_memory(int most_kept, int mapped_from) {
        (void)most_kept, (void)mapped_from;    /* other allocators have no such bounds */
    }
    #endif

    #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    #define RV_LITTLE64(x) (x)
    #define RV_BIG64(x) __builtin_bswap64(x)
    #else
    #define RV_LITTLE64(x) __builtin_bswap64(x)
    #define RV_BIG64(x) (x)
    #endif

    static inline uint64_t rv_load_little64(const uint8_t *from) {
        uint64_t word;
        memcpy(&word, from, 8);
        return RV_LITTLE64(word);
    }

    #define RV_PREFETCH(place) __builtin_prefetch(place)

    static inline void rv_store_little64(uint8_t *to, uint64_t word) {
        word = RV_LITTLE64(word);
        memcpy(to, &word, 8);
    }

    static inline uint64_t rv_load_big64(const uint8_t *from) {
        uint64_t word;
        memcpy(&word, from, 8);
        return RV_BIG64(word);
    }

    static inline uint32_t rv_load_little32(const uint8_t *from) {
        return from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24;
    }

    static inline uint32_t rv_load_end(const uint8_t *ends, size_t index) {
        uint32_t end;
        memcpy(&end, ends + 4 * index, 4);
        return end;
    }

    static inline double rv_load_real(const uint8_t *from) {
        uint64_t bits;
        double value;
        memcpy(&bits, from, 8);
        bits = RV_BIG64(bits);
        memcpy(&value, &bits, 8);
        return value;
    }

    static inline void rv_store_real(uint8_t *to, double value) {
        uint64_t bits;
        memcpy(&bits, &value, 8);
        bits = RV_BIG64(bits);
        memcpy(to, &bits, 8);
    }

    /* chance * scale^4 < (after^4 - before^4) << 32; sizes up to 2^22 keep within 128 bits */
    static inline int rv_ends_block(
        uint32_t chance, uint64_t scale, uint64_t before, uint64_t after
    ) {
        typedef unsigned __int128 wide;
        wide scale2 = (wide)scale * scale;
        wide before2 = (wide)before * before;
        wide after2 = (wide)after * after;
        return chance * (scale2 * scale2) < ((after2 * after2 - before2 * before2) << 32);
    }

    /* Sixteen bytes at once, on any machine that the compiler knows. A lane of SPECIAL is 0xFF
       where a backslash must stand before the byte in a quoted text. */
    typedef uint8_t rv_lanes __attribute__((vector_size(16)));

    static inline rv_lanes rv_load_lanes(const uint8_t *from) {
        rv_lanes lanes;
        memcpy(&lanes, from, 16);
        return lanes;
    }

    #define RV_IS(lanes, byte) ((rv_lanes)((lanes) == (byte)))
    #define RV_SPECIAL(lanes) (RV_IS(lanes, 0) | RV_IS(lanes, 10) | RV_IS(lanes, 13) \\
        | RV_IS(lanes, 26) | RV_IS(lanes, 39) | RV_IS(lanes, 92))

    static inline size_t rv_sum_lanes(rv_lanes lanes) {
        const uint64_t even = 0x00FF00FF00FF00FF, ones = 0x0001000100010001;
        uint64_t half[2];
        memcpy(half, &lanes, 16);
        uint64_t pairs = (half[0] & even) + (half[0] >> 8 & even);
        pairs += (half[1] & even) + (half[1] >> 8 & even);
        return pairs * ones >> 48;
    }

    static inline int rv_any_lane(rv_lanes lanes) {
        uint64_t half[2];
        memcpy(half, &lanes, 16);
        return (half[0] | half[1]) != 0;
    }

    static const uint8_t rv_last_lanes[32] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
    };

    /* How many bytes of data[start:stop] are special. Sixteen bytes that end with the text are
       read where data has them, whatever lies before the text in them is masked. */
    static inline size_t rv_count_special(const uint8_t *data, size_t start, size_t stop) {
        size_t count = 0;
        while (stop - start >= 16) {
            size_t rounds = (stop - start) / 16;
            rv_lanes sums = {0};
            if (rounds > 255) rounds = 255;
            for (; rounds; rounds--, start += 16) {
                rv_lanes lanes = rv_load_lanes(data + start);
                sums -= RV_SPECIAL(lanes);
            }
            count += rv_sum_lanes(sums);
        }
        if (start < stop && stop >= 16) {
            rv_lanes lanes = rv_load_lanes(data + stop - 16);
            lanes = RV_SPECIAL(lanes) & rv_load_lanes(rv_last_lanes + (stop - start));
            return count + rv_sum_lanes(lanes);
        }
        for (; start < stop; start++) {
            uint8_t b = data[start];
            count += b == 0 || b == 10 || b == 13 || b == 26 || b == 39 || b == 92;
        }
        return count;
    }

    static inline int rv_has_special16(const uint8_t *text) {
        rv_lanes lanes = rv_load_lanes(text);
        return rv_any_lane(RV_SPECIAL(lanes));
    }

    #define RV_ALL 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
    static const uint8_t rv_first_lanes[32] = {
        RV_ALL, RV_ALL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    };

    /* Both copy sixteen bytes, of which the first `length` are meant, and say whether those are
       plain: need no backslash; stand in a number. */
    static inline int rv_copy_text16(const uint8_t *from, uint8_t *to, size_t length) {
        rv_lanes lanes = rv_load_lanes(from);
        memcpy(to, &lanes, 16);
        lanes = RV_SPECIAL(lanes) & rv_load_lanes(rv_first_lanes + 16 - length);
        return !rv_any_lane(lanes);
    }

    static inline int rv_copy_number16(const uint8_t *from, uint8_t *to, size_t length) {
        rv_lanes lanes = rv_load_lanes(from);
        rv_lanes good = (rv_lanes)((rv_lanes)(lanes - 48) < 10);
        memcpy(to, &lanes, 16);
        good |= RV_IS(lanes, 43) | RV_IS(lanes, 45) | RV_IS(lanes, 46);
        good |= RV_IS(lanes, 69) | RV_IS(lanes, 101);
        return !rv_any_lane(~good & rv_load_lanes(rv_first_lanes + 16 - length));
    }

    static inline int rv_copy_json16(const uint8_t *from, uint8_t *to) {
        rv_lanes lanes = rv_load_lanes(from);
        memcpy(to, &lanes, 16);
        return !rv_any_lane((rv_lanes)(lanes < 32) | RV_IS(lanes, 34) | RV_IS(lanes, 92));
    }

    #ifdef __clang__
    #define RV_INTERLEAVE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
    #else
    #define RV_INTERLEAVE(a, b, ...) __builtin_shuffle(a, b, (rv_lanes){__VA_ARGS__})
    #endif

    static inline rv_lanes rv_hex_digits(rv_lanes nibbles) {
        return nibbles + 48 + ((rv_lanes)(nibbles > 9) & 7);
    }

    /* 32 digits of 16 bytes */
    static inline void rv_hex16(const uint8_t *from, uint8_t *to) {
        rv_lanes lanes = rv_load_lanes(from);
        rv_lanes high = rv_hex_digits(lanes >> 4), low = rv_hex_digits(lanes & 15);
        rv_lanes digits = RV_INTERLEAVE(
            high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        memcpy(to, &digits, 16);
        digits = RV_INTERLEAVE(
            high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        memcpy(to + 16, &digits, 16);
    }

    #include "_row_hash.h"

    /* What a socket has, up to `size` bytes, waiting for the first one. 0: the other end is
       closed; -1: errno tells, ETIMEDOUT where nothing came for so long. */
    static inline ssize_t rv_receive(int from, uint8_t *to, size_t size, int timeout_ms) {
        struct pollfd wait = {from, POLLIN, 0};
        for (;;) {
            ssize_t count = recv(from, to, size, MSG_DONTWAIT);
            if (count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return count;
            int found = poll(&wait, 1, timeout_ms);
            if (found < 0) return -1;
            if (found == 0) {
                errno = ETIMEDOUT;
                return -1;
            }
        }
    }
    """
    uint64_t load_little64 "rv_load_little64"(const uint8_t *source) noexcept nogil
    uint64_t load_big64 "rv_load_big64"(const uint8_t *source) noexcept nogil
    uint32_t load_little32 "rv_load_little32"(const uint8_t *source) noexcept nogil
    void store_little64 "rv_store_little64"(uint8_t *target, uint64_t word) noexcept nogil
    void prefetch "RV_PREFETCH"(const uint8_t *place) noexcept nogil
    uint32_t load_end "rv_load_end"(const uint8_t *ends, size_t index) noexcept nogil
    double load_real "rv_load_real"(const uint8_t *source) noexcept nogil
    void store_real "rv_store_real"(uint8_t *target, double value) noexcept nogil
    bint ends_block "rv_ends_block"(
        uint32_t chance, uint64_t scale, uint64_t before, uint64_t after) noexcept nogil
    size_t count_special "rv_count_special"(
        const uint8_t *data, size_t start, size_t stop) noexcept nogil
    uint64_t last_word "rv_last_word"(const uint8_t *data, size_t length) noexcept nogil
    void row_hash_words "rv_row_hash"(
        const uint64_t *key, const uint8_t *data, size_t length, uint64_t *result, int count
    ) noexcept nogil
    void sum_rows "rv_sum_rows"(
        const uint64_t *key, const uint8_t *rows, size_t start, const uint8_t *ends, size_t count,
        uint64_t *total) noexcept nogil
    Py_ssize_t receive "rv_receive"(
        int source, uint8_t *target, size_t size, int timeout_ms) noexcept nogil
    bint has_special16 "rv_has_special16"(const uint8_t *text) noexcept nogil
    bint copy_text16 "rv_copy_text16"(
        const uint8_t *source, uint8_t *target, size_t length) noexcept nogil
    bint copy_number16 "rv_copy_number16"(
        const uint8_t *source, uint8_t *target, size_t length) noexcept nogil
    bint copy_json16 "rv_copy_json16"(const uint8_t *source, uint8_t *target) noexcept nogil
    void hex16 "rv_hex16"(const uint8_t *source, uint8_t *target) noexcept nogil
    void set_memory_kept "rv_keep_freed_memory"(int most_kept, int mapped_from) noexcept nogil

cdef uint64_t LIMIT = 0xFFFFFFFF    # offsets in rows have 32 bits
cdef uint32_t MAX_BLOCK_BYTES = 1 << 22

cdef enum:
    LONGEST_PLAIN_KEY = 512
    PACKET_MAX = 0xFFFFFF
    KIND_NUMBER = 1
    KIND_TEXT = 2
    KIND_BYTES = 3
    KIND_DYNAMIC = 4
    KEPT_CAPACITY = 1 << 20   # an idle buffer larger than this is given back

cdef enum Reason:
    FINE
    NO_MEMORY
    INSIDE_LENGTH
    NOT_A_LENGTH
    NOT_SHORTEST
    PAST_END
    BYTES_LEFT
    BAD_ENDS
    NO_CLASS
    NOT_A_NUMBER
    EMPTY_PACKET
    WRONG_SEQUENCE
    MALFORMED_END
    BEHIND_END
    TOO_LONG
    OTHER_LENGTH

cdef tuple REASONS = (
    "",
    "",
    "the row ends where a length should be",
    "not the start of a length",
    "a length that is not in its shortest form",
    "a value that runs past the end of its row",
    "bytes are left behind the last value",
    "the ends do not ascend to the end of the rows",
    "a value without a proper storage class",
    "not a number",
    "an empty packet where a row should be",
    "a packet out of sequence",
    "a malformed packet at the end of the result set",
    "bytes behind the end of the result set",
    "more than 4 GiB of rows at once",
    "the text is not as long as it was said to be",
)

cdef struct Fault:
    Reason reason
    uint64_t row
    uint64_t offset


cdef int raise_fault(Fault *fault) except -1:
    if fault.reason == NO_MEMORY:
        raise MemoryError
    raise ValueError(f"row {fault.row}, byte {fault.offset}: {REASONS[<int>fault.reason]}")


# --- buffers ----------------------------------------------------------------------------------

cdef array.array ENDS_TEMPLATE = _array.array("I")
if ENDS_TEMPLATE.itemsize != 4:
    raise ImportError("array type code 'I' has not 4 bytes here")


cdef struct Output:
    uint8_t *data
    size_t length
    size_t capacity


cdef bint output_grow(Output *out, size_t more) noexcept nogil:
    cdef size_t capacity = out.length + more
    cdef uint8_t *data
    if capacity < out.capacity + out.capacity // 2:
        capacity = out.capacity + out.capacity // 2
    data = <uint8_t *>realloc(out.data, capacity)
    if data == NULL:
        return False
    out.data = data
    out.capacity = capacity
    return True


cdef inline bint output_reserve(Output *out, size_t more) noexcept nogil:
    """Room for `more` bytes behind what is there; False: no memory."""
    return more <= out.capacity - out.length or output_grow(out, more)


cdef inline bint output_append(Output *out, const uint8_t *source, size_t length) noexcept nogil:
    if not output_reserve(out, length):
        return False
    if length:
        memcpy(out.data + out.length, source, length)
        out.length += length
    return True


cdef inline bint output_append_small(
    Output *out, const uint8_t *source, size_t length
) noexcept nogil:
    """The same where `length` is a constant, so that the copy is an instruction or two."""
    if not output_reserve(out, length):
        return False
    memcpy(out.data + out.length, source, length)
    out.length += length
    return True


cdef void output_clear(Output *out) noexcept nogil:
    """Empty; memory beyond the ordinary is given back."""
    out.length = 0
    if out.capacity > KEPT_CAPACITY:
        free(out.data)
        out.data = NULL
        out.capacity = 0


cdef array.array ends_array(Output *ends):
    cdef array.array result = array.clone(ENDS_TEMPLATE, ends.length // 4, zero=False)
    if ends.length:
        memcpy(result.data.as_voidptr, ends.data, ends.length)
    return result


@cython.final
cdef class _Scratch:
    """Two outputs that live as long as one call."""

    cdef Output first
    cdef Output second

    def __dealloc__(self):
        free(self.first.data)
        free(self.second.data)


@cython.final
cdef class _Batch:
    """Borrowed buffers: bytes, and the ends of the rows in them where given."""

    cdef Py_buffer rows
    cdef Py_buffer ends
    cdef bint has_rows
    cdef bint has_ends
    cdef const uint8_t *data
    cdef size_t length
    cdef const uint8_t *end_data
    cdef size_t count

    def __cinit__(self, rows, ends=None):
        PyObject_GetBuffer(rows, &self.rows, PyBUF_SIMPLE)
        self.has_rows = True
        self.data = <const uint8_t *>self.rows.buf
        self.length = self.rows.len
        if self.length > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        if ends is None:
            return
        PyObject_GetBuffer(ends, &self.ends, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        self.has_ends = True
        if self.ends.ndim != 1 or self.ends.format == NULL or self.ends.format != b"I":
            raise ValueError("ends must be an array of type code 'I'")
        self.end_data = <const uint8_t *>self.ends.buf
        self.count = self.ends.len // 4

    def __dealloc__(self):
        if self.has_ends:
            PyBuffer_Release(&self.ends)
        if self.has_rows:
            PyBuffer_Release(&self.rows)


# --- SipHash (Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012) ---------------------

cdef struct Sip:
    uint64_t v0
    uint64_t v1
    uint64_t v2
    uint64_t v3


cdef inline uint64_t rotate(uint64_t word, int count) noexcept nogil:
    return (word << count) | (word >> (64 - count))


cdef inline void sip_round(Sip *s) noexcept nogil:
    s.v0 += s.v1
    s.v1 = rotate(s.v1, 13) ^ s.v0
    s.v0 = rotate(s.v0, 32)
    s.v2 += s.v3
    s.v3 = rotate(s.v3, 16) ^ s.v2
    s.v0 += s.v3
    s.v3 = rotate(s.v3, 21) ^ s.v0
    s.v2 += s.v1
    s.v1 = rotate(s.v1, 17) ^ s.v2
    s.v2 = rotate(s.v2, 32)


cdef inline Sip sip_start(const uint64_t *key) noexcept nogil:
    cdef Sip s
    s.v0 = key[0] ^ <uint64_t>0x736F6D6570736575
    s.v1 = key[1] ^ <uint64_t>0x646F72616E646F6D
    s.v2 = key[0] ^ <uint64_t>0x6C7967656E657261
    s.v3 = key[1] ^ <uint64_t>0x7465646279746573
    return s


cdef uint64_t sip24(const uint64_t *key, const uint8_t *data, size_t length) noexcept nogil:
    cdef Sip s = sip_start(key)
    cdef size_t i
    cdef uint64_t word
    for i in range(length // 8):
        word = load_little64(data + 8 * i)
        s.v3 ^= word
        sip_round(&s)
        sip_round(&s)
        s.v0 ^= word
    word = last_word(data, length)
    s.v3 ^= word
    sip_round(&s)
    sip_round(&s)
    s.v0 ^= word
    s.v2 ^= 0xFF
    sip_round(&s)
    sip_round(&s)
    sip_round(&s)
    sip_round(&s)
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3


cdef int load_key(key, uint64_t *words) except -1:
    if not PyBytes_Check(key):
        raise TypeError("a key is bytes")
    if PyBytes_GET_SIZE(key) != 16:
        raise ValueError("a SipHash key has 16 bytes")
    words[0] = load_little64(<const uint8_t *>PyBytes_AS_STRING(key))
    words[1] = load_little64(<const uint8_t *>PyBytes_AS_STRING(key) + 8)
    return 0


cdef bytes little_bytes(const uint64_t *words, int count):
    cdef uint8_t result[32]
    cdef int i
    for i in range(count):
        store_little64(&result[8 * i], words[i])
    return PyBytes_FromStringAndSize(<char *>result, 8 * count)


def siphash24(key, data):
    """SipHash-2-4 of 64 bits under a key of 16 bytes. Raises ValueError."""
    cdef uint64_t words[2]
    cdef _Batch batch = _Batch(data)
    load_key(key, words)
    return sip24(words, batch.data, batch.length)


def row_hash(key, data):
    """32 bytes: SipHash-1-3 in its 128-bit form, squeezed twice as long. Raises ValueError."""
    cdef uint64_t words[2]
    cdef uint64_t result[4]
    cdef _Batch batch = _Batch(data)
    load_key(key, words)
    row_hash_words(words, batch.data, batch.length, result, 4)
    return little_bytes(result, 4)


# --- rows -------------------------------------------------------------------------------------

cdef struct Field:
    size_t begin    # of the wire field, its length prefix included
    size_t start    # of the value
    size_t stop
    bint is_null


cdef inline Reason read_field(
    const uint8_t *rows, size_t position, size_t end, Field *field
) noexcept nogil:
    """The field at `position` of a row that stops at `end`."""
    cdef uint64_t length
    cdef uint64_t least
    cdef size_t width
    cdef size_t i
    field.begin = position
    field.is_null = False
    if position >= end:
        return INSIDE_LENGTH
    length = rows[position]
    position += 1
    if length >= 0xFB:
        if length == 0xFB:
            field.is_null = True
            field.start = position
            field.stop = position
            return FINE
        if length == 0xFF:
            return NOT_A_LENGTH
        width = 2 if length == 0xFC else 3 if length == 0xFD else 8
        least = 0xFB if length == 0xFC else 1 << 16 if length == 0xFD else 1 << 24
        if width > end - position:
            return INSIDE_LENGTH
        length = 0
        for i in range(width):
            length |= <uint64_t>rows[position + i] << (8 * i)
        if length < least:
            return NOT_SHORTEST
        position += width
    if length > end - position:
        return PAST_END
    field.start = position
    field.stop = position + length
    return FINE


cdef inline bint next_row(
    const uint8_t *ends, size_t length, size_t row, size_t start, size_t *end, Fault *fault
) noexcept nogil:
    """The end of the row that starts at `start`; False where it is no proper end."""
    end[0] = load_end(ends, row)
    if start < end[0] and end[0] <= length:
        return True
    fault.reason = BAD_ENDS
    fault.row = row
    fault.offset = start
    return False


cdef inline bint refuse(Fault *fault, Reason reason, size_t row, size_t offset) noexcept nogil:
    fault.reason = reason
    fault.row = row
    fault.offset = offset
    return False


cdef int check_column_count(Py_ssize_t column_count) except -1:
    if not 0 < column_count <= 0xFFFF:
        raise ValueError("a row has at least one column and at most 65535")
    return 0


cdef bint find_ends(
    const uint8_t *rows, size_t length, uint32_t column_count, Output *ends, Fault *fault
) noexcept nogil:
    cdef size_t position = 0
    cdef size_t row = 0
    cdef uint32_t column
    cdef uint32_t end
    cdef Field field
    cdef Reason reason
    while position < length:
        for column in range(column_count):
            reason = read_field(rows, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            position = field.stop
        end = <uint32_t>position
        if not output_append(ends, <uint8_t *>&end, 4):
            return refuse(fault, NO_MEMORY, row, position)
        row += 1
    return True


def row_ends(rows, Py_ssize_t column_count):
    """The ends of the whole rows that `rows` consists of. Raises ValueError."""
    cdef _Scratch scratch = _Scratch()
    cdef _Batch batch = _Batch(rows)
    cdef Fault fault
    cdef bint fine
    check_column_count(column_count)
    with nogil:
        fine = find_ends(batch.data, batch.length, column_count, &scratch.first, &fault)
    if not fine:
        raise_fault(&fault)
    return ends_array(&scratch.first)


cdef tuple next_values(_Batch batch, Py_ssize_t column_count, size_t *position, size_t row):
    cdef tuple values = PyTuple_New(column_count)
    cdef Py_ssize_t column
    cdef Field field
    cdef Fault fault
    cdef Reason reason
    cdef object value
    for column in range(column_count):
        reason = read_field(batch.data, position[0], batch.length, &field)
        if reason != FINE:
            refuse(&fault, reason, row, position[0])
            raise_fault(&fault)
        value = None
        if not field.is_null:
            value = PyBytes_FromStringAndSize(
                <const char *>batch.data + field.start, field.stop - field.start
            )
        Py_INCREF(value)
        PyTuple_SET_ITEM(values, column, value)
        position[0] = field.stop
    return values


def row_values(rows, Py_ssize_t column_count):
    """The values of whole rows, a tuple of bytes and None for each. Raises ValueError."""
    cdef _Batch batch = _Batch(rows)
    cdef size_t position = 0
    cdef list found = []
    check_column_count(column_count)
    while position < batch.length:
        found.append(next_values(batch, column_count, &position, len(found)))
    return found


# --- layouts ----------------------------------------------------------------------------------

cdef struct Column:
    uint8_t kind
    const uint8_t *introducer
    size_t introducer_length
    int32_t key_slot    # place among the key columns, or -1


@cython.final
cdef class _Shape:
    """A table's layout as the loops need it, and the key fields of the row in hand."""

    cdef Column *columns
    cdef uint32_t column_count
    cdef uint32_t key_count
    cdef size_t introducer_bytes
    cdef Field *key_fields
    cdef Output key_buffer
    cdef tuple introducers    # keeps the bytes that `columns` points to

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
            self.set_column(&self.columns[i], kinds[i], self.introducers[i])
        for i, index in enumerate(key):
            if not 0 <= index < self.column_count or self.columns[index].key_slot >= 0:
                raise ValueError("the key names a column that is not there, or one twice")
            self.columns[index].key_slot = <int32_t>i
            self.key_count += 1

    cdef int set_column(self, Column *column, uint8_t kind, introducer) except -1:
        if not KIND_NUMBER <= kind <= KIND_DYNAMIC:
            raise ValueError("an unknown kind of column")
        if not isinstance(introducer, bytes):
            raise TypeError("introducers are bytes")
        column.kind = kind
        column.introducer = <const uint8_t *>PyBytes_AS_STRING(introducer)
        column.introducer_length = PyBytes_GET_SIZE(introducer)
        column.key_slot = -1
        self.introducer_bytes += column.introducer_length
        return 0

    def __dealloc__(self):
        free(self.columns)
        free(self.key_fields)
        free(self.key_buffer.data)

    cdef bint gather_key(
        self, const uint8_t *rows, size_t start, size_t end, const uint8_t **key, size_t *length
    ) noexcept nogil:
        """The key's wire fields end to end, of the row walked last; False: no memory."""
        cdef uint32_t i
        if not self.key_count:
            key[0] = rows + start
            length[0] = end - start
            return True
        for i in range(1, self.key_count):
            if self.key_fields[i].begin != self.key_fields[i - 1].stop:
                return self.copy_key(rows, key, length)
        key[0] = rows + self.key_fields[0].begin
        length[0] = self.key_fields[self.key_count - 1].stop - self.key_fields[0].begin
        return True

    cdef bint copy_key(
        self, const uint8_t *rows, const uint8_t **key, size_t *length
    ) noexcept nogil:
        cdef uint32_t i
        cdef Field *field
        output_clear(&self.key_buffer)
        for i in range(self.key_count):
            field = &self.key_fields[i]
            if not output_append(&self.key_buffer, rows + field.begin, field.stop - field.begin):
                return False
        key[0] = self.key_buffer.data
        length[0] = self.key_buffer.length
        return True


# --- lengths of renderings --------------------------------------------------------------------

cdef inline bint is_class(uint8_t byte) noexcept nogil:
    return byte == c'i' or byte == c'r' or byte == c't' or byte == c'b'


cdef inline uint8_t dynamic_class(const uint8_t *value, size_t length) noexcept nogil:
    """The storage class; 0 where there is none or a real has not 8 bytes."""
    if length == 0 or not is_class(value[0]):
        return 0
    if value[0] == c'r' and length != 9:
        return 0
    return value[0]


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


cdef inline bint walk_row(
    _Shape shape, const uint8_t *rows, size_t row, size_t start, size_t end, bint measure,
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


cdef bint measure_rows(_Shape shape, _Batch batch, uint64_t *total, Fault *fault) noexcept nogil:
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
    cdef _Shape shape = _Shape(kinds, introducers, ())
    cdef _Batch batch = _Batch(rows, ends)
    cdef uint64_t total
    cdef Fault fault
    cdef bint fine
    with nogil:
        fine = measure_rows(shape, batch, &total, &fault)
    if not fine:
        raise_fault(&fault)
    return total


# --- renderings -------------------------------------------------------------------------------

cdef uint8_t ESCAPES[256]
cdef uint8_t JSON_ESCAPES[256]
cdef uint8_t HEX_PAIRS[512]
cdef bint IS_NUMBER_BYTE[256]


cdef void fill_tables() noexcept:
    cdef int i
    cdef const uint8_t *digits = b"0123456789ABCDEF"
    cdef const uint8_t *numbers = b"0123456789+-.eE"
    memset(ESCAPES, 0, sizeof(ESCAPES))
    ESCAPES[0] = c'0'
    ESCAPES[10] = c'n'
    ESCAPES[13] = c'r'
    ESCAPES[26] = c'Z'
    ESCAPES[39] = c"'"
    ESCAPES[92] = c'\\'
    memset(JSON_ESCAPES, 0, sizeof(JSON_ESCAPES))
    JSON_ESCAPES[8] = c'b'
    JSON_ESCAPES[9] = c't'
    JSON_ESCAPES[10] = c'n'
    JSON_ESCAPES[12] = c'f'
    JSON_ESCAPES[13] = c'r'
    JSON_ESCAPES[34] = c'"'
    JSON_ESCAPES[92] = c'\\'
    for i in range(256):
        HEX_PAIRS[2 * i] = digits[i >> 4]
        HEX_PAIRS[2 * i + 1] = digits[i & 15]
        IS_NUMBER_BYTE[i] = i != 0 and memchr(numbers, i, 15) != NULL


fill_tables()


cdef inline uint8_t *put_escaped_byte(uint8_t byte, uint8_t *target) noexcept nogil:
    if ESCAPES[byte]:
        target[0] = c'\\'
        target[1] = ESCAPES[byte]
        return target + 2
    target[0] = byte
    return target + 1


cdef inline uint8_t *put_text(
    const uint8_t *value, size_t length, size_t readable, uint8_t *target
) noexcept nogil:
    """Sixteen bytes at a time; of `readable` ones, the value's `length` are meant."""
    cdef size_t i = 0
    cdef size_t count
    cdef size_t j
    target[0] = c"'"
    target += 1
    while i < length:
        count = length - i if length - i < 16 else 16
        if readable - i >= 16 and copy_text16(value + i, target, count):
            target += count
        else:
            for j in range(i, i + count):
                target = put_escaped_byte(value[j], target)
        i += count
    target[0] = c"'"
    return target + 1


cdef inline uint8_t *put_hex(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    cdef size_t i = 0
    memcpy(target, b"X'", 2)
    target += 2
    while length - i >= 16:
        hex16(value + i, target)
        target += 32
        i += 16
    while i < length:
        memcpy(target, &HEX_PAIRS[2 * value[i]], 2)
        target += 2
        i += 1
    target[0] = c"'"
    return target + 1


cdef inline uint8_t *put_bytes(const uint8_t *value, size_t length, uint8_t *target) noexcept nogil:
    memcpy(target, value, length)
    return target + length


cdef inline uint8_t *put_number(
    const uint8_t *value, size_t length, size_t readable, uint8_t *target, Reason *reason
) noexcept nogil:
    cdef size_t i
    if 0 < length <= 16 and readable >= 16:
        if not copy_number16(value, target, length):
            reason[0] = NOT_A_NUMBER
        return target + length
    for i in range(length):
        if not IS_NUMBER_BYTE[value[i]]:
            reason[0] = NOT_A_NUMBER
            return target
    if length == 0:
        reason[0] = NOT_A_NUMBER
    return put_bytes(value, length, target)


cdef bint is_integer(const uint8_t *value, size_t length) noexcept nogil:
    """An optional minus and 1 to 19 digits."""
    cdef size_t i
    if length and value[0] == c'-':
        value += 1
        length -= 1
    for i in range(length):
        if not c'0' <= value[i] <= c'9':
            return False
    return 1 <= length <= 19


cdef uint8_t *put_sqlite_text(const uint8_t *text, size_t length, uint8_t *target) noexcept nogil:
    cdef size_t i
    if memchr(text, 0, length) != NULL:
        target = put_bytes(b"CAST(", 5, target)
        target = put_hex(text, length, target)
        return put_bytes(b" AS TEXT)", 9, target)
    target[0] = c"'"
    target += 1
    for i in range(length):
        target[0] = text[i]
        target += 1
        if text[i] == c"'":
            target[0] = c"'"
            target += 1
    target[0] = c"'"
    return target + 1


cdef uint8_t *put_dynamic(
    const uint8_t *value, size_t length, uint8_t *target, Reason *reason
) noexcept nogil:
    cdef uint8_t found = dynamic_class(value, length)
    value += 1
    length -= 1
    if found == c'i':
        if not is_integer(value, length):
            reason[0] = NOT_A_NUMBER
            return target
        return put_bytes(value, length, target)
    if found == c'r':
        return target + write_real(value, target)
    if found == c't':
        return put_sqlite_text(value, length, target)
    if found == c'b':
        return put_hex(value, length, target)
    reason[0] = NO_CLASS
    return target


cdef inline uint8_t *put_value(
    Column *column, const uint8_t *value, size_t length, size_t readable, uint8_t *target,
    Reason *reason,
) noexcept nogil:
    if column.kind == KIND_NUMBER:
        return put_number(value, length, readable, target, reason)
    if column.kind == KIND_TEXT:
        return put_text(value, length, readable, target)
    if column.kind == KIND_BYTES:
        target = put_bytes(column.introducer, column.introducer_length, target)
        return put_hex(value, length, target)
    return put_dynamic(value, length, target, reason)


cdef inline uint8_t *put_field(
    Column *column, const uint8_t *rows, size_t readable, Field *field, uint8_t *target,
    Reason *reason,
) noexcept nogil:
    """The literal of a field; `readable` bytes of `rows` are there."""
    if field.is_null:
        return put_bytes(b"NULL", 4, target)
    return put_value(
        column, rows + field.start, field.stop - field.start, readable - field.start, target,
        reason,
    )


cdef inline size_t field_room(Column *column, Field *field) noexcept nogil:
    """What a literal and what stands around it may take, with what is copied behind its end.

    A byte becomes two at most, a real at most 26, framing at most 17.
    """
    return 2 * (field.stop - field.start) + column.introducer_length + 64


cdef bint render_row(
    _Shape shape, _Batch batch, size_t row, size_t start, size_t end, Output *out, Fault *fault
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


cdef bint render_rows(_Shape shape, _Batch batch, Output *out, Fault *fault) noexcept nogil:
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
    cdef _Scratch scratch = _Scratch()
    cdef _Shape shape = _Shape(kinds, introducers, ())
    cdef _Batch batch = _Batch(rows, ends)
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
    _Shape shape, _Batch batch, uint8_t *target, uint8_t *limit, Output *spare, Fault *fault
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
    cdef _Scratch scratch = _Scratch()
    cdef _Shape shape = _Shape(kinds, introducers, ())
    cdef _Batch batch = _Batch(rows)
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


# --- other forms ------------------------------------------------------------------------------
# docs/reference/text-formats.md states them.

cdef enum:
    FORM_CSV = 1
    FORM_JSON = 2


cdef inline bint is_digit(uint8_t byte) noexcept nogil:
    return c'0' <= byte <= c'9'


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
    int form, _Shape shape, _Batch batch, Output *out, Fault *fault
) noexcept nogil:
    """In FORM_JSON an introducer is what stands before the column's value."""
    cdef const uint8_t *data = batch.data
    cdef size_t length = batch.length
    cdef uint32_t column_count = shape.column_count
    cdef size_t position = 0
    cdef size_t row = 0
    cdef uint32_t i
    cdef uint8_t *target
    cdef Column *column
    cdef Field field
    cdef Reason reason
    if not output_reserve(out, batch.length + batch.length // 2 + 64):
        return refuse(fault, NO_MEMORY, 0, 0)
    while position < length:
        for i in range(column_count):
            column = &shape.columns[i]
            reason = read_field(data, position, length, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            # A control character becomes six bytes in JSON.
            if not output_reserve(
                out, 6 * (field.stop - field.start) + column.introducer_length + 64
            ):
                return refuse(fault, NO_MEMORY, row, position)
            target = out.data + out.length
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
            out.length = target - out.data
            position = field.stop
        target = out.data + out.length
        if form == FORM_JSON:
            target[0] = c'}'
            target += 1
        target[0] = c'\n'
        out.length = target + 1 - out.data
        row += 1
    return True


cdef bytes rendered_form(int form, rows, kinds, introducers):
    cdef _Scratch scratch = _Scratch()
    cdef _Shape shape = _Shape(kinds, introducers, ())
    cdef _Batch batch = _Batch(rows)
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


# --- values of SQLite -------------------------------------------------------------------------

cdef size_t put_length(uint8_t *target, uint64_t length) noexcept nogil:
    """A length-encoded integer in its shortest form, of 1 to 9 bytes."""
    cdef size_t width
    cdef size_t i
    if length < 0xFB:
        target[0] = <uint8_t>length
        return 1
    width = 2 if length < 1 << 16 else 3 if length < 1 << 24 else 8
    target[0] = 0xFC if width == 2 else 0xFD if width == 3 else 0xFE
    for i in range(width):
        target[1 + i] = <uint8_t>(length >> (8 * i))
    return 1 + width


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
    cdef _Scratch scratch = _Scratch()
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
    cdef _Batch batch = _Batch(rows, ends)
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


# --- memory -----------------------------------------------------------------------------------

cdef enum:
    MAPPED_FROM = 1 << 22   # bytes of one object: more than any batch or block has


def keep_freed_memory(int most_bytes):
    """From now on the process keeps for itself what it frees, up to so many bytes of a heap.

    A batch of rows or a block, freed, would otherwise go back to the system each time, and the next
    one cost a page fault for every 4 KiB. glibc alone has that (mallopt(3)); others do as they do.
    """
    set_memory_kept(most_bytes, MAPPED_FROM)


# --- packets ----------------------------------------------------------------------------------

cdef struct Segment:
    uint32_t start
    uint32_t length


@cython.final
cdef class PacketSplitter:
    """Takes the packets of a text result set apart into rows (MySQL manual, "Text Resultset").

    `sequence_id` is the id that the first row packet carries. The end is an EOF packet, or the OK
    packet that stands for it, or an ERR packet.
    """

    cdef readonly bint finished
    cdef readonly int warning_count
    cdef readonly int status
    cdef readonly object error
    cdef bint failed
    cdef bint busy
    cdef uint8_t sequence_id
    cdef uint8_t header[4]
    cdef size_t header_bytes      # of the next packet's header
    cdef bint in_packet
    cdef uint32_t packet_length
    cdef uint32_t packet_left
    cdef bint is_end              # the packet is the last one
    cdef bint is_continued        # the next packet goes on with the row
    cdef uint64_t row_bytes       # of the row that is not complete
    cdef Output held              # what earlier feeds brought of it
    cdef Output end_packet
    cdef Output buffer            # what `receive` receives into
    cdef Output segments          # of one feed: where in it the rows' bytes are
    cdef Output ends
    cdef size_t complete_segments
    cdef uint64_t complete_bytes

    def __cinit__(self, int sequence_id):
        if not 0 <= sequence_id <= 0xFF:
            raise ValueError("a sequence id is one byte")
        self.sequence_id = sequence_id

    def __dealloc__(self):
        free(self.held.data)
        free(self.end_packet.data)
        free(self.buffer.data)
        free(self.segments.data)
        free(self.ends.data)

    def feed(self, data):
        """The rows that are complete now, and their ends; any slice of the stream will do.

        Raises ValueError where the bytes are not the protocol; no further feed is possible then.
        """
        cdef _Batch batch
        self.check_usable()
        batch = _Batch(data)
        self.busy = True
        self.failed = True    # until this feed has come to its end
        try:
            self.begin()
            with nogil:
                reason = self.scan(batch.data, 0, batch.length)
            result = self.take(reason, batch.data)
            self.failed = False
            return result
        finally:
            self.busy = False

    def receive(self, int descriptor, Py_ssize_t least, Py_ssize_t most, int timeout_ms):
        """Like `feed`, of what a socket brings: `least` bytes of the stream, less at its end, and
        up to `most` where they are there already.

        Raises ValueError like `feed`; EOFError where the other end is closed before the end of
        the result set; OSError, TimeoutError where nothing comes for so long (below 0: never).
        """
        cdef Reason reason = FINE
        cdef Py_ssize_t count = 1
        cdef size_t length = 0
        self.check_usable()
        if not 0 < least <= most or <uint64_t>most > LIMIT:
            raise ValueError("sizes from 1 byte to 4 GiB, the least one first")
        if not output_reserve(&self.buffer, most):
            raise MemoryError
        self.busy = True
        self.failed = True
        try:
            self.begin()
            while length < <size_t>most and not self.finished:
                with nogil:
                    while length < <size_t>most and not self.finished and reason == FINE:
                        count = receive(
                            descriptor, self.buffer.data + length, most - length,
                            timeout_ms if length < <size_t>least else 0,
                        )
                        if count <= 0:
                            break
                        reason = self.scan(self.buffer.data, length, length + count)
                        length += count
                if reason != FINE:
                    break
                if count == 0:
                    raise EOFError("the other end is closed")
                if count < 0 and errno == ETIMEDOUT and length >= <size_t>least:
                    break
                if count < 0 and errno == EINTR:
                    PyErr_CheckSignals()
                elif count < 0:
                    PyErr_SetFromErrno(OSError)
            result = self.take(reason, self.buffer.data)
            self.failed = False
            return result
        finally:
            self.busy = False

    cdef int check_usable(self) except -1:
        if self.failed:
            raise ValueError("the splitter has met malformed bytes before")
        if self.busy:
            raise RuntimeError("a splitter is used by one thread at a time")
        return 0

    cdef void begin(self) noexcept:
        """Nothing is found yet."""
        self.segments.length = 0
        self.ends.length = 0
        self.complete_segments = 0
        self.complete_bytes = 0

    cdef tuple take(self, Reason reason, const uint8_t *data):
        """(rows, their ends) of what has been found in `data`."""
        if reason == NO_MEMORY:
            raise MemoryError
        if reason != FINE:
            raise ValueError(REASONS[<int>reason])
        rows = self.take_rows(data)
        ends = ends_array(&self.ends)
        if self.finished and self.end_packet.data[0] == 0xFF:
            self.error = PyBytes_FromStringAndSize(
                <char *>self.end_packet.data, self.end_packet.length
            )
        return rows, ends

    cdef Reason scan(
        self, const uint8_t *data, size_t position, size_t length
    ) noexcept nogil:
        """Finds rows in data[position:length]: where their bytes are, and their ends in the result.
        """
        cdef Reason reason
        while True:
            if not self.in_packet:
                if not self.scan_whole_packets(data, length, &position):
                    return NO_MEMORY
                if self.finished:
                    return FINE if position == length else BEHIND_END
                reason = self.open_packet(data, length, &position)
                if reason != FINE:
                    return reason
                if not self.in_packet:
                    return FINE
            reason = self.take_payload(data, length, &position)
            if reason != FINE:
                return reason
            if self.packet_left:
                return FINE
            reason = self.close_packet()
            if reason != FINE:
                return reason

    cdef bint scan_whole_packets(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        """Takes packets as long as each is here as a whole and is a whole row, as nearly all are.

        Whatever else stands there is for the slower way to judge. False: no memory.
        """
        cdef size_t at = position[0]
        cdef size_t size
        cdef uint32_t header
        cdef uint32_t end
        cdef Segment segment
        if self.header_bytes or self.is_continued or self.row_bytes or self.finished:
            return True
        while length - at > 4:
            header = load_little32(data + at)
            size = header & PACKET_MAX
            if (
                size == 0 or size == PACKET_MAX or size > length - at - 4 or data[at + 4] >= 0xFE
                or <uint8_t>(header >> 24) != self.sequence_id
                or self.complete_bytes + size > LIMIT
            ):
                break
            segment.start = <uint32_t>(at + 4)
            segment.length = <uint32_t>size
            self.complete_bytes += size
            end = <uint32_t>self.complete_bytes
            if not output_append_small(&self.segments, <uint8_t *>&segment, sizeof(Segment)):
                return False
            if not output_append_small(&self.ends, <uint8_t *>&end, 4):
                return False
            self.sequence_id = self.sequence_id + 1
            at += 4 + size
        self.complete_segments = self.segments.length // sizeof(Segment)
        position[0] = at
        return True

    cdef inline Reason open_packet(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        """Reads a header, and the byte behind it that tells rows from the end.

        `in_packet` stays False while they are not all here.
        """
        cdef uint8_t first = 0
        while self.header_bytes < 4 and position[0] < length:
            self.header[self.header_bytes] = data[position[0]]
            self.header_bytes += 1
            position[0] += 1
        if self.header_bytes < 4:
            return FINE
        self.packet_length = (
            self.header[0] | <uint32_t>self.header[1] << 8 | <uint32_t>self.header[2] << 16
        )
        if not self.is_continued:
            if self.packet_length == 0:
                return EMPTY_PACKET
            if position[0] == length:
                return FINE
            first = data[position[0]]
            self.is_end = first == 0xFF or (first == 0xFE and self.packet_length < PACKET_MAX)
            if self.is_end and not self.may_be_end(first):
                return MALFORMED_END
        # A server that shuts down sends its ERR packet with sequence id 0.
        if first != 0xFF and self.header[3] != self.sequence_id:
            return WRONG_SEQUENCE
        self.sequence_id = self.sequence_id + 1    # one byte: modulo 256
        self.header_bytes = 0
        self.packet_left = self.packet_length
        self.in_packet = True
        return FINE

    cdef bint may_be_end(self, uint8_t first) noexcept nogil:
        if first == 0xFF:
            return self.packet_length < PACKET_MAX
        return self.packet_length == 5 or self.packet_length >= 7

    cdef inline Reason take_payload(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        cdef Segment segment
        cdef size_t take = self.packet_left
        if take > length - position[0]:
            take = length - position[0]
        if self.is_end:
            if not output_append(&self.end_packet, data + position[0], take):
                return NO_MEMORY
        elif take:
            segment.start = <uint32_t>position[0]
            segment.length = <uint32_t>take
            if not output_append(&self.segments, <uint8_t *>&segment, sizeof(Segment)):
                return NO_MEMORY
            self.row_bytes += take
            if self.row_bytes > LIMIT:
                return TOO_LONG
        position[0] += take
        self.packet_left -= <uint32_t>take
        return FINE

    cdef inline Reason close_packet(self) noexcept nogil:
        cdef uint32_t end
        self.in_packet = False
        if self.is_end:
            self.finished = True
            return self.read_end()
        self.is_continued = self.packet_length == PACKET_MAX
        if self.is_continued:
            return FINE
        self.complete_bytes += self.row_bytes
        if self.complete_bytes > LIMIT:
            return TOO_LONG
        self.row_bytes = 0
        self.complete_segments = self.segments.length // sizeof(Segment)
        end = <uint32_t>self.complete_bytes
        return FINE if output_append(&self.ends, <uint8_t *>&end, 4) else NO_MEMORY

    cdef Reason read_end(self) noexcept nogil:
        """Warnings and status, of an EOF packet or of the OK packet in its place."""
        cdef const uint8_t *data = self.end_packet.data
        cdef size_t length = self.end_packet.length
        cdef size_t position = 1
        cdef int i
        if data[0] == 0xFF:
            return FINE
        if length == 5:
            self.warning_count = data[1] | data[2] << 8
            self.status = data[3] | data[4] << 8
            return FINE
        for i in range(2):    # affected rows, last insert id
            if position >= length or data[position] == 0xFB or data[position] == 0xFF:
                return MALFORMED_END
            if data[position] < 0xFB:
                position += 1
            else:
                position += 3 if data[position] == 0xFC else 4 if data[position] == 0xFD else 9
        if position + 4 > length:
            return MALFORMED_END
        self.status = data[position] | data[position + 1] << 8
        self.warning_count = data[position + 2] | data[position + 3] << 8
        return FINE

    cdef bytes take_rows(self, const uint8_t *data):
        """The complete rows; what is left of a row is held for the next feed."""
        cdef Segment *segments = <Segment *>self.segments.data
        cdef size_t count = self.segments.length // sizeof(Segment)
        cdef bytes rows = PyBytes_FromStringAndSize(NULL, self.complete_bytes)
        cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(rows)
        cdef size_t i
        cdef bint fine = True
        with nogil:
            if self.ends.length:
                if self.held.length:
                    target = put_bytes(self.held.data, self.held.length, target)
                output_clear(&self.held)
            for i in range(self.complete_segments):
                target = put_bytes(data + segments[i].start, segments[i].length, target)
            for i in range(self.complete_segments, count):
                fine = fine and output_append(
                    &self.held, data + segments[i].start, segments[i].length
                )
        if not fine:
            raise MemoryError
        return rows


# --- cuts -------------------------------------------------------------------------------------

cdef struct Block:
    bint with_pending         # begins with the pending bytes
    size_t start              # of its part in the rows that are fed
    size_t stop
    uint64_t row_count
    uint64_t rendered_bytes
    uint64_t row_sum[4]
    uint32_t first_key_bytes
    uint8_t first_key[LONGEST_PLAIN_KEY + 1]
    uint8_t fragment


@cython.final
cdef class Cutter:
    """Cuts rows into blocks: (raw, row_count, rendered_bytes, first_key, row_sum, fragment).

    Where a block ends depends on its rows alone, never on how they were fed.
    """

    cdef _Shape shape
    cdef uint64_t minimum
    cdef uint64_t scale
    cdef uint64_t maximum
    cdef uint64_t cut_key[2]
    cdef uint64_t row_key[2]
    cdef uint64_t gear[256]
    cdef int gear_shift           # a fragment may end where the gear's bits above are zero
    cdef bint gear_always         # the scale is 1: there are no such bits
    cdef bint failed
    cdef bint busy
    cdef uint8_t *pending         # room for `maximum` bytes
    cdef size_t pending_length
    cdef Block block              # the one that grows
    cdef Output blocks            # of one feed: those that are complete
    cdef size_t summed_rows       # of one feed: rows that are in row sums already
    cdef size_t summed_bytes

    def __cinit__(self, layout, rule):
        self.shape = _Shape(layout.kinds, layout.introducers, layout.key)
        if not 0 < rule.minimum <= rule.maximum <= MAX_BLOCK_BYTES:
            raise ValueError("a rule needs 0 < minimum <= maximum <= 4194304")
        if not 0 < rule.scale <= MAX_BLOCK_BYTES:
            raise ValueError("a rule needs 0 < scale <= 4194304")
        self.minimum = rule.minimum
        self.scale = rule.scale
        self.maximum = rule.maximum
        load_key(rule.cut_key, self.cut_key)
        load_key(rule.row_key, self.row_key)
        self.fill_gear(rule.gear_key)
        self.pending = <uint8_t *>malloc(self.maximum)
        if self.pending == NULL:
            raise MemoryError
        self.open_block(0, False)

    def __dealloc__(self):
        free(self.pending)
        free(self.blocks.data)

    cdef int fill_gear(self, gear_key) except -1:
        cdef uint64_t key[2]
        cdef uint8_t byte
        cdef int i
        cdef int bits = self.scale.bit_length() - 1
        if len(gear_key) != 32:
            raise ValueError("a gear key has 32 bytes")
        self.gear_always = bits == 0
        self.gear_shift = 64 - bits if bits else 0
        memset(self.gear, 0, sizeof(self.gear))
        for half in (gear_key[:16], gear_key[16:]):
            load_key(half, key)
            for i in range(256):
                byte = <uint8_t>i
                self.gear[i] ^= sip24(key, &byte, 1)
        return 0

    @property
    def pending_rows(self):
        """Rows that are not in a block yet."""
        return self.block.row_count

    @property
    def pending_bytes(self):
        """Raw bytes that are not in a block yet."""
        return self.pending_length

    def feed(self, rows, ends):
        """The blocks that these rows complete, in order.

        Raises ValueError, naming row and byte; the cutter cannot be used any further then.
        """
        cdef _Batch batch
        cdef Fault fault
        cdef bint fine
        cdef list result
        self.check_usable()
        batch = _Batch(rows, ends)
        self.busy = True
        self.failed = True    # until this feed has come to its end
        try:
            with nogil:
                fine = self.scan(batch, &fault)
            if not fine:
                raise_fault(&fault)
            result = self.take_blocks(batch.data)
            self.keep_pending(batch.data, batch.length)
            self.failed = False
            return result
        finally:
            self.busy = False

    def finish(self):
        """The last block, if rows are pending; the cutter is as new then."""
        self.check_usable()
        result = []
        if self.block.row_count:
            result.append(self.make_tuple(&self.block, NULL))
        self.pending_length = 0
        self.open_block(0, False)
        return result

    cdef int check_usable(self) except -1:
        if self.busy:
            raise RuntimeError("a cutter is used by one thread at a time")
        if self.failed:
            raise ValueError("the cutter has met malformed rows before")
        return 0

    cdef void open_block(self, size_t start, bint with_pending) noexcept nogil:
        self.block.with_pending = with_pending
        self.block.start = start
        self.block.stop = start
        self.block.row_count = 0
        self.block.rendered_bytes = 0
        self.block.first_key_bytes = 0
        self.block.fragment = 0
        memset(self.block.row_sum, 0, sizeof(self.block.row_sum))

    cdef bint scan(self, _Batch batch, Fault *fault) noexcept nogil:
        """Walks all rows; `blocks` holds the complete blocks, `block` the one that grows."""
        cdef size_t start = 0
        cdef size_t end
        cdef size_t row
        cdef uint64_t rendered
        self.blocks.length = 0
        self.block.with_pending = self.pending_length > 0
        self.block.start = 0
        self.block.stop = 0
        self.summed_rows = 0
        self.summed_bytes = 0
        for row in range(batch.count):
            if not next_row(batch.end_data, batch.length, row, start, &end, fault):
                return False
            if not walk_row(self.shape, batch.data, row, start, end, True, &rendered, fault):
                return False
            if not self.add_row(batch, row, start, end, rendered):
                return refuse(fault, NO_MEMORY, row, start)
            start = end
        if start != batch.length:
            return refuse(fault, BAD_ENDS, batch.count, start)
        self.sum_up_to(batch, batch.count)
        return True

    cdef inline void sum_up_to(self, _Batch batch, size_t row) noexcept nogil:
        """Adds the hashes of the rows before `row` that are in no sum yet to the block's."""
        if self.summed_rows < row:
            sum_rows(
                self.row_key, batch.data, self.summed_bytes,
                batch.end_data + 4 * self.summed_rows, row - self.summed_rows, self.block.row_sum,
            )
            self.summed_rows = row
            self.summed_bytes = load_end(batch.end_data, row - 1)

    cdef inline size_t block_bytes(self) noexcept nogil:
        cdef size_t before = self.pending_length if self.block.with_pending else 0
        return before + (self.block.stop - self.block.start)

    cdef bint add_row(
        self, _Batch batch, size_t row, size_t start, size_t end, uint64_t rendered
    ) noexcept nogil:
        """False: no memory."""
        cdef uint64_t before = self.block_bytes()
        cdef uint64_t after = before + (end - start)
        cdef const uint8_t *key
        cdef size_t key_bytes
        if before and after > self.maximum:
            if not self.close_block(batch, row, start):
                return False
            before = 0
            after = end - start
        if after > self.maximum:
            return self.cut_by_bytes(batch, row, start, end, rendered)
        if self.block.row_count == 0:
            if not self.shape.gather_key(batch.data, start, end, &key, &key_bytes):
                return False
            self.set_first_key(key, key_bytes)
        self.block.rendered_bytes += rendered + (2 if self.block.row_count else 0)
        self.block.row_count += 1
        self.block.stop = end
        if after < self.minimum:
            return True
        if not self.shape.gather_key(batch.data, start, end, &key, &key_bytes):
            return False
        if ends_block(sip24(self.cut_key, key, key_bytes) >> 32, self.scale, before, after):
            return self.close_block(batch, row + 1, end)
        return True

    cdef bint close_block(self, _Batch batch, size_t row, size_t position) noexcept nogil:
        """The block that grew is complete; the next one begins with `row`, at `position`."""
        self.sum_up_to(batch, row)
        if not output_append(&self.blocks, <uint8_t *>&self.block, sizeof(Block)):
            return False
        self.open_block(position, False)
        return True

    cdef void set_first_key(self, const uint8_t *key, size_t length) noexcept nogil:
        cdef uint64_t hashed[2]
        if self.shape.key_count and length <= LONGEST_PLAIN_KEY:
            self.block.first_key[0] = 1
            memcpy(&self.block.first_key[1], key, length)
            self.block.first_key_bytes = <uint32_t>(1 + length)
            return
        row_hash_words(self.row_key, key, length, hashed, 2)
        self.block.first_key[0] = 0
        store_little64(&self.block.first_key[1], hashed[0])
        store_little64(&self.block.first_key[9], hashed[1])
        self.block.first_key_bytes = 17

    cdef bint cut_by_bytes(
        self, _Batch batch, size_t row, size_t start, size_t end, uint64_t rendered
    ) noexcept nogil:
        """A row larger than the maximum becomes fragments: 1 the first, 2 middle, 3 the last."""
        cdef const uint8_t *rows = batch.data
        cdef const uint8_t *key
        cdef size_t key_bytes
        cdef size_t position = start
        if not self.shape.gather_key(rows, start, end, &key, &key_bytes):
            return False
        self.open_block(start, False)
        self.set_first_key(key, key_bytes)
        self.block.row_count = 1
        self.block.rendered_bytes = rendered
        self.sum_up_to(batch, row + 1)
        while position < end:
            position = self.fragment_stop(rows, position, end)
            self.block.fragment = 1 if self.block.start == start else 3 if position == end else 2
            self.block.stop = position
            if not output_append(&self.blocks, <uint8_t *>&self.block, sizeof(Block)):
                return False
            self.block.start = position
            self.block.row_count = 0
            self.block.rendered_bytes = 0
            memset(self.block.row_sum, 0, sizeof(self.block.row_sum))
        self.open_block(end, False)
        return True

    cdef size_t fragment_stop(
        self, const uint8_t *rows, size_t start, size_t end
    ) noexcept nogil:
        cdef uint64_t gear = 0
        cdef size_t position = start
        cdef size_t least = start + self.minimum - 1
        cdef size_t most = start + self.maximum
        if most > end:
            most = end
        if least > most:
            least = most
        if self.minimum > 64:
            position = least - 64    # a byte leaves the gear 64 bytes later
        while position < least:
            gear = (gear << 1) + self.gear[rows[position]]
            position += 1
        while position < most:
            gear = (gear << 1) + self.gear[rows[position]]
            position += 1
            if self.gear_always or gear >> self.gear_shift == 0:
                return position
        return most

    cdef list take_blocks(self, const uint8_t *rows):
        cdef Block *blocks = <Block *>self.blocks.data
        cdef list result = []
        cdef size_t i
        for i in range(self.blocks.length // sizeof(Block)):
            result.append(self.make_tuple(&blocks[i], rows))
        return result

    cdef tuple make_tuple(self, Block *block, const uint8_t *rows):
        cdef size_t before = self.pending_length if block.with_pending else 0
        cdef size_t length = block.stop - block.start
        cdef bytes raw = PyBytes_FromStringAndSize(NULL, before + length)
        cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(raw)
        if before:
            memcpy(target, self.pending, before)
        if length:
            memcpy(target + before, rows + block.start, length)
        return (
            raw,
            block.row_count,
            block.rendered_bytes,
            PyBytes_FromStringAndSize(<char *>block.first_key, block.first_key_bytes),
            little_bytes(block.row_sum, 4),
            block.fragment,
        )

    cdef void keep_pending(self, const uint8_t *rows, size_t length) noexcept:
        """What has been fed of the block that grows is kept for the next feed."""
        cdef size_t more = self.block.stop - self.block.start
        if not self.block.with_pending:
            self.pending_length = 0
        if more:
            memcpy(self.pending + self.pending_length, rows + self.block.start, more)
            self.pending_length += more
        self.block.with_pending = self.pending_length > 0
        self.block.start = 0
        self.block.stop = 0
        output_clear(&self.blocks)


# --- comparing sets of rows -------------------------------------------------------------------

cdef struct Entry:
    uint64_t key[2]
    uint64_t row[2]
    int64_t count    # left rows count up, right ones down


@cython.final
cdef class RowMatcher:
    """Compares two sets of rows by key, whatever the order in which they come.

    Without a key, rows are a multiset. `changed` counts the rows of equal key whose bytes differ.
    """

    # Entries lie close together; `slots` is an open-addressing index over them (linear probing,
    # number of the entry plus one, 0: free). Up to 62 bytes an entry: (40 + 4 / 0.35) x 1.2.
    cdef _Shape shape
    cdef uint64_t row_key[2]
    cdef readonly uint64_t changed
    cdef uint64_t left_pending
    cdef uint64_t right_pending
    cdef Entry *entries
    cdef size_t entry_count
    cdef size_t entry_capacity
    cdef uint32_t *slots
    cdef size_t slot_count        # a power of two, or 0
    cdef bint failed
    cdef bint busy

    def __cinit__(self, layout, row_key):
        kinds = layout.kinds
        self.shape = _Shape(kinds, (b"",) * len(kinds), layout.key)
        load_key(row_key, self.row_key)

    def __dealloc__(self):
        free(self.entries)
        free(self.slots)

    def __sizeof__(self):
        """The object's bytes, its table included."""
        return (
            object.__sizeof__(self)
            + self.entry_capacity * sizeof(Entry)
            + self.slot_count * sizeof(uint32_t)
        )

    @property
    def pending(self):
        """Rows that have not met their like."""
        return self.left_pending + self.right_pending

    def left(self, rows, ends):
        """Rows of the older side. Raises ValueError; the matcher is then of no use."""
        self.put(_Batch(rows, ends), 1)

    def right(self, rows, ends):
        """Rows of the newer side. Raises ValueError; the matcher is then of no use."""
        self.put(_Batch(rows, ends), -1)

    def flush(self):
        """(removed, added): the left and the right rows unmatched so far, forgotten now."""
        if self.busy:
            raise RuntimeError("a matcher is used by one thread at a time")
        result = self.left_pending, self.right_pending
        self.left_pending = 0
        self.right_pending = 0
        self.entry_count = 0
        self.entry_capacity = 0
        self.slot_count = 0
        free(self.entries)
        free(self.slots)
        self.entries = NULL
        self.slots = NULL
        return result

    cdef int put(self, _Batch batch, int sign) except -1:
        cdef Fault fault
        cdef bint fine
        if self.busy:
            raise RuntimeError("a matcher is used by one thread at a time")
        if self.failed:
            raise ValueError("the matcher has met malformed rows before")
        self.busy = True
        self.failed = True    # until all rows are in
        try:
            with nogil:
                fine = self.scan(batch, sign, &fault)
            if not fine:
                raise_fault(&fault)
            self.failed = False
        finally:
            self.busy = False
        return 0

    cdef bint scan(self, _Batch batch, int sign, Fault *fault) noexcept nogil:
        cdef size_t start = 0
        cdef size_t end
        cdef size_t row
        cdef uint64_t unused
        for row in range(batch.count):
            if not next_row(batch.end_data, batch.length, row, start, &end, fault):
                return False
            if not walk_row(self.shape, batch.data, row, start, end, False, &unused, fault):
                return False
            if not self.add_row(batch.data, start, end, sign):
                return refuse(fault, NO_MEMORY, row, start)
            start = end
        if start != batch.length:
            return refuse(fault, BAD_ENDS, batch.count, start)
        return True

    cdef bint add_row(
        self, const uint8_t *rows, size_t start, size_t end, int sign
    ) noexcept nogil:
        cdef Entry entry
        cdef const uint8_t *key
        cdef size_t key_bytes
        row_hash_words(self.row_key, rows + start, end - start, entry.row, 2)
        if self.shape.key_count:
            if not self.shape.gather_key(rows, start, end, &key, &key_bytes):
                return False
            row_hash_words(self.row_key, key, key_bytes, entry.key, 2)
        else:
            entry.key[0] = entry.row[0]
            entry.key[1] = entry.row[1]
        entry.count = sign
        return self.meet(&entry)

    cdef bint meet(self, Entry *entry) noexcept nogil:
        """Cancels a row of the other side (the same row first, else the least hash), or waits.

        All entries of one key are of one side. False: no memory.
        """
        cdef size_t found
        cdef Entry *waiting
        if not self.make_room():
            return False
        found = self.find(entry)
        waiting = &self.entries[self.slots[found] - 1] if self.slots[found] else NULL
        if waiting != NULL and (waiting.count > 0) != (entry.count > 0):
            self.changed += not same_row(waiting, entry)
            waiting.count += entry.count
            if entry.count > 0:
                self.right_pending -= 1
            else:
                self.left_pending -= 1
            return waiting.count != 0 or self.remove(found)
        if entry.count > 0:
            self.left_pending += 1
        else:
            self.right_pending += 1
        if waiting != NULL and same_row(waiting, entry):
            waiting.count += entry.count
            return True
        self.append(entry)
        return True

    cdef size_t find(self, Entry *entry) noexcept nogil:
        """The slot of the same row, else of the key's least row, else a free one."""
        cdef size_t mask = self.slot_count - 1
        cdef size_t slot = entry.key[0] & mask
        cdef size_t best = 0
        cdef Entry *least = NULL
        cdef Entry *other
        while self.slots[slot]:
            other = &self.entries[self.slots[slot] - 1]
            if other.key[0] == entry.key[0] and other.key[1] == entry.key[1]:
                if same_row(other, entry):
                    return slot
                if least == NULL or row_below(other, least):
                    least = other
                    best = slot
            slot = (slot + 1) & mask
        return slot if least == NULL else best

    cdef void append(self, Entry *entry) noexcept nogil:
        self.entries[self.entry_count] = entry[0]
        self.entry_count += 1
        self.index(self.entry_count)

    cdef inline void index(self, size_t number) noexcept nogil:
        cdef size_t mask = self.slot_count - 1
        cdef size_t slot = self.entries[number - 1].key[0] & mask
        while self.slots[slot]:
            slot = (slot + 1) & mask
        self.slots[slot] = <uint32_t>number

    cdef bint remove(self, size_t slot) noexcept nogil:
        """Takes out the entry of a slot; the last entry moves to its place."""
        cdef size_t mask = self.slot_count - 1
        cdef size_t number = self.slots[slot]
        cdef size_t last = self.entry_count
        cdef size_t place
        self.free_slot(slot)
        if number != last:
            place = self.entries[last - 1].key[0] & mask
            while self.slots[place] != last:
                place = (place + 1) & mask
            self.slots[place] = <uint32_t>number
            self.entries[number - 1] = self.entries[last - 1]
        self.entry_count -= 1
        if self.entry_capacity > 4096 and 4 * self.entry_count < self.entry_capacity:
            return self.resize(self.entry_count + self.entry_count // 5)
        return True

    cdef void free_slot(self, size_t slot) noexcept nogil:
        """Backward shift: no slot stays between an entry's home and its place."""
        cdef size_t mask = self.slot_count - 1
        cdef size_t probe = slot
        cdef size_t home
        while True:
            self.slots[slot] = 0
            while True:
                probe = (probe + 1) & mask
                if self.slots[probe] == 0:
                    return
                home = self.entries[self.slots[probe] - 1].key[0] & mask
                if ((probe - home) & mask) >= ((probe - slot) & mask):
                    break
            self.slots[slot] = self.slots[probe]
            slot = probe

    cdef bint make_room(self) noexcept nogil:
        """Room for one entry more, and a free slot always."""
        cdef size_t wanted = self.entry_count + 1
        if wanted <= self.entry_capacity:
            return True
        wanted = wanted + wanted // 5
        return self.resize(wanted if wanted > 16 else 16)

    cdef bint resize(self, size_t capacity) noexcept nogil:
        """False: no memory; the table is lost then."""
        cdef size_t slot_count = 32
        cdef size_t i
        cdef Entry *entries
        if capacity >= <size_t>0xFFFFFFFF:
            return False
        entries = <Entry *>realloc(self.entries, (capacity + 1) * sizeof(Entry))
        if entries == NULL:
            return False
        self.entries = entries
        self.entry_capacity = capacity
        while 10 * capacity > 7 * slot_count:
            slot_count *= 2
        if slot_count == self.slot_count:
            return True
        free(self.slots)
        self.slot_count = 0
        self.slots = <uint32_t *>calloc(slot_count, sizeof(uint32_t))
        if self.slots == NULL:
            return False
        self.slot_count = slot_count
        for i in range(1, self.entry_count + 1):
            self.index(i)
        return True


cdef inline bint same_row(const Entry *one, const Entry *other) noexcept nogil:
    return one.row[0] == other.row[0] and one.row[1] == other.row[1]


cdef inline bint row_below(const Entry *one, const Entry *other) noexcept nogil:
    """Less as a number of 128 bits, little-endian."""
    if one.row[1] != other.row[1]:
        return one.row[1] < other.row[1]
    return one.row[0] < other.row[0]


# --- order of keys ----------------------------------------------------------------------------

cdef enum:
    AS_DIGITS = 1
    AS_BYTES = 2
    AS_MEMBER = 3

cdef uint32_t MOST_KEY_PARTS = 64


cdef struct Member:
    const uint8_t *text
    size_t length


cdef struct OrderedPart:
    uint32_t column
    uint8_t order
    bint falls
    Member *members
    size_t member_count


cdef struct KeyValue:
    const uint8_t *data    # behind sign and leading zeros, where these are digits
    size_t length
    size_t whole           # digits in front of the point or colon; of a member its number
    bint negative


cdef bint read_digits(const uint8_t *text, size_t length, KeyValue *value) noexcept nogil:
    """A decimal number, or hours, minutes and seconds. False: neither."""
    cdef size_t at = length > 0 and text[0] == 45
    cdef size_t start = at
    cdef bint is_zero
    value.negative = at == 1
    while at < length and text[at] == 48:
        at += 1
    value.data = text + at
    value.length = length - at
    value.whole = 0
    while at < length and is_digit(text[at]):
        at += 1
        value.whole += 1
    if at == start:
        return False
    is_zero = value.whole == 0
    while at < length:
        if text[at] != 46 and not 48 <= text[at] <= 58:
            return False
        is_zero = is_zero and not 49 <= text[at] <= 57
        at += 1
    value.negative = value.negative and not is_zero
    return True


cdef bint read_member(
    const uint8_t *text, size_t length, const OrderedPart *part, KeyValue *value
) noexcept nogil:
    """The member's number; the empty text is nought. False: there is no such member."""
    cdef size_t i
    value.whole = 0
    if length == 0:
        return True
    for i in range(part.member_count):
        if part.members[i].length == length and not memcmp(part.members[i].text, text, length):
            value.whole = i + 1
            return True
    return False


cdef bint read_number(const uint8_t *text, size_t length, KeyValue *value) noexcept nogil:
    """The number of a member, as a bound has it."""
    cdef size_t i
    value.whole = 0
    for i in range(length):
        if not is_digit(text[i]) or i >= 9:
            return False
        value.whole = 10 * value.whole + (text[i] - 48)
    return length > 0


cdef inline bint read_key_value(
    const uint8_t *text, size_t length, const OrderedPart *part, KeyValue *value
) noexcept nogil:
    value.data = text
    value.length = length
    value.whole = 0
    value.negative = False
    if part.order == AS_DIGITS:
        return read_digits(text, length, value)
    return part.order == AS_BYTES or read_member(text, length, part, value)


cdef inline int sign_of(size_t one, size_t other) noexcept nogil:
    return (one > other) - (one < other)


cdef inline int compare_bytes(const KeyValue *one, const KeyValue *other) noexcept nogil:
    """Of the bytes that both have; nought: they are equal."""
    cdef size_t common = one.length if one.length < other.length else other.length
    cdef int found = memcmp(one.data, other.data, common) if common else 0
    return (found > 0) - (found < 0)


cdef int compare_magnitudes(const KeyValue *one, const KeyValue *other) noexcept nogil:
    """A longer whole part is greater; noughts at the end of a fraction do not count."""
    cdef int found = sign_of(one.whole, other.whole)
    cdef const KeyValue *longer = one if one.length > other.length else other
    cdef size_t i = one.length if longer == other else other.length
    if found == 0:
        found = compare_bytes(one, other)
    while found == 0 and i < longer.length:
        if 49 <= longer.data[i] <= 57:
            found = 1 if longer == one else -1
        i += 1
    return found


cdef int compare_values(
    const OrderedPart *part, const KeyValue *one, const KeyValue *other
) noexcept nogil:
    """-1, 0 or 1, in the direction in which the index has this column."""
    cdef int found
    if part.order == AS_MEMBER:
        found = sign_of(one.whole, other.whole)
    elif part.order == AS_BYTES:
        found = compare_bytes(one, other) or sign_of(one.length, other.length)
    elif one.negative != other.negative:
        found = -1 if one.negative else 1
    else:
        found = compare_magnitudes(one, other)
        if one.negative:
            found = -found
    return -found if part.falls else found


@cython.final
cdef class KeyProof:
    """Proves that the rows of a row-chunk ascend strictly by their key, within its bounds.

    `parts`: for each key column, in key order, (column, order, falls, members); order 1: decimal
    numbers and times, 2: bytes, 3: members of an ENUM by number. `low` is the key of the first row,
    `high` lies behind the last one; None: an open end. Members stand in bounds by number.
    """

    cdef OrderedPart *parts
    cdef uint32_t part_count
    cdef uint32_t walked_columns    # up to the last one of the key
    cdef int32_t *part_of           # column -> part, or -1
    cdef KeyValue *values           # of three keys: the row in hand, the one before it, `high`
    cdef Output held                # the bytes of the last row's key, between two feeds
    cdef tuple kept                 # keeps the bytes that is pointed to
    cdef bint has_previous
    cdef bint begins                # the next row is to be `low` itself
    cdef bint has_high
    cdef bint failed
    cdef bint busy
    cdef readonly uint64_t row_count
    """Rows that were in order so far."""

    def __cinit__(self, Py_ssize_t column_count, parts, low, high):
        cdef Py_ssize_t i
        check_column_count(column_count)
        parts = tuple(parts)
        if not 0 < len(parts) <= MOST_KEY_PARTS:
            raise ValueError("a key has at least one column and at most 64")
        self.part_count = len(parts)
        self.parts = <OrderedPart *>calloc(self.part_count, sizeof(OrderedPart))
        self.part_of = <int32_t *>malloc(column_count * sizeof(int32_t))
        self.values = <KeyValue *>calloc(3 * self.part_count, sizeof(KeyValue))
        if self.parts == NULL or self.part_of == NULL or self.values == NULL:
            raise MemoryError
        for i in range(column_count):
            self.part_of[i] = -1
        self.kept = (parts, low, high)
        for i in range(self.part_count):
            column, order, falls, members = parts[i]
            self.set_part(i, column_count, column, order, falls, members)
        if high is not None:
            self.set_bound(self.values + 2 * self.part_count, high)
            self.has_high = True
        if low is not None:
            self.set_bound(self.values + self.part_count, low)
            self.has_previous = True
            self.begins = True

    def __dealloc__(self):
        cdef uint32_t i
        if self.parts != NULL:
            for i in range(self.part_count):
                free(self.parts[i].members)
        free(self.parts)
        free(self.part_of)
        free(self.values)
        free(self.held.data)

    cdef int set_part(
        self, Py_ssize_t index, Py_ssize_t column_count, Py_ssize_t column, int order, bint falls,
        tuple members
    ) except -1:
        cdef OrderedPart *part = &self.parts[index]
        cdef Py_ssize_t i
        if not 0 <= column < column_count or self.part_of[column] >= 0:
            raise ValueError("the key names a column that is not there, or one twice")
        if not AS_DIGITS <= order <= AS_MEMBER:
            raise ValueError("an unknown order of values")
        self.part_of[column] = <int32_t>index
        part.column = <uint32_t>column
        part.order = <uint8_t>order
        part.falls = falls
        if column >= self.walked_columns:
            self.walked_columns = <uint32_t>column + 1
        part.members = <Member *>calloc(len(members) + 1, sizeof(Member))
        if part.members == NULL:
            raise MemoryError
        for i, member in enumerate(members):
            if not isinstance(member, bytes):
                raise TypeError("members are bytes")
            part.members[i].text = <const uint8_t *>PyBytes_AS_STRING(member)
            part.members[i].length = PyBytes_GET_SIZE(member)
        part.member_count = len(members)
        return 0

    cdef int set_bound(self, KeyValue *values, tuple key) except -1:
        cdef uint32_t i
        cdef const uint8_t *text
        cdef size_t length
        cdef bint fine
        if len(key) != self.part_count:
            raise ValueError("a bound has one value for each column of the key")
        for i in range(self.part_count):
            value = key[i]
            if not isinstance(value, bytes):
                raise TypeError("values are bytes")
            text = <const uint8_t *>PyBytes_AS_STRING(value)
            length = PyBytes_GET_SIZE(value)
            if self.parts[i].order == AS_MEMBER:
                fine = read_number(text, length, &values[i])
            else:
                fine = read_key_value(text, length, &self.parts[i], &values[i])
            if not fine:
                raise ValueError("a bound is no value of its column")
        return 0

    def feed(self, rows, ends):
        """The number of the first of these rows that is not in its place; -1: all are.

        So is a row whose key has NULL in it or a value that has no place. The proof is over then.
        Raises ValueError, naming row and byte, where rows are malformed as far as their key.
        """
        cdef _Batch batch
        cdef Fault fault
        cdef bint fine
        cdef int64_t misplaced = -1
        if self.busy:
            raise RuntimeError("a proof is used by one thread at a time")
        if self.failed:
            raise ValueError("the proof has failed before")
        batch = _Batch(rows, ends)
        self.busy = True
        self.failed = True    # until all rows are found to be in order
        try:
            with nogil:
                fine = self.scan(batch, &misplaced, &fault)
            if not fine:
                raise_fault(&fault)
            self.failed = misplaced >= 0
            return misplaced
        finally:
            self.busy = False

    cdef bint scan(self, _Batch batch, int64_t *misplaced, Fault *fault) noexcept nogil:
        cdef size_t start = 0
        cdef size_t end
        cdef size_t row
        cdef bint is_readable
        for row in range(batch.count):
            if not next_row(batch.end_data, batch.length, row, start, &end, fault):
                return False
            if not self.read_key(batch.data, row, start, end, &is_readable, fault):
                return False
            if not is_readable or not self.is_in_place():
                misplaced[0] = <int64_t>row
                return True
            memcpy(
                self.values + self.part_count, self.values, self.part_count * sizeof(KeyValue)
            )
            self.has_previous = True
            self.begins = False
            self.row_count += 1
            start = end
        if start != batch.length:
            return refuse(fault, BAD_ENDS, batch.count, start)
        if batch.count and not self.hold():
            return refuse(fault, NO_MEMORY, batch.count, start)
        return True

    cdef inline bint read_key(
        self, const uint8_t *rows, size_t row, size_t start, size_t end, bint *is_readable,
        Fault *fault
    ) noexcept nogil:
        """The key of the row into the first values; False where the row is malformed."""
        cdef size_t position = start
        cdef uint32_t column
        cdef int32_t part
        cdef Field field
        cdef Reason reason
        is_readable[0] = True
        for column in range(self.walked_columns):
            reason = read_field(rows, position, end, &field)
            if reason != FINE:
                return refuse(fault, reason, row, position)
            position = field.stop
            part = self.part_of[column]
            if part >= 0 and (field.is_null or not read_key_value(
                rows + field.start, field.stop - field.start, &self.parts[part], &self.values[part]
            )):
                is_readable[0] = False
        return True

    cdef inline bint is_in_place(self) noexcept nogil:
        if self.has_previous:
            if self.compare(self.values + self.part_count) != (0 if self.begins else 1):
                return False
        return not self.has_high or self.compare(self.values + 2 * self.part_count) < 0

    cdef inline int compare(self, const KeyValue *other) noexcept nogil:
        """The row in hand with another key."""
        cdef uint32_t i
        cdef int found
        for i in range(self.part_count):
            found = compare_values(&self.parts[i], &self.values[i], &other[i])
            if found:
                return found
        return 0

    cdef bint hold(self) noexcept nogil:
        """Keeps the last key's bytes beyond the batch that they lie in. False: no memory."""
        cdef KeyValue *values = self.values + self.part_count
        cdef size_t total = 0
        cdef uint32_t i
        for i in range(self.part_count):
            total += values[i].length
        self.held.length = 0
        if not output_reserve(&self.held, total + 1):
            return False
        for i in range(self.part_count):
            if not output_append(&self.held, values[i].data, values[i].length):
                return False
            values[i].data = self.held.data + self.held.length - values[i].length
        return True


# --- records of the block index -----------------------------------------------------------------
# 32 bytes each, in ascending order; see docs/format.md, "Index".

cdef enum:
    RECORD = 32
    PREFIX = 16
    NUMBER_AT = 16
    OFFSET_AT = 20
    FRAME_BYTES_AT = 24
    TYPE_AT = 28
    DEPTH_AT = 29
    PACK_TYPE_AT = 30
    NEAR = 4  # records that are most likely found within so many of a good guess
    AHEAD = 8  # queries whose memory is asked for before their turn, twice

cdef uint32_t NO_RECORD = 0xFFFFFFFF


cdef int check_records(_Batch records, size_t size) except -1:
    if records.length % size or records.length // size >= NO_RECORD:
        raise ValueError(f"not whole records of {size} bytes, or more than 2^32 - 2 of them")
    return 0


cdef struct Records:
    const uint8_t *data
    size_t count
    double density  # records per unit of the first 8 bytes of an id


cdef struct Query:
    uint64_t key
    uint8_t prefix[PREFIX]
    uint32_t number


cdef struct Hit:
    uint32_t query
    uint32_t part
    uint32_t number
    uint8_t record[RECORD]


cdef struct Hits:
    Hit *items
    size_t count
    size_t capacity


cdef inline bint is_below(const uint8_t *record, const Query *query) noexcept nogil:
    """Whether a record stands before all that begin like the query."""
    cdef uint64_t key = load_big64(record)
    return key < query.key or (
        key == query.key and load_big64(record + 8) < load_big64(query.prefix + 8)
    )


cdef inline size_t guess(const Records *records, size_t at, uint64_t key, uint64_t wanted) noexcept nogil:
    """Where a key should be, seen from a record and its key; its memory is asked for."""
    cdef double place = <double>at + (<double>wanted - <double>key) * records.density
    if not place > 0:
        at = 0
    else:
        at = <size_t>place if place < <double>records.count else records.count - 1
    prefetch(records.data + at * RECORD)
    return at


cdef size_t first_record(const Records *records, const Query *query, size_t at) noexcept nogil:
    """The first record not below a query; looked for from `at`, which is below their count."""
    cdef size_t low = 0
    cdef size_t high = records.count
    cdef size_t step = 1
    cdef size_t better
    for _ in range(3):  # each leaves about the square root of the way
        better = guess(records, at, load_big64(records.data + at * RECORD), query.key)
        if better < at + NEAR and at < better + NEAR:
            break
        at = better
    while low < high:
        if at >= high:
            at = high - 1
        if is_below(records.data + at * RECORD, query):
            low = at + 1
            # Near the guess first; once that overshoots, this is a plain bisection.
            at = low + step if high - low > 2 * step else low + (high - low) // 2
        else:
            high = at
            at = high - step if high - low > 2 * step else low + (high - low) // 2
        step *= 2
    return low


cdef Hit *new_hit(Hits *hits) noexcept nogil:
    """Room for one more; NULL: no memory."""
    cdef Hit *items
    if hits.count == hits.capacity:
        if hits.capacity >= <size_t>1 << 31:
            return NULL
        hits.capacity = 2 * hits.capacity + 4
        items = <Hit *>realloc(hits.items, hits.capacity * sizeof(Hit))
        if items == NULL:
            return NULL
        hits.items = items
    hits.count += 1
    return &hits.items[hits.count - 1]


cdef bint put_in_order(const Query *queries, uint32_t count, Query *ordered) noexcept nogil:
    """By so many bits that few are in a wrong place; False: no memory."""
    cdef int bits = 1
    cdef size_t bucket
    cdef uint32_t i
    cdef uint32_t *ends
    while bits < 20 and <uint32_t>1 << bits < count:
        bits += 1
    ends = <uint32_t *>calloc((<size_t>1 << bits) + 1, sizeof(uint32_t))
    if ends == NULL:
        return False
    for i in range(count):
        ends[(queries[i].key >> (64 - bits)) + 1] += 1
    for bucket in range(<size_t>1 << bits):
        ends[bucket + 1] += ends[bucket]
    for i in range(count):
        bucket = queries[i].key >> (64 - bits)
        ordered[ends[bucket]] = queries[i]
        ends[bucket] += 1
    free(ends)
    return True


cdef bint search_part(
    const Records *records, uint32_t part, const Query *queries, uint32_t count, int kind,
    Hits *hits,
) noexcept nogil:
    """False: no memory."""
    cdef size_t guesses[2 * AHEAD]
    cdef const Query *query
    cdef const uint8_t *record
    cdef Hit *hit
    cdef size_t at = 0
    cdef size_t *corrected
    cdef uint64_t key = 0
    cdef uint32_t i
    cdef uint32_t next_guess = 0
    cdef uint32_t next_correction = 0
    if not records.count:
        return True
    for i in range(count):
        # Memory is asked for before its turn: first where an id may be, seen from the one that was
        # found last, then where it is likely, seen from the record that stands there.
        while next_guess < count and next_guess <= i + 2 * AHEAD - 1:
            guesses[next_guess % (2 * AHEAD)] = guess(
                records, at, key, queries[next_guess].key
            )
            next_guess += 1
        while next_correction < count and next_correction <= i + AHEAD - 1:
            corrected = &guesses[next_correction % (2 * AHEAD)]
            corrected[0] = guess(
                records, corrected[0], load_big64(records.data + corrected[0] * RECORD),
                queries[next_correction].key,
            )
            if corrected[0] >= NEAR and records.count - corrected[0] > NEAR:
                prefetch(records.data + (corrected[0] - NEAR) * RECORD)
                prefetch(records.data + (corrected[0] - NEAR // 2) * RECORD)
                prefetch(records.data + (corrected[0] + NEAR // 2) * RECORD)
                prefetch(records.data + (corrected[0] + NEAR) * RECORD)
            next_correction += 1
        query = &queries[i]
        at = first_record(records, query, guesses[i % (2 * AHEAD)])
        key = query.key
        record = records.data + at * RECORD
        while at < records.count and not memcmp(record, query.prefix, PREFIX):
            if record[TYPE_AT] == kind:
                hit = new_hit(hits)
                if hit == NULL:
                    return False
                hit.query, hit.part, hit.number = query.number, part, <uint32_t>at
                memcpy(hit.record, record, RECORD)
            at += 1
            record += RECORD
    return True


cdef class RecordSearch:
    """Sorted records in several parts, searched as one. Used from any thread.

    Where a part is not sorted, some of its records are not found.
    """

    cdef list kept
    cdef Records *parts
    cdef uint32_t part_count

    def __cinit__(self, parts):
        """`parts`: buffers, which stay as they are. Raises ValueError."""
        cdef _Batch held
        self.kept = []
        self.parts = <Records *>calloc(max(len(parts), 1), sizeof(Records))
        if self.parts == NULL:
            raise MemoryError
        for part in parts:
            held = _Batch(part)
            check_records(held, RECORD)
            self.kept.append(held)
            self.parts[self.part_count].data = held.data
            self.parts[self.part_count].count = held.length // RECORD
            self.parts[self.part_count].density = (
                <double>(held.length // RECORD) / 18446744073709551616.0
            )
            self.part_count += 1

    def __dealloc__(self):
        free(self.parts)

    def find(self, ids, int kind):
        """All records of blocks of one type whose ids begin like these, by 16 bytes of each.

        (the end of those of each id in what follows, numbers of parts, numbers of records in them,
        the records themselves); of one id ascending. Raises ValueError for an id that is too short.
        """
        cdef Py_ssize_t count = len(ids)
        cdef Hits hits = Hits(NULL, 0, 0)
        cdef Query *queries
        cdef bint fine
        if count >= <Py_ssize_t>NO_RECORD:
            raise ValueError("more than 2^32 - 2 ids in one call")
        queries = <Query *>malloc(max(count, 1) * sizeof(Query))
        if queries == NULL:
            raise MemoryError
        try:
            self.take(ids, queries, count)
            with nogil:
                fine = self.search(queries, <uint32_t>count, kind, &hits)
            if not fine:
                raise MemoryError
            return listed(&hits, count)
        finally:
            free(queries)
            free(hits.items)

    cdef int take(self, ids, Query *queries, Py_ssize_t count) except -1:
        cdef Py_ssize_t i = 0
        cdef const uint8_t *start
        for one in ids:
            if not PyBytes_Check(one):
                raise TypeError("an id is bytes")
            if PyBytes_GET_SIZE(one) < PREFIX or i == count:
                raise ValueError(f"an id has at least {PREFIX} bytes")
            start = <const uint8_t *>PyBytes_AS_STRING(one)
            memcpy(queries[i].prefix, start, PREFIX)
            queries[i].key = load_big64(start)
            queries[i].number = <uint32_t>i
            i += 1
        if i != count:
            raise ValueError("there are fewer ids than their length says")
        return 0

    cdef bint search(
        self, const Query *queries, uint32_t count, int kind, Hits *hits
    ) noexcept nogil:
        """False: no memory."""
        cdef Query *ordered = NULL
        cdef uint32_t part
        cdef bint fine = True
        if count > 1:
            ordered = <Query *>malloc(count * sizeof(Query))
            if ordered == NULL:
                return False
            fine = put_in_order(queries, count, ordered)
            queries = ordered
        for part in range(self.part_count):
            fine = fine and search_part(&self.parts[part], part, queries, count, kind, hits)
        free(ordered)
        return fine


cdef tuple listed(const Hits *hits, size_t count):
    """What was found part by part, put in the order of the queries."""
    cdef array.array ends = array.clone(ENDS_TEMPLATE, count, zero=True)
    cdef array.array parts = array.clone(ENDS_TEMPLATE, hits.count, zero=False)
    cdef array.array numbers = array.clone(ENDS_TEMPLATE, hits.count, zero=False)
    cdef bytes records = PyBytes_FromStringAndSize(NULL, hits.count * RECORD)
    cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(records)
    cdef uint32_t *end = <uint32_t *>ends.data.as_voidptr
    cdef uint32_t *part = <uint32_t *>parts.data.as_voidptr
    cdef uint32_t *number = <uint32_t *>numbers.data.as_voidptr
    cdef const Hit *hit
    cdef size_t i
    cdef size_t at
    with nogil:
        for i in range(hits.count):
            if hits.items[i].query + 1 < count:
                end[hits.items[i].query + 1] += 1
        for i in range(1, count):
            end[i] += end[i - 1]
        for i in range(hits.count):  # where each begins becomes where it ends
            hit = &hits.items[i]
            at = end[hit.query]
            end[hit.query] += 1
            part[at], number[at] = hit.part, hit.number
            memcpy(target + at * RECORD, hit.record, RECORD)
    return ends, parts, numbers, records


def make_places(records, parts, names, types, kind, make):
    """For each record what it says of a block's place, as `make`, a kind of tuple.

    (its pack's type out of `types`, which are numbered from 1, its pack's name out of those of its
    part, offset, bytes, `kind`, depth). Raises IndexError where there is no such type or name.
    """
    cdef _Batch given = _Batch(records, parts)
    cdef size_t part_count = len(names)
    cdef size_t part
    cdef tuple some_names
    cdef list found = []
    cdef tuple all_types = types
    cdef const uint8_t *record
    cdef uint32_t number
    cdef size_t i
    new = tuple.__new__
    check_records(given, RECORD)
    if given.length // RECORD != given.count:
        raise ValueError("there are not as many parts as records")
    for i in range(given.count):
        record = given.data + i * RECORD
        part = load_end(given.end_data, i)
        if part >= part_count:
            raise IndexError(i)
        some_names = names[part]
        number = load_little32(record + NUMBER_AT)
        if number >= <size_t>len(some_names) or not 0 < record[PACK_TYPE_AT] <= len(all_types):
            raise IndexError(i)
        found.append(new(make, (
            all_types[record[PACK_TYPE_AT] - 1], some_names[number],
            load_little32(record + OFFSET_AT), load_little32(record + FRAME_BYTES_AT),
            kind, record[DEPTH_AT],
        )))
    return found


cdef struct Part:
    const uint8_t *next
    const uint8_t *end
    const uint8_t *numbers
    size_t number_count


cdef size_t insert_record(uint8_t *group, size_t length, const uint8_t *record) noexcept nogil:
    """Puts a record into a sorted group of `length` bytes, unless it is there; the new length."""
    cdef size_t at = length
    cdef int order
    while at:
        order = memcmp(group + at - RECORD, record, RECORD)
        if order == 0:
            return length
        if order < 0:
            break
        at -= RECORD
    memmove(group + at + RECORD, group + at, length - at)
    memcpy(group + at, record, RECORD)
    return length + RECORD


cdef bint merge_parts(Part *parts, size_t count, uint8_t *target, size_t *written) noexcept nogil:
    """False where a record's number is none of its part's."""
    cdef uint8_t record[RECORD]
    cdef uint8_t prefix[PREFIX]
    cdef const uint8_t *least
    cdef size_t group
    cdef size_t i
    cdef uint32_t number
    while True:
        least = NULL
        for i in range(count):
            if parts[i].next != parts[i].end and (
                least == NULL or memcmp(parts[i].next, least, PREFIX) < 0
            ):
                least = parts[i].next
        if least == NULL:
            return True
        memcpy(prefix, least, PREFIX)
        group = 0
        for i in range(count):
            while parts[i].next != parts[i].end and not memcmp(parts[i].next, prefix, PREFIX):
                memcpy(record, parts[i].next, RECORD)
                number = load_little32(record + NUMBER_AT)
                if number >= parts[i].number_count:
                    return False
                memcpy(record + NUMBER_AT, parts[i].numbers + 4 * <size_t>number, 4)
                group = insert_record(target + written[0], group, record)
                parts[i].next += RECORD
        written[0] += group


def merge_records(parts, target):
    """Merges sorted records into `target`, each once; the number of bytes written.

    `parts` holds (records, numbers): 4 bytes for each pack of that part, its new number. The
    target has room for the records of all parts. Raises ValueError.
    """
    cdef list kept = []
    cdef Py_buffer room
    cdef size_t total = 0
    cdef size_t written = 0
    cdef size_t count = 0
    cdef bint fine
    cdef _Batch records
    cdef _Batch numbers
    cdef Part *memory = <Part *>calloc(max(len(parts), 1), sizeof(Part))
    if memory == NULL:
        raise MemoryError
    try:
        for data, renumbered in parts:
            records, numbers = _Batch(data), _Batch(renumbered)
            check_records(records, RECORD)
            check_records(numbers, 4)
            kept.append((records, numbers))
            memory[count].next = records.data
            memory[count].end = records.data + records.length
            memory[count].numbers = numbers.data
            memory[count].number_count = numbers.length // 4
            total += records.length
            count += 1
        PyObject_GetBuffer(target, &room, PyBUF_WRITABLE)
        try:
            if <size_t>room.len < total:
                raise ValueError("the target is too small")
            with nogil:
                fine = merge_parts(memory, count, <uint8_t *>room.buf, &written)
        finally:
            PyBuffer_Release(&room)
    finally:
        free(memory)
    if not fine:
        raise ValueError("a record names a pack that its part does not list")
    return written
