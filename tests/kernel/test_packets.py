"""Packets of a result set into rows."""

from __future__ import annotations

import itertools
import socket
import threading
from array import array
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import compiled, plain

PACKET_MAX = 0xFFFFFF
EOF_PACKET = b"\xfe\x03\x00\x22\x00"
OK_PACKET = b"\xfe\x00\x00\x22\x00\x03\x00"
ERR_PACKET = b"\xff\x25\x05#70100Query execution was interrupted"


def packet(payload: bytes, sequence_id: int) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes((sequence_id & 0xFF,)) + payload


def stream(payloads: list[bytes], sequence_id: int = 0) -> bytes:
    """Payloads as the server sends them: those of 16 MiB and more in several packets."""
    packets = []
    for payload in payloads:
        for start in range(0, len(payload) + 1, PACKET_MAX):
            packets.append(packet(payload[start : start + PACKET_MAX], sequence_id))
            sequence_id += 1
    return b"".join(packets)


def ends_of(rows: list[bytes]) -> array[int]:
    ends = array("I")
    for row in rows:
        ends.append((ends[-1] if ends else 0) + len(row))
    return ends


def slices(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(edges)]


def split_all(kernel: ModuleType, pieces: list[bytes], sequence_id: int = 0) -> tuple[object, ...]:
    """(rows, finished, error, warnings, status) of a whole stream."""
    splitter = kernel.PacketSplitter(sequence_id)
    rows = []
    for piece in pieces:
        data, ends = splitter.feed(piece)
        starts = [0, *ends]
        rows += [data[start:stop] for start, stop in zip(starts, ends, strict=False)]
    return rows, splitter.finished, splitter.error, splitter.warning_count, splitter.status


@given(
    rows=st.lists(st.binary(min_size=1, max_size=30).filter(lambda r: r[0] < 0xFE), max_size=20),
    end=st.sampled_from([EOF_PACKET, OK_PACKET]),
    first_id=st.integers(0, 255),
    cuts=st.lists(st.integers(0, 700), max_size=30),
)
def test_rows_come_out_whole_however_the_stream_is_read(
    kernel: ModuleType, rows: list[bytes], end: bytes, first_id: int, cuts: list[int]
) -> None:
    pieces = slices(stream([*rows, end], first_id), cuts)
    assert split_all(kernel, pieces, first_id) == (rows, True, None, 3, 0x22)


def test_each_feed_gives_what_is_complete(kernel: ModuleType) -> None:
    splitter = kernel.PacketSplitter(3)
    data = stream([b"\x03abc", b"\x01x"], 3)
    assert splitter.feed(data[:-1]) == (b"\x03abc", array("I", [4]))
    assert splitter.feed(b"") == (b"", array("I"))
    assert splitter.feed(data[-1:]) == (b"\x01x", array("I", [2]))
    assert not splitter.finished


def test_a_stream_byte_by_byte(kernel: ModuleType) -> None:
    rows = [b"\x01%c" % i for i in range(200)]
    data = stream([*rows, EOF_PACKET])
    assert split_all(kernel, [data[i : i + 1] for i in range(len(data))])[0] == rows


@pytest.mark.parametrize("length", [PACKET_MAX - 1, PACKET_MAX, PACKET_MAX + 1, 2 * PACKET_MAX])
@pytest.mark.parametrize("read_bytes", [1 << 20, 1 << 26])
def test_a_row_of_several_packets(kernel: ModuleType, length: int, read_bytes: int) -> None:
    """Its length is announced by 0xFE, as an EOF packet is."""
    value_bytes = length - 9 if length > PACKET_MAX else length - 4
    prefix = b"\xfe" + value_bytes.to_bytes(8, "little") if length > PACKET_MAX else b"\xfd..."
    row = prefix + b"v" * value_bytes
    data = stream([b"\x01a", row, b"\x01b", EOF_PACKET])
    pieces = [data[i : i + read_bytes] for i in range(0, len(data), read_bytes)]
    rows, finished, *_ = split_all(kernel, pieces)
    assert finished
    assert rows == [b"\x01a", row, b"\x01b"]


def test_a_row_of_exactly_one_full_packet_that_starts_with_0xfe(kernel: ModuleType) -> None:
    row = b"\xfe" + bytes(PACKET_MAX - 1)
    assert split_all(kernel, [stream([row, OK_PACKET])])[0] == [row]


