# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Rows cut into blocks."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from rowvault.codec.compiled.buffers cimport Batch, Output, output_append, output_clear
from rowvault.codec.compiled.faults cimport BAD_ENDS, NO_MEMORY, Fault, raise_fault, refuse
from rowvault.codec.compiled.layout cimport Shape, gather_key, walk_row
from rowvault.codec.compiled.row_sums cimport sum_rows
from rowvault.codec.compiled.rows cimport next_row
from rowvault.codec.compiled.siphash cimport little_bytes, load_key, row_hash_words, sip24
from rowvault.codec.compiled.words cimport load_end, store_little64


cdef extern from *:
    """
    /* chance * scale^4 < (after^4 - before^4) << 32; sizes up to 2^22 keep within 128 bits */
    static inline int rv_ends_block(
        uint32_t chance, uint64_t scale, uint64_t before, uint64_t after
    ) {
        typedef unsigned __int128 wide;
        wide scale2 = (wide)scale * scale;
        wide before2 = (wide)before * before;
        wide after2 = (wide)after * after;
        return chance * (scale2 * scale2) < ((after2 * after2 - before2 * before2) << 32);
    }
    """
    bint ends_block "rv_ends_block"(
        uint32_t chance, uint64_t scale, uint64_t before, uint64_t after) noexcept nogil


cdef uint32_t MAX_BLOCK_BYTES = 1 << 22

cdef enum:
    LONGEST_PLAIN_KEY = 512


cdef struct Block:
    bint with_pending         # begins with the pending bytes
    size_t start              # of its part in the rows that are fed
    size_t stop
    uint64_t row_count
    uint64_t rendered_bytes
    uint64_t row_sum[4]
    uint32_t first_key_bytes
    uint8_t first_key[LONGEST_PLAIN_KEY + 1]
    uint8_t fragment


