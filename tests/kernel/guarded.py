"""Feeds random and damaged bytes, walled in by forbidden pages, to both kernels.

    python tests/kernel/guarded.py SEED ROUNDS

The bytes end right in front of a page that must not be read, or begin right behind one, so that a
read outside of them ends the process by a signal. Both kernels must give the same result, or both
refuse. `violate` in place of SEED reads one byte too many, to show that the wall stands.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import random
import struct
import sys
from array import array
from collections.abc import Callable
from types import ModuleType

import msgspec

from rowvault.codec import compiled, plain
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import Value, encode_batch
from rowvault.core.model import ValueKind

ROOM_PAGES = 4
RULE = CutRule(30, 100, 300, bytes(range(16)), bytes(range(16)), bytes(range(32)))
LENGTHS = (0, 1, 2, 7, 8, 15, 16, 17, 33, 64, 250, 251, 252, 300, 700)
PROT_NONE = 0


class Walled:
    """Room between two forbidden pages."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, (ROOM_PAGES + 2) * mmap.PAGESIZE)
        self._view = memoryview(self._map)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        last = address + (ROOM_PAGES + 1) * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        for page in (address, last):
            if libc.mprotect(ctypes.c_void_p(page), mmap.PAGESIZE, PROT_NONE):
                raise OSError(ctypes.get_errno(), "mprotect")
        self._last = last

    def place(self, data: bytes, at_end: bool) -> memoryview:
        """`data`, touching the wall behind it or the wall before it."""
        start = mmap.PAGESIZE
        if at_end:
            start = (ROOM_PAGES + 1) * mmap.PAGESIZE - len(data)
        self._view[start : start + len(data)] = data
        return self._view[start : start + len(data)]

    def violate(self) -> None:
        """Reads a byte behind the room."""
        ctypes.string_at(self._last, 1)