def test_bytes_of_the_end_inside_a_continued_row_are_row(kernel: ModuleType) -> None:
    row = bytes(PACKET_MAX) + EOF_PACKET
    assert split_all(kernel, [stream([row, EOF_PACKET])])[0] == [row]
    row = bytes(PACKET_MAX) + ERR_PACKET
    assert split_all(kernel, [stream([row, EOF_PACKET])])[0] == [row]


@pytest.mark.parametrize("sequence_id", [2, 0, 77])
def test_an_error_in_mid_stream_is_kept_with_the_rows_before(
    kernel: ModuleType, sequence_id: int
) -> None:
    """A server that shuts down sends it with sequence id 0."""
    data = stream([b"\x01a", b"\x01b"]) + packet(ERR_PACKET, sequence_id)
    assert split_all(kernel, [data]) == ([b"\x01a", b"\x01b"], True, ERR_PACKET, 0, 0)
    assert split_all(kernel, [data[:20], data[20:]])[2] == ERR_PACKET


def test_an_ok_packet_with_long_figures_and_a_message(kernel: ModuleType) -> None:
    payload = b"\xfe\xfc\x00\x01\xfd\x00\x00\x01\x02\x00\x01\x00" + b"session state" * 30
    assert split_all(kernel, [stream([payload])]) == ([], True, None, 1, 2)
    payload = b"\xfe\x00\xfe" + bytes(8) + b"\x02\x00\xff\xff"
    assert split_all(kernel, [stream([payload])]) == ([], True, None, 0xFFFF, 2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (packet(b"\x01a", 1), "sequence|due"),
        (packet(b"\x01a", 0) + packet(b"\x01a", 0), "sequence|due"),
        (packet(b"", 0), "empty packet"),
        (packet(EOF_PACKET, 1), "sequence|due"),
        (packet(EOF_PACKET, 0) + b"\0", "behind the end"),
        (packet(ERR_PACKET, 0) + b"\0", "behind the end"),
        (packet(b"\xfe", 0), "malformed"),
        (packet(b"\xfe\0\0", 0), "malformed"),
        (packet(b"\xfe\0\0\0\0\0", 0), "malformed"),
        (packet(b"\xfe\xfb\0\0\0\0\0", 0), "malformed"),
        (packet(b"\xfe\0\xff\0\0\0\0", 0), "malformed"),
        (packet(b"\xfe\0\xfe\0\0\0\0", 0), "malformed"),
        (packet(b"\xfe\xfc\0\0\0\0\0", 0), "malformed"),
        (b"\xff\xff\xff\x00\xff", "malformed"),
        (packet(bytes(PACKET_MAX), 0) + packet(b"", 0), "sequence|due"),
    ],
)
def test_what_is_not_the_protocol_is_refused(kernel: ModuleType, data: bytes, said: str) -> None:
    splitter = kernel.PacketSplitter(0)
    with pytest.raises(ValueError, match=said):
        splitter.feed(data)
    with pytest.raises(ValueError, match="before"):
        splitter.feed(b"")


def test_nothing_may_come_behind_the_end_in_a_later_feed(kernel: ModuleType) -> None:
    splitter = kernel.PacketSplitter(0)
    splitter.feed(stream([EOF_PACKET]))
    assert splitter.feed(b"") == (b"", array("I"))
    with pytest.raises(ValueError, match="behind the end"):
        splitter.feed(b"\0")


@pytest.mark.parametrize("sequence_id", [-1, 256])
def test_a_sequence_id_is_one_byte(kernel: ModuleType, sequence_id: int) -> None:
    with pytest.raises(ValueError, match="one byte"):
        kernel.PacketSplitter(sequence_id)


@st.composite
def damaged_streams(draw: st.DrawFn) -> bytes:
    """A stream with a few bytes changed, taken out or put in."""
    end = draw(st.sampled_from([b"", EOF_PACKET, OK_PACKET, ERR_PACKET]))
    rows = draw(st.lists(st.binary(min_size=1, max_size=12), max_size=8))
    data = bytearray(stream([*rows, end] if end else rows))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