@cython.final
cdef class Cutter:
    """Cuts rows into blocks: (raw, row_count, rendered_bytes, first_key, row_sum, fragment).

    Where a block ends depends on its rows alone, never on how they were fed.
    """

    cdef Shape shape
    cdef uint64_t minimum
    cdef uint64_t scale
    cdef uint64_t maximum
    cdef uint64_t cut_key[2]
    cdef uint64_t row_key[2]
    cdef uint64_t gear[256]
    cdef int gear_shift           # a fragment may end where the gear's bits above are zero
    cdef bint gear_always         # the scale is 1: there are no such bits
    cdef bint failed
    cdef bint busy
    cdef uint8_t *pending         # room for `maximum` bytes
    cdef size_t pending_length
    cdef Block block              # the one that grows
    cdef Output blocks            # of one feed: those that are complete
    cdef size_t summed_rows       # of one feed: rows that are in row sums already
    cdef size_t summed_bytes

    def __cinit__(self, layout, rule):
        self.shape = Shape(layout.kinds, layout.introducers, layout.key)
        if not 0 < rule.minimum <= rule.maximum <= MAX_BLOCK_BYTES:
            raise ValueError("a rule needs 0 < minimum <= maximum <= 4194304")
        if not 0 < rule.scale <= MAX_BLOCK_BYTES:
            raise ValueError("a rule needs 0 < scale <= 4194304")
        self.minimum = rule.minimum
        self.scale = rule.scale
        self.maximum = rule.maximum
        load_key(rule.cut_key, self.cut_key)
        load_key(rule.row_key, self.row_key)
        self.fill_gear(rule.gear_key)
        self.pending = <uint8_t *>malloc(self.maximum)
        if self.pending == NULL:
            raise MemoryError
        self.open_block(0, False)

    def __dealloc__(self):
        free(self.pending)
        free(self.blocks.data)

    cdef int fill_gear(self, gear_key) except -1:
        cdef uint64_t key[2]
        cdef uint8_t byte
        cdef int i
        cdef int bits = self.scale.bit_length() - 1
        if len(gear_key) != 32:
            raise ValueError("a gear key has 32 bytes")
        self.gear_always = bits == 0
        self.gear_shift = 64 - bits if bits else 0
        memset(self.gear, 0, sizeof(self.gear))
        for half in (gear_key[:16], gear_key[16:]):
            load_key(half, key)
            for i in range(256):
                byte = <uint8_t>i
                self.gear[i] ^= sip24(key, &byte, 1)
        return 0

    @property
    def pending_rows(self):
        """Rows that are not in a block yet."""
        return self.block.row_count

    @property
    def pending_bytes(self):
        """Raw bytes that are not in a block yet."""
        return self.pending_length

    def feed(self, rows, ends):
        """The blocks that these rows complete, in order.

        Raises ValueError, naming row and byte; the cutter cannot be used any further then.
        """
        cdef Batch batch
        cdef Fault fault
        cdef bint fine
        cdef list result
        self.check_usable()
        batch = Batch(rows, ends)
        self.busy = True
        self.failed = True    # until this feed has come to its end
        try:
            with nogil:
                fine = self.scan(batch, &fault)
            if not fine:
                raise_fault(&fault)
            result = self.take_blocks(batch.data)
            self.keep_pending(batch.data, batch.length)
            self.failed = False
            return result
        finally:
            self.busy = False

    def finish(self):
        """The last block, if rows are pending; the cutter is as new then."""
        self.check_usable()
        result = []
        if self.block.row_count:
            result.append(self.make_tuple(&self.block, NULL))
        self.pending_length = 0
        self.open_block(0, False)
        return result

    cdef int check_usable(self) except -1:
        if self.busy:
            raise RuntimeError("a cutter is used by one thread at a time")
        if self.failed:
            raise ValueError("the cutter has met malformed rows before")
        return 0

    cdef void open_block(self, size_t start, bint with_pending) noexcept nogil:
        self.block.with_pending = with_pending
        self.block.start = start
        self.block.stop = start
        self.block.row_count = 0
        self.block.rendered_bytes = 0
        self.block.first_key_bytes = 0
        self.block.fragment = 0
        memset(self.block.row_sum, 0, sizeof(self.block.row_sum))

    cdef bint scan(self, Batch batch, Fault *fault) noexcept nogil:
        """Walks all rows; `blocks` holds the complete blocks, `block` the one that grows."""
        cdef size_t start = 0
        cdef size_t end
        cdef size_t row
        cdef uint64_t rendered
        self.blocks.length = 0
        self.block.with_pending = self.pending_length > 0
        self.block.start = 0
        self.block.stop = 0
        self.summed_rows = 0
        self.summed_bytes = 0
        for row in range(batch.count):
            if not next_row(batch.end_data, batch.length, row, start, &end, fault):
                return False
            if not walk_row(self.shape, batch.data, row, start, end, True, &rendered, fault):
                return False
            if not self.add_row(batch, row, start, end, rendered):
                return refuse(fault, NO_MEMORY, row, start)
            start = end
        if start != batch.length:
            return refuse(fault, BAD_ENDS, batch.count, start)
        self.sum_up_to(batch, batch.count)
        return True

    cdef inline void sum_up_to(self, Batch batch, size_t row) noexcept nogil:
        """Adds the hashes of the rows before `row` that are in no sum yet to the block's."""
        if self.summed_rows < row:
            sum_rows(
                self.row_key, batch.data, self.summed_bytes,
                batch.end_data + 4 * self.summed_rows, row - self.summed_rows, self.block.row_sum,
            )
            self.summed_rows = row
            self.summed_bytes = load_end(batch.end_data, row - 1)

    cdef inline size_t block_bytes(self) noexcept nogil:
        cdef size_t before = self.pending_length if self.block.with_pending else 0
        return before + (self.block.stop - self.block.start)

    cdef bint add_row(
        self, Batch batch, size_t row, size_t start, size_t end, uint64_t rendered
    ) noexcept nogil:
        """False: no memory."""
        cdef uint64_t before = self.block_bytes()
        cdef uint64_t after = before + (end - start)
        cdef const uint8_t *key
        cdef size_t key_bytes
        if before and after > self.maximum:
            if not self.close_block(batch, row, start):
                return False
            before = 0
            after = end - start
        if after > self.maximum:
            return self.cut_by_bytes(batch, row, start, end, rendered)
        if self.block.row_count == 0:
            if not gather_key(self.shape, batch.data, start, end, &key, &key_bytes):
                return False
            self.set_first_key(key, key_bytes)
        self.block.rendered_bytes += rendered + (2 if self.block.row_count else 0)
        self.block.row_count += 1
        self.block.stop = end
        if after < self.minimum:
            return True
        if not gather_key(self.shape, batch.data, start, end, &key, &key_bytes):
            return False
        if ends_block(sip24(self.cut_key, key, key_bytes) >> 32, self.scale, before, after):
            return self.close_block(batch, row + 1, end)
        return True

    cdef bint close_block(self, Batch batch, size_t row, size_t position) noexcept nogil:
        """The block that grew is complete; the next one begins with `row`, at `position`."""
        self.sum_up_to(batch, row)
        if not output_append(&self.blocks, <uint8_t *>&self.block, sizeof(Block)):
            return False
        self.open_block(position, False)
        return True

    cdef void set_first_key(self, const uint8_t *key, size_t length) noexcept nogil:
        cdef uint64_t hashed[2]
        if self.shape.key_count and length <= LONGEST_PLAIN_KEY:
            self.block.first_key[0] = 1
            memcpy(&self.block.first_key[1], key, length)
            self.block.first_key_bytes = <uint32_t>(1 + length)
            return
        row_hash_words(self.row_key, key, length, hashed, 2)
        self.block.first_key[0] = 0
        store_little64(&self.block.first_key[1], hashed[0])
        store_little64(&self.block.first_key[9], hashed[1])
        self.block.first_key_bytes = 17

    cdef bint cut_by_bytes(
        self, Batch batch, size_t row, size_t start, size_t end, uint64_t rendered
    ) noexcept nogil:
        """A row larger than the maximum becomes fragments: 1 the first, 2 middle, 3 the last."""
        cdef const uint8_t *rows = batch.data
        cdef const uint8_t *key
        cdef size_t key_bytes
        cdef size_t position = start
        if not gather_key(self.shape, rows, start, end, &key, &key_bytes):
            return False
        self.open_block(start, False)
        self.set_first_key(key, key_bytes)
        self.block.row_count = 1
        self.block.rendered_bytes = rendered
        self.sum_up_to(batch, row + 1)
        while position < end:
            position = self.fragment_stop(rows, position, end)
            self.block.fragment = 1 if self.block.start == start else 3 if position == end else 2
            self.block.stop = position
            if not output_append(&self.blocks, <uint8_t *>&self.block, sizeof(Block)):
                return False
            self.block.start = position
            self.block.row_count = 0
            self.block.rendered_bytes = 0
            memset(self.block.row_sum, 0, sizeof(self.block.row_sum))
        self.open_block(end, False)
        return True

    cdef size_t fragment_stop(
        self, const uint8_t *rows, size_t start, size_t end
    ) noexcept nogil:
        cdef uint64_t gear = 0
        cdef size_t position = start
        cdef size_t least = start + self.minimum - 1
        cdef size_t most = start + self.maximum
        if most > end:
            most = end
        if least > most:
            least = most
        if self.minimum > 64:
            position = least - 64    # a byte leaves the gear 64 bytes later
        while position < least:
            gear = (gear << 1) + self.gear[rows[position]]
            position += 1
        while position < most:
            gear = (gear << 1) + self.gear[rows[position]]
            position += 1
            if self.gear_always or gear >> self.gear_shift == 0:
                return position
        return most

    cdef list take_blocks(self, const uint8_t *rows):
        cdef Block *blocks = <Block *>self.blocks.data
        cdef list result = []
        cdef size_t i
        for i in range(self.blocks.length // sizeof(Block)):
            result.append(self.make_tuple(&blocks[i], rows))
        return result

    cdef tuple make_tuple(self, Block *block, const uint8_t *rows):
        cdef size_t before = self.pending_length if block.with_pending else 0
        cdef size_t length = block.stop - block.start
        cdef bytes raw = PyBytes_FromStringAndSize(NULL, before + length)
        cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(raw)
        if before:
            memcpy(target, self.pending, before)
        if length:
            memcpy(target + before, rows + block.start, length)
        return (
            raw,
            block.row_count,
            block.rendered_bytes,
            PyBytes_FromStringAndSize(<char *>block.first_key, block.first_key_bytes),
            little_bytes(block.row_sum, 4),
            block.fragment,
        )

    cdef void keep_pending(self, const uint8_t *rows, size_t length) noexcept:
        """What has been fed of the block that grows is kept for the next feed."""
        cdef size_t more = self.block.stop - self.block.start
        if not self.block.with_pending:
            self.pending_length = 0
        if more:
            memcpy(self.pending + self.pending_length, rows + self.block.start, more)
            self.pending_length += more
        self.block.with_pending = self.pending_length > 0
        self.block.start = 0
        self.block.stop = 0
        output_clear(&self.blocks)