def some_bytes(rng: random.Random) -> bytes:
    length = rng.choice(LENGTHS) if rng.random() < 0.3 else rng.randrange(20)
    pattern = rng.choice([b"x", b"\0", b"\\'", b"\n\r\x1a\t", rng.randbytes(5)])
    return (pattern * (length // len(pattern) + 1))[:length]


def some_value(rng: random.Random, kind: int) -> Value:
    if rng.random() < 0.1:
        return None
    if kind == ValueKind.NUMBER:
        return b"%d" % rng.randrange(-1000, 10**9)
    if kind == ValueKind.DYNAMIC:
        real = struct.pack(">d", rng.choice([rng.random() * 10 ** rng.randrange(300), -0.0, 1.0]))
        return rng.choice(
            [
                b"i%d" % rng.randrange(-9, 10**9),
                b"r" + real,
                b"t" + some_bytes(rng),
                b"b" + some_bytes(rng),
            ]
        )
    return some_bytes(rng)


def some_layout(rng: random.Random) -> RowLayout:
    kinds = bytes(rng.randint(1, 4) for _ in range(rng.randint(1, 4)))
    introducers = tuple(rng.choice([b"", b"_cp932 "]) for _ in kinds)
    columns = rng.sample(range(len(kinds)), rng.randint(0, len(kinds)))
    return RowLayout(kinds, introducers, tuple(columns))


def damage(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed, taken out or put in; often the bytes that introduce lengths."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(result) + 1)
        new = bytes(rng.choice([rng.randrange(256), *range(0xFB, 0x100)]) for _ in range(2))
        result[at : at + rng.randrange(3)] = new[: rng.randrange(3)]
    return bytes(result)


def damage_ends(rng: random.Random, ends: array[int]) -> array[int]:
    result = array("I", ends)
    for _ in range(rng.randint(0, 2)):
        if result:
            at = rng.randrange(len(result))
            result[at] = rng.choice([0, result[at] + 1, result[at] - 1, -1]) & 0xFFFFFFFF
    return result


def some_stream(rng: random.Random) -> bytes:
    """Packets with sequence ids, perhaps an end."""
    ends = [b"", b"\xfe\1\0\2\0", b"\xfe\0\0\2\0\1\0", b"\xff\x15\x04#08S01 going"]
    payloads = [some_bytes(rng) for _ in range(rng.randrange(6))] + [rng.choice(ends)]
    return b"".join(
        len(payload).to_bytes(3, "little") + bytes((number,)) + payload
        for number, payload in enumerate(filter(None, payloads))
    )


class Text(bytes):
    """Text that need not be valid UTF-8."""


def outcome(work: Callable[[], object]) -> str:
    try:
        return repr(work())
    except (ValueError, IndexError):
        return "refused"


def cut(kernel: ModuleType, layout: RowLayout, rows: memoryview, ends: memoryview) -> object:
    cutter = kernel.Cutter(layout, RULE)
    return cutter.feed(rows, ends) + cutter.finish()


def match(kernel: ModuleType, layout: RowLayout, rows: memoryview, ends: memoryview) -> object:
    matcher = kernel.RowMatcher(layout, RULE.row_key)
    matcher.left(rows, ends)
    matcher.right(rows, ends)
    matcher.left(rows, ends)
    return matcher.changed, matcher.pending, matcher.flush()


def split(kernel: ModuleType, pieces: list[memoryview], places: Walled, at_end: bool) -> object:
    splitter = kernel.PacketSplitter(0)
    fed = [splitter.feed(places.place(bytes(piece), at_end)) for piece in pieces]
    return fed, splitter.finished, splitter.error, splitter.warning_count, splitter.status


def said_length(
    rng: random.Random, raw: bytes, width: int, shape: tuple[bytes, tuple[bytes, ...]]
) -> int:
    """Mostly the length of the tuples, sometimes another one."""
    try:
        length = plain.rendered_length(raw, plain.row_ends(raw, width), *shape)
    except ValueError:
        return rng.randrange(100)
    return max(0, length + rng.choice([0, 0, 0, 1, -1, -7]))


def check_rows(rng: random.Random, data_room: Walled, ends_room: Walled) -> str:
    layout = some_layout(rng)
    rows = [tuple(some_value(rng, kind) for kind in layout.kinds) for _ in range(rng.randrange(6))]
    batch = encode_batch(rows)
    raw, row_ends = batch.rows, batch.ends
    if rng.random() < 0.7:
        raw = damage(rng, raw)
    if rng.random() < 0.3:
        row_ends = damage_ends(rng, row_ends)
    elif rng.random() < 0.5 and row_ends:
        row_ends[-1] = len(raw)
    if rng.random() < 0.1:
        layout = msgspec.structs.replace(some_layout(rng), key=())
    at_end = rng.random() < 0.6
    data = data_room.place(raw, at_end)
    ends = ends_room.place(row_ends.tobytes(), at_end).cast("I")
    width = layout.column_count
    shape = (layout.kinds, layout.introducers)
    said = said_length(rng, raw, width, shape)
    works: list[Callable[[ModuleType], object]] = [
        lambda k: k.row_ends(data, width),
        lambda k: k.row_values(data, width),
        lambda k: k.render_tuples(data, ends, layout.kinds, layout.introducers),
        lambda k: k.rendered_length(data, ends, layout.kinds, layout.introducers),
        lambda k: k.render_statement(data, *shape, b"(", b");", said),
        lambda k: k.render_csv(data, layout.kinds),
        lambda k: k.render_json_lines(data, layout.kinds, layout.introducers),
        lambda k: k.decode_values(data, ends, width, Text),
        lambda k: (k.siphash24(RULE.cut_key, data), k.row_hash(RULE.row_key, data)),
        lambda k: cut(k, layout, data, ends),
        lambda k: match(k, layout, data, ends),
        lambda k: k.render_lines(data, width),
    ]
    outcomes = []
    for work in works:
        fast, simple = (outcome(lambda k=k, w=work: w(k)) for k in (compiled, plain))
        assert fast == simple, (raw, row_ends, layout, fast, simple)
        outcomes.append(fast)
    return outcomes[9]


def check_stream(rng: random.Random, room: Walled) -> str:
    stream = some_stream(rng)
    if rng.random() < 0.6:
        stream = damage(rng, stream)
    cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(5)))
    edges = [0, *cuts, len(stream)]
    pieces = [memoryview(stream)[start:stop] for start, stop in itertools.pairwise(edges)]
    at_end = rng.random() < 0.6
    fast, simple = (outcome(lambda k=k: split(k, pieces, room, at_end)) for k in (compiled, plain))
    assert fast == simple, (stream, edges, fast, simple)
    return fast


def some_column(rng: random.Random, rows: int) -> list[Value]:
    """What one type of column would hold, sometimes with a stranger in it."""
    chosen = rng.choice(
        [
            lambda n: b"%d" % (n * 3 - 20),
            lambda n: b"%d.%02d" % (n * 7, n % 100),
            lambda n: b"SKU-%05d" % n,
            lambda n: b"2026-%02d-%02d" % (n % 13, n % 29 + 1),
            lambda n: b"2026-11-28 %02d:%02d:00.%03d" % (n % 24, n % 61, n),
            lambda n: b"%02d:%02d:59" % (n * 5, n % 60),
            lambda n: b"%d.%s" % (n % 3, b"5" * (n % 19)) if n % 3 else b"7",
            lambda n: (b"new", b"paid")[n % 2],
            lambda n: some_bytes(rng),
            lambda n: None,
        ]
    )
    column: list[Value] = [chosen(number) for number in range(rows)]
    if rng.random() < 0.3:
        column[rng.randrange(rows)] = rng.choice([None, some_bytes(rng)])
    return column


def check_columns(rng: random.Random, room: Walled) -> str:
    row_count = rng.choice([1, 2, 5, 40, 70, 130])
    columns = [some_column(rng, row_count) for _ in range(rng.randint(1, 4))]
    raw = encode_batch(zip(*columns, strict=True)).rows
    if rng.random() < 0.2:
        raw = damage(rng, raw)
    raw = raw[: ROOM_PAGES * mmap.PAGESIZE]
    at_end = rng.random() < 0.6
    rows = room.place(raw, at_end)
    fast, simple = (outcome(lambda k=k: k.arrange(rows, len(columns))) for k in (compiled, plain))
    assert fast == simple, (raw, len(columns), fast, simple)
    if fast in ("refused", "None"):
        return fast
    data = plain.arrange(raw, len(columns))[0]
    raw_bytes = len(raw)
    if rng.random() < 0.8:
        data = damage_arranged(rng, data)
        raw_bytes += rng.choice([0, 0, 0, 1, -1, 40])
    arranged = room.place(data[: ROOM_PAGES * mmap.PAGESIZE], at_end)
    fast, simple = (
        outcome(lambda k=k: k.restore_rows(arranged, raw_bytes)) for k in (compiled, plain)
    )
    assert fast == simple, (data, raw_bytes, fast, simple)
    return fast


def damage_arranged(rng: random.Random, data: bytes) -> bytes:
    """Mostly in the head, where counts and lengths stand."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(min(len(result), rng.choice([12, 60, len(result)])))
        result[at] = rng.choice([rng.randrange(256), result[at] ^ 1, 0, 0x80, 0xFF, 0xFC])
    if rng.random() < 0.2:
        del result[rng.randrange(len(result)) :]
    return bytes(result)


def some_records(rng: random.Random) -> list[bytes]:
    """Few different ids at both ends and some evenly spread ones, of several types."""
    ids = [*(n.to_bytes(16, "big") for n in range(3)), b"\xff" * 16, rng.randbytes(16)]
    return sorted(
        rng.choice([rng.choice(ids), rng.randbytes(16)])
        + rng.randbytes(12)
        + bytes((rng.choice([1, 1, 2]),))
        + rng.randbytes(3)
        for _ in range(rng.choice([0, 1, 2, 7, 60, 400]))
    )


def check_records(rng: random.Random, room: Walled, other_room: Walled) -> str:
    """What is not sorted is searched too, but then the two may find different records."""
    parts = [some_records(rng), some_records(rng)]
    is_sorted = rng.random() < 0.6
    if not is_sorted:
        for part in parts:
            rng.shuffle(part)
    asked = [one[:16] for part in parts for one in rng.sample(part, min(len(part), 9))]
    asked += [rng.randbytes(32), bytes(16), b"\xff" * 16]
    at_end = rng.random() < 0.6
    places = [
        one.place(b"".join(part), at_end)
        for one, part in zip((room, other_room), parts, strict=True)
    ]
    fast, simple = (k.RecordSearch(places).find(asked, 1) for k in (compiled, plain))
    assert fast == simple or not is_sorted, (parts, asked, fast, simple)
    ends, numbers_of_parts, numbers, records = fast
    start = 0
    for one, end in zip(asked, ends, strict=True):
        for at in range(start, end):
            record = records[at * 32 : at * 32 + 32]
            assert record == parts[numbers_of_parts[at]][numbers[at]]
            assert (record[:16], record[28]) == (one[:16], 1)
        start = end
    names = [(("one", "two") * 60), ()]
    return outcome(
        lambda: compiled.make_places(records, numbers_of_parts, names, ("x", "y"), 1, tuple)
    )


def main(arguments: list[str]) -> None:
    """Prints how many inputs were taken and how many refused."""
    data_room, ends_room = Walled(), Walled()
    if arguments[0] == "violate":
        data_room.violate()
    rng = random.Random(int(arguments[0]))
    outcomes = []
    for _ in range(int(arguments[1])):
        outcomes.append(check_rows(rng, data_room, ends_room))
        outcomes.append(check_stream(rng, data_room))
        outcomes.append(check_columns(rng, data_room))
        check_records(rng, data_room, ends_room)
    refused = outcomes.count("refused")
    print(len(outcomes) - refused, refused)


if __name__ == "__main__":
    main(sys.argv[1:])