@given(data=damaged_streams() | st.binary(max_size=60), cuts=st.lists(st.integers(0, 200)))
def test_both_kernels_agree_on_any_bytes(data: bytes, cuts: list[int]) -> None:
    fast, simple = compiled.PacketSplitter(0), plain.PacketSplitter(0)
    for piece in slices(data, cuts):
        results: list[object] = []
        for splitter in (fast, simple):
            try:
                results.append(splitter.feed(piece))
            except ValueError:
                results.append("refused")
        assert results[0] == results[1]
        if results[0] == "refused":
            break
        for name in ("finished", "error", "warning_count", "status"):
            assert getattr(fast, name) == getattr(simple, name)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets: to send with, and to receive from."""
    sending, receiving = socket.socketpair()
    with sending, receiving:
        yield sending, receiving


Ends = tuple[socket.socket, socket.socket]


@pytest.mark.parametrize(
    ("least", "most", "count"),
    [
        (1, 1, 3),
        (7, 7, 3),
        (1, 64, 3000),
        (64, 64, 3000),
        (9, 1 << 20, 3000),
        (1 << 20, 1 << 20, 3000),
    ],
)
def test_rows_come_from_a_socket_as_from_feeds(
    kernel: ModuleType, ends: Ends, least: int, most: int, count: int
) -> None:
    expected = [b"%d" % number * (1 + number % 40) for number in range(count)]
    data = stream([*expected, EOF_PACKET], 1)
    sender = threading.Thread(target=ends[0].sendall, args=(data,))
    sender.start()
    splitter = kernel.PacketSplitter(1)
    rows: list[bytes] = []
    while not splitter.finished:
        found, stops = splitter.receive(ends[1].fileno(), least, most, 10_000)
        starts = [0, *stops]
        rows += [found[start:stop] for start, stop in zip(starts, stops, strict=False)]
    sender.join()
    assert rows == expected
    assert (splitter.error, splitter.warning_count, splitter.status) == (None, 3, 0x22)


def test_what_a_feed_left_goes_on_in_a_receive(kernel: ModuleType, ends: Ends) -> None:
    data = stream([b"abc", b"defg", EOF_PACKET], 5)
    splitter = kernel.PacketSplitter(5)
    assert splitter.feed(data[:9]) == (b"abc", array("I", [3]))
    ends[0].sendall(data[9:])
    assert splitter.receive(ends[1].fileno(), 4, 4, 10_000) == (b"", array("I"))
    assert splitter.receive(ends[1].fileno(), 1000, 1000, 10_000) == (b"defg", array("I", [4]))
    assert splitter.finished


def test_no_more_is_waited_for_than_is_asked_for(kernel: ModuleType, ends: Ends) -> None:
    data = stream([b"abc", b"defg", EOF_PACKET], 5)
    splitter = kernel.PacketSplitter(5)
    ends[0].sendall(data[:17])
    assert splitter.receive(ends[1].fileno(), 7, 1000, 10_000) == (b"abcdefg", array("I", [3, 7]))
    with pytest.raises(TimeoutError):
        splitter.receive(ends[1].fileno(), 1, 1000, 1)


def test_an_end_that_does_not_come_is_told(kernel: ModuleType, ends: Ends) -> None:
    ends[0].sendall(stream([b"abc"]))
    with pytest.raises(TimeoutError):
        kernel.PacketSplitter(0).receive(ends[1].fileno(), 100, 100, 1)
    splitter = kernel.PacketSplitter(0)
    ends[0].close()
    with pytest.raises(EOFError):
        splitter.receive(ends[1].fileno(), 100, 100, 10_000)
    with pytest.raises(ValueError, match="before"):
        splitter.feed(b"")


def test_what_is_no_protocol_and_no_socket_is_refused(kernel: ModuleType, ends: Ends) -> None:
    ends[0].sendall(stream([b"abc"], 7))
    with pytest.raises(ValueError, match=r"7|sequence"):
        kernel.PacketSplitter(0).receive(ends[1].fileno(), 100, 100, 10_000)
    for least, most in ((0, 0), (0, 1), (-1, -1), (2, 1), (1 << 33, 1 << 33), (1, 1 << 33)):
        with pytest.raises(ValueError, match="size"):
            kernel.PacketSplitter(0).receive(ends[1].fileno(), least, most, 10_000)
    gone = ends[1].fileno()
    ends[1].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        kernel.PacketSplitter(0).receive(gone, 100, 100, 10_000)
