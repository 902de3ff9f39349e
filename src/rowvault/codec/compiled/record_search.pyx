# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Records of the block index, found by the ids of blocks."""

from cpython cimport array
from cpython.bytes cimport (
    PyBytes_AS_STRING, PyBytes_Check, PyBytes_FromStringAndSize, PyBytes_GET_SIZE,
)
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

from rowvault.codec.compiled.buffers cimport Batch, new_ends
from rowvault.codec.compiled.records cimport PREFIX, RECORD, TYPE_AT, check_records
from rowvault.codec.compiled.words cimport LIMIT, load_big64, prefetch


cdef enum:
    NEAR = 4  # records that are most likely found within so many of a good guess
    AHEAD = 8  # queries whose memory is asked for before their turn, twice


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
        cdef Batch held
        self.kept = []
        self.parts = <Records *>calloc(max(len(parts), 1), sizeof(Records))
        if self.parts == NULL:
            raise MemoryError
        for part in parts:
            held = Batch(part)
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
        if count >= <Py_ssize_t>LIMIT:
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
    cdef array.array ends = new_ends(count, True)
    cdef array.array parts = new_ends(hits.count, False)
    cdef array.array numbers = new_ends(hits.count, False)
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
