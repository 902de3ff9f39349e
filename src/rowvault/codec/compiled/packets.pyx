# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""Result sets of the MySQL protocol."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.errno cimport EINTR, ETIMEDOUT, errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free

from rowvault.codec.compiled.buffers cimport (
    Batch, Output, ends_array, output_append, output_append_small, output_clear, output_reserve,
    put_bytes,
)
from rowvault.codec.compiled.faults cimport (
    BEHIND_END, EMPTY_PACKET, FINE, MALFORMED_END, NO_MEMORY, TOO_LONG, WRONG_SEQUENCE, Reason,
    raise_reason,
)
from rowvault.codec.compiled.words cimport LIMIT, load_little32


cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1
    object PyErr_SetFromErrno(object kind)


cdef extern from *:
    """
    #include <errno.h>
    #include <poll.h>
    #include <sys/socket.h>

    /* What a socket has, up to `size` bytes, waiting for the first one. 0: the other end is
       closed; -1: errno tells, ETIMEDOUT where nothing came for so long. */
    static inline ssize_t rv_receive(int from, uint8_t *to, size_t size, int timeout_ms) {
        struct pollfd wait = {from, POLLIN, 0};
        for (;;) {
            ssize_t count = recv(from, to, size, MSG_DONTWAIT);
            if (count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return count;
            int found = poll(&wait, 1, timeout_ms);
            if (found < 0) return -1;
            if (found == 0) {
                errno = ETIMEDOUT;
                return -1;
            }
        }
    }
    """
    Py_ssize_t receive "rv_receive"(
        int source, uint8_t *target, size_t size, int timeout_ms) noexcept nogil


cdef enum:
    PACKET_MAX = 0xFFFFFF


cdef struct Segment:
    uint32_t start
    uint32_t length


