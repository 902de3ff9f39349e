/* Decimal digits and days, as integers and back. */

#ifndef ROWVAULT_DIGITS_H
#define ROWVAULT_DIGITS_H

#include "words.h"

#define RV_DAY_SECONDS INT64_C(86400)
#define RV_FIRST_DAY INT64_C(-719162)    /* 0001-01-01 */
#define RV_LAST_DAY INT64_C(2932896)    /* 9999-12-31 */
#define RV_NUMBER_LIMIT INT64_C(1000000000000000000)
#define RV_INTERVAL_LIMIT INT64_C(3600000)

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

#endif
