# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Records of the block index, in ascending order."""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memmove

from rowvault.codec.compiled.buffers cimport Batch
from rowvault.codec.compiled.words cimport LIMIT, load_end, load_little32


cdef int check_records(Batch records, size_t size) except -1:
    if records.length % size or records.length // size >= LIMIT:
        raise ValueError(f"not whole records of {size} bytes, or more than 2^32 - 2 of them")
    return 0


def make_places(records, parts, names, types, kind, make):
    """For each record what it says of a block's place, as `make`, a kind of tuple.

    (its pack's type out of `types`, which are numbered from 1, its pack's name out of those of its
    part, offset, bytes, `kind`, depth). Raises IndexError where there is no such type or name.
    """
    cdef Batch given = Batch(records, parts)
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
    cdef Batch records
    cdef Batch numbers
    cdef Part *memory = <Part *>calloc(max(len(parts), 1), sizeof(Part))
    if memory == NULL:
        raise MemoryError
    try:
        for data, renumbered in parts:
            records, numbers = Batch(data), Batch(renumbered)
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
