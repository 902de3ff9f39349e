"""Buffers: borrowed and returned, any kind of them, no leak, one thread at a time."""

from __future__ import annotations

import gc
import sys
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from kernel.strategies import RULE, SEEDED_LAYOUT, parts, seeded_batch
from rowvault.codec import compiled
from rowvault.codec.rows import encode_batch

BATCH = seeded_batch(0, 300)
LAYOUT = SEEDED_LAYOUT
WIDTH = LAYOUT.column_count


def packets(count: int) -> bytes:
    rows = [b"\x14" + b"v" * 20] * count
    return b"".join(b"\x15\0\0" + bytes((i & 0xFF,)) + row for i, row in enumerate(rows))


def test_any_buffer_will_do(kernel: ModuleType) -> None:
    whole = kernel.render_tuples(*BATCH, LAYOUT.kinds, LAYOUT.introducers)
    for rows in (BATCH.rows, bytearray(BATCH.rows), memoryview(b"x" + BATCH.rows)[1:]):
        for ends in (BATCH.ends, memoryview(BATCH.ends)):
            assert kernel.render_tuples(rows, ends, LAYOUT.kinds, LAYOUT.introducers) == whole
            assert kernel.Cutter(LAYOUT, RULE).feed(rows, ends)
    assert kernel.PacketSplitter(0).feed(bytearray(packets(3)))[1] == array("I", [21, 42, 63])


@pytest.mark.parametrize("ends", [array("i", [2]), array("Q", [2]), b"\2\0\0\0"])
def test_ends_of_another_type_are_refused(kernel: ModuleType, ends: object) -> None:
    with pytest.raises(ValueError, match="type code"):
        kernel.render_tuples(b"\1a", ends, b"\2", (b"",))


def test_what_is_no_contiguous_buffer_is_refused(kernel: ModuleType) -> None:
    with pytest.raises(BufferError):
        kernel.row_ends(memoryview(b"\1_a_")[::2], 1)
    with pytest.raises(BufferError):
        kernel.rendered_length(b"\1a", memoryview(array("I", [2, 9, 9, 9]))[::2], b"\2", (b"",))
    with pytest.raises(TypeError):
        kernel.row_ends("text", 1)
    with pytest.raises(TypeError):
        kernel.row_ends(5, 1)


def test_buffers_are_given_back(kernel: ModuleType) -> None:
    """A bytearray that is still lent cannot grow."""
    rows, ends = bytearray(BATCH.rows), array("I", BATCH.ends)
    stream = bytearray(packets(2))
    kernel.Cutter(LAYOUT, RULE).feed(rows, ends)
    kernel.PacketSplitter(0).feed(stream)
    with pytest.raises(ValueError, match="row"):
        kernel.Cutter(LAYOUT, RULE).feed(rows[1:], ends)
    with pytest.raises(ValueError, match=r"sequence|due"):
        kernel.PacketSplitter(9).feed(stream)
    with pytest.raises(ValueError, match="type code"):
        kernel.rendered_length(rows, rows, LAYOUT.kinds, LAYOUT.introducers)
    rows.append(0)
    stream.append(0)
    ends.append(0)


def test_results_do_not_hang_on_the_input(kernel: ModuleType) -> None:
    rows = bytearray(BATCH.rows)
    blocks = kernel.Cutter(LAYOUT, RULE).feed(rows, BATCH.ends)
    before = [bytes(block[0]) for block in blocks]
    rows[:] = bytes(len(rows))
    assert [block[0] for block in blocks] == before


def private_bytes() -> int:
    """RssAnon of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon in /proc/self/status")


def cut_and_drop() -> None:
    cutter = compiled.Cutter(LAYOUT, RULE)
    for batch in parts(BATCH, [50, 120]):
        cutter.feed(*batch)


def split_and_drop() -> None:
    splitter = compiled.PacketSplitter(0)
    splitter.feed(packets(2000) + b"\xff\xff")


def match_and_drop() -> None:
    matcher = compiled.RowMatcher(LAYOUT, RULE.row_key)
    matcher.left(*BATCH)


def render() -> None:
    compiled.render_tuples(*BATCH, LAYOUT.kinds, LAYOUT.introducers)
    compiled.rendered_length(*BATCH, LAYOUT.kinds, LAYOUT.introducers)
    compiled.row_ends(BATCH.rows, WIDTH)
    compiled.render_lines(BATCH.rows, WIDTH)


def convert_values() -> None:
    rows = [(i, i / 7, "text %d" % i, b"blob" * 9, None) for i in range(100)]  # noqa: UP031
    compiled.decode_values(*compiled.encode_values(rows), 5, bytes)


def refuse() -> None:
    broken = encode_batch([(b"1",)] * 200)
    for work in (
        lambda: compiled.Cutter(LAYOUT, RULE).feed(*broken),
        lambda: compiled.render_tuples(*broken, LAYOUT.kinds, LAYOUT.introducers),
        lambda: compiled.decode_values(*broken, 1, bytes),
        lambda: compiled.render_lines(broken.rows, 3),
        lambda: compiled.RowMatcher(LAYOUT, RULE.row_key).left(*broken),
        lambda: compiled.PacketSplitter(0).feed(packets(2000) + bytes(9)),
        lambda: compiled.Cutter(LAYOUT, None),
        lambda: compiled.encode_values([(bytes(9999), ...)]),
    ):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            work()


@pytest.mark.parametrize(
    "work",
    [cut_and_drop, split_and_drop, match_and_drop, render, convert_values, refuse],
)
def test_nothing_leaks(work: Callable[[], None]) -> None:
    """Each round touches 10 to 60 KB; a leak of a tenth of it would show."""
    for _ in range(50):
        work()
    gc.collect()
    before = private_bytes()
    for _ in range(1500):
        work()
    gc.collect()
    assert private_bytes() - before < 1_500_000


def test_references_stay_counted() -> None:
    marker = object.__new__(type("Marker", (), {}))
    none_before, before = sys.getrefcount(None), sys.getrefcount(marker)
    data, ends = compiled.encode_values([(None, b"x")] * 1000)
    for _ in range(20):
        decoded = compiled.decode_values(data, ends, 2, lambda raw: marker)
        assert decoded[0] == (None, b"x")
    text, ends = encode_batch([(b"t\xff",)] * 1000)
    decoded = compiled.decode_values(text, ends, 1, lambda raw: marker)
    assert sys.getrefcount(marker) == before + 1000
    del decoded
    assert sys.getrefcount(marker) == before
    assert abs(sys.getrefcount(None) - none_before) < 500


def test_two_threads_at_one_object_are_told_so_or_served_in_turn() -> None:
    """Never a crash: the one that comes second is refused while the first is at work."""
    cutter = compiled.Cutter(LAYOUT, RULE)
    large = seeded_batch(0, 20_000)
    refused = []

    def feed() -> None:
        for _ in range(40):
            try:
                cutter.feed(*large)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=feed) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(refused) <= {"a cutter is used by one thread at a time"}
    assert cutter.finish()
