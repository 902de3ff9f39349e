# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Two sets of rows, compared."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc

from rowvault.codec.compiled.buffers cimport Batch
from rowvault.codec.compiled.faults cimport BAD_ENDS, NO_MEMORY, Fault, raise_fault, refuse
from rowvault.codec.compiled.layout cimport Shape, gather_key, walk_row
from rowvault.codec.compiled.rows cimport next_row
from rowvault.codec.compiled.siphash cimport load_key, row_hash_words


cdef struct Entry:
    uint64_t key[2]
    uint64_t row[2]
    int64_t count    # left rows count up, right ones down


cdef inline bint same_row(const Entry *one, const Entry *other) noexcept nogil:
    return one.row[0] == other.row[0] and one.row[1] == other.row[1]


cdef inline bint row_below(const Entry *one, const Entry *other) noexcept nogil:
    """Less as a number of 128 bits, little-endian."""
    if one.row[1] != other.row[1]:
        return one.row[1] < other.row[1]
    return one.row[0] < other.row[0]


@cython.final
cdef class RowMatcher:
    """Compares two sets of rows by key, whatever the order in which they come.

    Without a key, rows are a multiset. `changed` counts the rows of equal key whose bytes differ.
    """

    # Entries lie close together; `slots` is an open-addressing index over them (linear probing,
    # number of the entry plus one, 0: free). Up to 62 bytes an entry: (40 + 4 / 0.35) x 1.2.
    cdef Shape shape
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
        self.shape = Shape(kinds, (b"",) * len(kinds), layout.key)
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
        self.put(Batch(rows, ends), 1)

    def right(self, rows, ends):
        """Rows of the newer side. Raises ValueError; the matcher is then of no use."""
        self.put(Batch(rows, ends), -1)

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

    cdef int put(self, Batch batch, int sign) except -1:
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

    cdef bint scan(self, Batch batch, int sign, Fault *fault) noexcept nogil:
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
            if not gather_key(self.shape, rows, start, end, &key, &key_bytes):
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