@cython.final
cdef class PacketSplitter:
    """Takes the packets of a text result set apart into rows (MySQL manual, "Text Resultset").

    `sequence_id` is the id that the first row packet carries. The end is an EOF packet, or the OK
    packet that stands for it, or an ERR packet.
    """

    cdef readonly bint finished
    cdef readonly int warning_count
    cdef readonly int status
    cdef readonly object error
    cdef bint failed
    cdef bint busy
    cdef uint8_t sequence_id
    cdef uint8_t header[4]
    cdef size_t header_bytes      # of the next packet's header
    cdef bint in_packet
    cdef uint32_t packet_length
    cdef uint32_t packet_left
    cdef bint is_end              # the packet is the last one
    cdef bint is_continued        # the next packet goes on with the row
    cdef uint64_t row_bytes       # of the row that is not complete
    cdef Output held              # what earlier feeds brought of it
    cdef Output end_packet
    cdef Output buffer            # what `receive` receives into
    cdef Output segments          # of one feed: where in it the rows' bytes are
    cdef Output ends
    cdef size_t complete_segments
    cdef uint64_t complete_bytes

    def __cinit__(self, int sequence_id):
        if not 0 <= sequence_id <= 0xFF:
            raise ValueError("a sequence id is one byte")
        self.sequence_id = sequence_id

    def __dealloc__(self):
        free(self.held.data)
        free(self.end_packet.data)
        free(self.buffer.data)
        free(self.segments.data)
        free(self.ends.data)

    def feed(self, data):
        """The rows that are complete now, and their ends; any slice of the stream will do.

        Raises ValueError where the bytes are not the protocol; no further feed is possible then.
        """
        cdef Batch batch
        self.check_usable()
        batch = Batch(data)
        self.busy = True
        self.failed = True    # until this feed has come to its end
        try:
            self.begin()
            with nogil:
                reason = self.scan(batch.data, 0, batch.length)
            result = self.take(reason, batch.data)
            self.failed = False
            return result
        finally:
            self.busy = False

    def receive(self, int descriptor, Py_ssize_t least, Py_ssize_t most, int timeout_ms):
        """Like `feed`, of what a socket brings: `least` bytes of the stream, less at its end, and
        up to `most` where they are there already.

        Raises ValueError like `feed`; EOFError where the other end is closed before the end of
        the result set; OSError, TimeoutError where nothing comes for so long (below 0: never).
        """
        cdef Reason reason = FINE
        cdef Py_ssize_t count = 1
        cdef size_t length = 0
        self.check_usable()
        if not 0 < least <= most or <uint64_t>most > LIMIT:
            raise ValueError("sizes from 1 byte to 4 GiB, the least one first")
        if not output_reserve(&self.buffer, most):
            raise MemoryError
        self.busy = True
        self.failed = True
        try:
            self.begin()
            while length < <size_t>most and not self.finished:
                with nogil:
                    while length < <size_t>most and not self.finished and reason == FINE:
                        count = receive(
                            descriptor, self.buffer.data + length, most - length,
                            timeout_ms if length < <size_t>least else 0,
                        )
                        if count <= 0:
                            break
                        reason = self.scan(self.buffer.data, length, length + count)
                        length += count
                if reason != FINE:
                    break
                if count == 0:
                    raise EOFError("the other end is closed")
                if count < 0 and errno == ETIMEDOUT and length >= <size_t>least:
                    break
                if count < 0 and errno == EINTR:
                    PyErr_CheckSignals()
                elif count < 0:
                    PyErr_SetFromErrno(OSError)
            result = self.take(reason, self.buffer.data)
            self.failed = False
            return result
        finally:
            self.busy = False

    cdef int check_usable(self) except -1:
        if self.failed:
            raise ValueError("the splitter has met malformed bytes before")
        if self.busy:
            raise RuntimeError("a splitter is used by one thread at a time")
        return 0

    cdef void begin(self) noexcept:
        """Nothing is found yet."""
        self.segments.length = 0
        self.ends.length = 0
        self.complete_segments = 0
        self.complete_bytes = 0

    cdef tuple take(self, Reason reason, const uint8_t *data):
        """(rows, their ends) of what has been found in `data`."""
        if reason != FINE:
            raise_reason(reason)
        rows = self.take_rows(data)
        ends = ends_array(&self.ends)
        if self.finished and self.end_packet.data[0] == 0xFF:
            self.error = PyBytes_FromStringAndSize(
                <char *>self.end_packet.data, self.end_packet.length
            )
        return rows, ends

    cdef Reason scan(
        self, const uint8_t *data, size_t position, size_t length
    ) noexcept nogil:
        """Finds rows in data[position:length]: where their bytes are, and their ends in the result.
        """
        cdef Reason reason
        while True:
            if not self.in_packet:
                if not self.scan_whole_packets(data, length, &position):
                    return NO_MEMORY
                if self.finished:
                    return FINE if position == length else BEHIND_END
                reason = self.open_packet(data, length, &position)
                if reason != FINE:
                    return reason
                if not self.in_packet:
                    return FINE
            reason = self.take_payload(data, length, &position)
            if reason != FINE:
                return reason
            if self.packet_left:
                return FINE
            reason = self.close_packet()
            if reason != FINE:
                return reason

    cdef bint scan_whole_packets(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        """Takes packets as long as each is here as a whole and is a whole row, as nearly all are.

        Whatever else stands there is for the slower way to judge. False: no memory.
        """
        cdef size_t at = position[0]
        cdef size_t size
        cdef uint32_t header
        cdef uint32_t end
        cdef Segment segment
        if self.header_bytes or self.is_continued or self.row_bytes or self.finished:
            return True
        while length - at > 4:
            header = load_little32(data + at)
            size = header & PACKET_MAX
            if (
                size == 0 or size == PACKET_MAX or size > length - at - 4 or data[at + 4] >= 0xFE
                or <uint8_t>(header >> 24) != self.sequence_id
                or self.complete_bytes + size > LIMIT
            ):
                break
            segment.start = <uint32_t>(at + 4)
            segment.length = <uint32_t>size
            self.complete_bytes += size
            end = <uint32_t>self.complete_bytes
            if not output_append_small(&self.segments, <uint8_t *>&segment, sizeof(Segment)):
                return False
            if not output_append_small(&self.ends, <uint8_t *>&end, 4):
                return False
            self.sequence_id = self.sequence_id + 1
            at += 4 + size
        self.complete_segments = self.segments.length // sizeof(Segment)
        position[0] = at
        return True

    cdef inline Reason open_packet(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        """Reads a header, and the byte behind it that tells rows from the end.

        `in_packet` stays False while they are not all here.
        """
        cdef uint8_t first = 0
        while self.header_bytes < 4 and position[0] < length:
            self.header[self.header_bytes] = data[position[0]]
            self.header_bytes += 1
            position[0] += 1
        if self.header_bytes < 4:
            return FINE
        self.packet_length = (
            self.header[0] | <uint32_t>self.header[1] << 8 | <uint32_t>self.header[2] << 16
        )
        if not self.is_continued:
            if self.packet_length == 0:
                return EMPTY_PACKET
            if position[0] == length:
                return FINE
            first = data[position[0]]
            self.is_end = first == 0xFF or (first == 0xFE and self.packet_length < PACKET_MAX)
            if self.is_end and not self.may_be_end(first):
                return MALFORMED_END
        # A server that shuts down sends its ERR packet with sequence id 0.
        if first != 0xFF and self.header[3] != self.sequence_id:
            return WRONG_SEQUENCE
        self.sequence_id = self.sequence_id + 1    # one byte: modulo 256
        self.header_bytes = 0
        self.packet_left = self.packet_length
        self.in_packet = True
        return FINE

    cdef bint may_be_end(self, uint8_t first) noexcept nogil:
        if first == 0xFF:
            return self.packet_length < PACKET_MAX
        return self.packet_length == 5 or self.packet_length >= 7

    cdef inline Reason take_payload(
        self, const uint8_t *data, size_t length, size_t *position
    ) noexcept nogil:
        cdef Segment segment
        cdef size_t take = self.packet_left
        if take > length - position[0]:
            take = length - position[0]
        if self.is_end:
            if not output_append(&self.end_packet, data + position[0], take):
                return NO_MEMORY
        elif take:
            segment.start = <uint32_t>position[0]
            segment.length = <uint32_t>take
            if not output_append(&self.segments, <uint8_t *>&segment, sizeof(Segment)):
                return NO_MEMORY
            self.row_bytes += take
            if self.row_bytes > LIMIT:
                return TOO_LONG
        position[0] += take
        self.packet_left -= <uint32_t>take
        return FINE

    cdef inline Reason close_packet(self) noexcept nogil:
        cdef uint32_t end
        self.in_packet = False
        if self.is_end:
            self.finished = True
            return self.read_end()
        self.is_continued = self.packet_length == PACKET_MAX
        if self.is_continued:
            return FINE
        self.complete_bytes += self.row_bytes
        if self.complete_bytes > LIMIT:
            return TOO_LONG
        self.row_bytes = 0
        self.complete_segments = self.segments.length // sizeof(Segment)
        end = <uint32_t>self.complete_bytes
        return FINE if output_append(&self.ends, <uint8_t *>&end, 4) else NO_MEMORY

    cdef Reason read_end(self) noexcept nogil:
        """Warnings and status, of an EOF packet or of the OK packet in its place."""
        cdef const uint8_t *data = self.end_packet.data
        cdef size_t length = self.end_packet.length
        cdef size_t position = 1
        cdef int i
        if data[0] == 0xFF:
            return FINE
        if length == 5:
            self.warning_count = data[1] | data[2] << 8
            self.status = data[3] | data[4] << 8
            return FINE
        for i in range(2):    # affected rows, last insert id
            if position >= length or data[position] == 0xFB or data[position] == 0xFF:
                return MALFORMED_END
            if data[position] < 0xFB:
                position += 1
            else:
                position += 3 if data[position] == 0xFC else 4 if data[position] == 0xFD else 9
        if position + 4 > length:
            return MALFORMED_END
        self.status = data[position] | data[position + 1] << 8
        self.warning_count = data[position + 2] | data[position + 3] << 8
        return FINE

    cdef bytes take_rows(self, const uint8_t *data):
        """The complete rows; what is left of a row is held for the next feed."""
        cdef Segment *segments = <Segment *>self.segments.data
        cdef size_t count = self.segments.length // sizeof(Segment)
        cdef bytes rows = PyBytes_FromStringAndSize(NULL, self.complete_bytes)
        cdef uint8_t *target = <uint8_t *>PyBytes_AS_STRING(rows)
        cdef size_t i
        cdef bint fine = True
        with nogil:
            if self.ends.length:
                if self.held.length:
                    target = put_bytes(self.held.data, self.held.length, target)
                output_clear(&self.held)
            for i in range(self.complete_segments):
                target = put_bytes(data + segments[i].start, segments[i].length, target)
            for i in range(self.complete_segments, count):
                fine = fine and output_append(
                    &self.held, data + segments[i].start, segments[i].length
                )
        if not fine:
            raise MemoryError
        return rows
