/* Words of memory: little-endian unless a name says otherwise, at any address. */

#ifndef ROWVAULT_WORDS_H
#define ROWVAULT_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Offsets in rows have 32 bits. */
#define RV_LIMIT UINT64_C(0xFFFFFFFF)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define RV_LITTLE64(x) (x)
#define RV_BIG64(x) __builtin_bswap64(x)
#else
#define RV_LITTLE64(x) __builtin_bswap64(x)
#define RV_BIG64(x) (x)
#endif

#define RV_PREFETCH(place) __builtin_prefetch(place)

static inline uint64_t rv_load_little64(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, 8);
    return RV_LITTLE64(word);
}

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

/* The end of a row, out of an array of native ones. */
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

#endif
