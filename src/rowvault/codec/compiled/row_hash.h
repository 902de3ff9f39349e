/* Hashes of rows (docs/format.md, "Row hash"). */

#ifndef ROWVAULT_ROW_HASH_H
#define ROWVAULT_ROW_HASH_H

#include "words.h"

#define RV_ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define RV_ROUND(a, b, c, d, rot16, rot32) do { \
    a += b; c += d; \
    b = RV_ROTATE(b, 13) ^ a; d = rot16(d) ^ c; \
    a = rot32(a); \
    c += b; a += d; \
    b = RV_ROTATE(b, 17) ^ c; d = RV_ROTATE(d, 21) ^ a; \
    c = rot32(c); \
} while (0)

/* "somepseudorandomlygeneratedbytes", the second word changed as the 128-bit form asks for. */
#define RV_START_0 UINT64_C(0x736F6D6570736575)
#define RV_START_1 (UINT64_C(0x646F72616E646F6D) ^ 0xEE)
#define RV_START_2 UINT64_C(0x6C7967656E657261)
#define RV_START_3 UINT64_C(0x7465646279746573)

#define RV_PLAIN_16(x) RV_ROTATE(x, 16)
#define RV_PLAIN_32(x) RV_ROTATE(x, 32)
#define RV_ROUND_1(s) RV_ROUND(s[0], s[1], s[2], s[3], RV_PLAIN_16, RV_PLAIN_32)

/* The 0 to 7 bytes behind the last whole word, and the length's low byte on top. */
static inline uint64_t rv_last_word(const uint8_t *data, size_t length) {
    uint64_t word = (uint64_t)(length & 0xFF) << 56;
    size_t left = length & 7;
    if (length >= 8) {
        /* One load that ends with the data: its upper bytes are the tail. */
        return left ? word | rv_load_little64(data + length - 8) >> (64 - 8 * left) : word;
    }
    for (size_t i = 0; i < left; i++) word |= (uint64_t)data[i] << (8 * i);
    return word;
}

/* What squeezing changes v1 by, before each of the four words. */
static const uint64_t rv_tweaks[4] = {0, 0xDD, 0xCC, 0xBB};

/* SipHash-1-3 in its 128-bit form; `count` words, up to four: squeezed twice as long. */
static inline void rv_row_hash(
    const uint64_t *key, const uint8_t *data, size_t length, uint64_t *result, int count
) {
    uint64_t s[4] = {
        key[0] ^ RV_START_0, key[1] ^ RV_START_1, key[0] ^ RV_START_2, key[1] ^ RV_START_3};
    for (size_t i = 0; i <= length / 8; i++) {
        uint64_t word = i < length / 8
            ? rv_load_little64(data + 8 * i) : rv_last_word(data, length);
        s[3] ^= word;
        RV_ROUND_1(s);
        s[0] ^= word;
    }
    s[2] ^= 0xEE;
    for (int i = 0; i < count; i++) {
        s[1] ^= rv_tweaks[i];
        RV_ROUND_1(s);
        RV_ROUND_1(s);
        RV_ROUND_1(s);
        result[i] = s[0] ^ s[1] ^ s[2] ^ s[3];
    }
}

#endif
