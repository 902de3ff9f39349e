/* Sums of row hashes (docs/format.md, "Row hash"), four rows at a time where the machine has AVX2.

   SipHash is a chain of dependent steps, so one row at a time leaves most of a core idle; four rows
   in the lanes of one vector take about as long as one. Without AVX2 the lanes cost more than they
   bring, and rows are hashed one by one. */

#ifndef ROWVAULT_ROW_SUMS_H
#define ROWVAULT_ROW_SUMS_H

#include "row_hash.h"

/* total += more modulo 2^256, both of four words, the lowest first. */
static inline void rv_add_256(uint64_t *total, const uint64_t *more) {
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t word = total[i] + carry;
        carry = word < carry;
        word += more[i];
        carry += word < more[i];
        total[i] = word;
    }
}

#if defined(__x86_64__)
#define RV_HAS_LANES 1

typedef uint64_t rv_four __attribute__((vector_size(32)));
typedef uint32_t rv_eight __attribute__((vector_size(32)));
typedef uint8_t rv_bytes32 __attribute__((vector_size(32)));

/* Whole words and bytes are moved, which takes one instruction. */
#define RV_LANES_32(x) ((rv_four)RV_SHUFFLE_8((rv_eight)(x), 1, 0, 3, 2, 5, 4, 7, 6))
#define RV_LANES_16(x) ((rv_four)RV_SHUFFLE_32((rv_bytes32)(x), \
    6, 7, 0, 1, 2, 3, 4, 5, 14, 15, 8, 9, 10, 11, 12, 13, \
    22, 23, 16, 17, 18, 19, 20, 21, 30, 31, 24, 25, 26, 27, 28, 29))
#ifdef __clang__
#define RV_SHUFFLE_8(x, ...) __builtin_shufflevector(x, x, __VA_ARGS__)
#define RV_SHUFFLE_32(x, ...) __builtin_shufflevector(x, x, __VA_ARGS__)
#else
#define RV_SHUFFLE_8(x, ...) __builtin_shuffle(x, (rv_eight){__VA_ARGS__})
#define RV_SHUFFLE_32(x, ...) __builtin_shuffle(x, (rv_bytes32){__VA_ARGS__})
#endif

#define RV_ROUND_4(s) RV_ROUND(s[0], s[1], s[2], s[3], RV_LANES_16, RV_LANES_32)

/* So many words beyond the shortest of four rows are taken by all lanes, those that have ended
   standing still; what rows have beyond these is taken row by row. */
enum { RV_UNEVEN_WORDS = 4 };

/* Adds the hashes of 4 * groups rows, which lie end to end from `start`, to `total`. Sums of halves
   of words are kept in the lanes, which 2^32 rows do not make overflow. */
__attribute__((target("avx2"))) static void rv_sum_fours(
    const uint64_t *key, const uint8_t *rows, size_t start, const uint8_t *ends, size_t groups,
    uint64_t *total
) {
    rv_four low[4], high[4];
    memset(low, 0, sizeof low);
    memset(high, 0, sizeof high);
    for (; groups; groups--, ends += 16) {
        const uint8_t *data[4];
        size_t length[4], words[4], least = SIZE_MAX, most = 0, i = 0;
        for (int lane = 0; lane < 4; lane++) {
            size_t end = rv_load_end(ends, lane);
            data[lane] = rows + start;
            length[lane] = end - start;
            words[lane] = length[lane] / 8;
            if (words[lane] < least) least = words[lane];
            if (words[lane] > most) most = words[lane];
            start = end;
        }
        rv_four s[4];
        s[0] = (rv_four){0} + (key[0] ^ RV_START_0);
        s[1] = (rv_four){0} + (key[1] ^ RV_START_1);
        s[2] = (rv_four){0} + (key[0] ^ RV_START_2);
        s[3] = (rv_four){0} + (key[1] ^ RV_START_3);
        for (; i < least; i++) {
            rv_four word = {
                rv_load_little64(data[0] + 8 * i), rv_load_little64(data[1] + 8 * i),
                rv_load_little64(data[2] + 8 * i), rv_load_little64(data[3] + 8 * i)};
            s[3] ^= word;
            RV_ROUND_4(s);
            s[0] ^= word;
        }
        for (; i < most && i < least + RV_UNEVEN_WORDS; i++) {
            rv_four word, goes, was[4];
            for (int lane = 0; lane < 4; lane++) {
                word[lane] = i < words[lane] ? rv_load_little64(data[lane] + 8 * i) : 0;
                goes[lane] = i < words[lane] ? UINT64_MAX : 0;
            }
            memcpy(was, s, sizeof s);
            s[3] ^= word;
            RV_ROUND_4(s);
            s[0] ^= word;
            for (int j = 0; j < 4; j++) s[j] = (s[j] & goes) | (was[j] & ~goes);
        }
        for (int lane = 0; i < most && lane < 4; lane++) {
            uint64_t one[4] = {s[0][lane], s[1][lane], s[2][lane], s[3][lane]};
            for (size_t k = i; k < words[lane]; k++) {
                uint64_t word = rv_load_little64(data[lane] + 8 * k);
                one[3] ^= word;
                RV_ROUND_1(one);
                one[0] ^= word;
            }
            for (int j = 0; j < 4; j++) s[j][lane] = one[j];
        }
        rv_four word = {
            rv_last_word(data[0], length[0]), rv_last_word(data[1], length[1]),
            rv_last_word(data[2], length[2]), rv_last_word(data[3], length[3])};
        s[3] ^= word;
        RV_ROUND_4(s);
        s[0] ^= word;
        s[2] ^= 0xEE;
        for (int j = 0; j < 4; j++) {
            s[1] ^= rv_tweaks[j];
            RV_ROUND_4(s);
            RV_ROUND_4(s);
            RV_ROUND_4(s);
            rv_four hashed = s[0] ^ s[1] ^ s[2] ^ s[3];
            low[j] += hashed & 0xFFFFFFFF;
            high[j] += hashed >> 32;
        }
    }
    for (int lane = 0; lane < 4; lane++) {
        uint64_t halves[4], upper[4];
        for (int j = 0; j < 4; j++) {
            halves[j] = low[j][lane];
            upper[j] = high[j][lane] << 32 | (j ? high[j - 1][lane] >> 32 : 0);
        }
        rv_add_256(total, halves);
        rv_add_256(total, upper);
    }
}
#endif

/* Adds the hashes of the rows in rows[start:], which end where `ends` says, to `total`. */
static void rv_sum_rows(
    const uint64_t *key, const uint8_t *rows, size_t start, const uint8_t *ends, size_t count,
    uint64_t *total
) {
    size_t i = 0;
#ifdef RV_HAS_LANES
    if (count >= 4 && __builtin_cpu_supports("avx2")) {
        rv_sum_fours(key, rows, start, ends, count / 4, total);
        i = count / 4 * 4;
        start = rv_load_end(ends, i - 1);
    }
#endif
    for (; i < count; i++) {
        uint64_t hashed[4];
        size_t end = rv_load_end(ends, i);
        rv_row_hash(key, rows + start, end - start, hashed, 4);
        rv_add_256(total, hashed);
        start = end;
    }
}

#endif
