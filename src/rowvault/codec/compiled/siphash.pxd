# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""SipHash (Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012)."""

from libc.stdint cimport uint8_t, uint64_t

from rowvault.codec.compiled.words cimport load_little64


cdef extern from "row_hash.h":
    uint64_t last_word "rv_last_word"(const uint8_t *data, size_t length) noexcept nogil
    void row_hash_words "rv_row_hash"(
        const uint64_t *key, const uint8_t *data, size_t length, uint64_t *result, int count
    ) noexcept nogil


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


cdef inline uint64_t sip24(const uint64_t *key, const uint8_t *data, size_t length) noexcept nogil:
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


cdef int load_key(key, uint64_t *words) except -1
cdef bytes little_bytes(const uint64_t *words, int count)
