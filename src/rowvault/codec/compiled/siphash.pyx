# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Hashes of keys and rows (docs/format.md, "Row hash")."""

from cpython.bytes cimport (
    PyBytes_AS_STRING, PyBytes_Check, PyBytes_FromStringAndSize, PyBytes_GET_SIZE,
)
from libc.stdint cimport uint8_t, uint64_t

from rowvault.codec.compiled.buffers cimport Batch
from rowvault.codec.compiled.words cimport load_little64, store_little64


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
    cdef Batch batch = Batch(data)
    load_key(key, words)
    return sip24(words, batch.data, batch.length)


def row_hash(key, data):
    """32 bytes: SipHash-1-3 in its 128-bit form, squeezed twice as long. Raises ValueError."""
    cdef uint64_t words[2]
    cdef uint64_t result[4]
    cdef Batch batch = Batch(data)
    load_key(key, words)
    row_hash_words(words, batch.data, batch.length, result, 4)
    return little_bytes(result, 4)
