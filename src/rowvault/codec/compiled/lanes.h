/* Text, numbers and hexadecimal digits, sixteen bytes at once. */

#ifndef ROWVAULT_LANES_H
#define ROWVAULT_LANES_H

#include "words.h"

/* Sixteen bytes at once, on any machine that the compiler knows. A lane of SPECIAL is 0xFF
   where a backslash must stand before the byte in a quoted text. */
typedef uint8_t rv_lanes __attribute__((vector_size(16)));

static inline rv_lanes rv_load_lanes(const uint8_t *from) {
    rv_lanes lanes;
    memcpy(&lanes, from, 16);
    return lanes;
}

#define RV_IS(lanes, byte) ((rv_lanes)((lanes) == (byte)))
#define RV_SPECIAL(lanes) (RV_IS(lanes, 0) | RV_IS(lanes, 10) | RV_IS(lanes, 13) \
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

#define RV_ALL 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
static const uint8_t rv_first_lanes[32] = {
    RV_ALL, RV_ALL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
};

/* These copy sixteen bytes, of which the first `length` are meant, and say whether those are
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

/* What stands behind a backslash for a byte in a quoted text; 0: the byte stands for itself. */
static const uint8_t rv_escapes[256] = {
    [0] = '0', [10] = 'n', [13] = 'r', [26] = 'Z', [39] = '\'', [92] = '\\'
};

/* A byte of a quoted text, with a backslash where it needs one, which few do. */
static inline uint8_t *rv_put_escaped(uint8_t byte, uint8_t *to) {
    uint8_t escape = rv_escapes[byte];
    if (__builtin_expect(escape != 0, 0)) {
        to[0] = '\\';
        to[1] = escape;
        return to + 2;
    }
    to[0] = byte;
    return to + 1;
}

static const uint8_t rv_is_number_byte[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1, ['e'] = 1, ['E'] = 1
};

/* Two digits of one byte */
static inline void rv_hex1(uint8_t byte, uint8_t *to) {
    static const char digits[17] = "0123456789ABCDEF";
    to[0] = (uint8_t)digits[byte >> 4];
    to[1] = (uint8_t)digits[byte & 15];
}

#endif
