"""MB/s and rows/s of the kernel's inner loops, beside copying the same bytes.

    python -m benchmarks.micro [--megabytes N] [--repeat N] [--plain] [-o FILE]

Prints one JSON document: machine, versions, and per row size and operation the median.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from rowvault.codec import kernel, plain
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch, Value, encode_batch

SEED = 20_260_101
READ_BYTES = 1 << 19
PACKET_HEADER_BYTES = 4
RULE = CutRule(
    minimum=24 << 10,
    scale=96 << 10,
    maximum=384 << 10,
    cut_key=bytes(16),
    row_key=bytes(range(16)),
    gear_key=bytes(32),
)

RowMaker = Callable[[random.Random, int], tuple[Value, ...]]


@dataclass(frozen=True)
class Shape:
    """A kind of table."""

    name: str
    layout: RowLayout
    row: RowMaker


def narrow_row(rng: random.Random, number: int) -> tuple[Value, ...]:
    """About 20 bytes: three numbers."""
    return (b"%d" % (1_000_000 + number), b"%d" % rng.randrange(10**6), b"%d" % rng.randrange(999))


def sysbench_row(rng: random.Random, number: int) -> tuple[Value, ...]:
    """About 190 bytes, as sysbench makes them."""
    digits = b"%0120d" % rng.randrange(10**119)
    return (b"%d" % number, b"%d" % rng.randrange(10**6), digits[:119], digits[-59:])


def wide_row(rng: random.Random, number: int) -> tuple[Value, ...]:
    """About 4000 bytes: text with quotes in it, and a blob."""
    event = b'{"name": "it\'s", "value": %d}\n' % rng.randrange(10**9)
    return (b"%d" % number, event * 62, rng.randbytes(2000))


SHAPES = (
    Shape("20", RowLayout(b"\1\1\1", (b"",) * 3, (0,)), narrow_row),
    Shape("190", RowLayout(b"\1\1\2\2", (b"",) * 4, (0,)), sysbench_row),
    Shape("4000", RowLayout(b"\1\2\3", (b"",) * 3, (0,)), wide_row),
)


@dataclass(frozen=True)
class Table:
    """The same rows as a stream of packets, as batches of about a read, and as blocks."""

    layout: RowLayout
    raw: bytes
    row_count: int
    packets: bytes
    batches: list[RowBatch]
    blocks: list[RowBatch]


def packets_of(batch: RowBatch) -> bytes:
    """Each row a packet."""
    starts = [0, *batch.ends]
    return b"".join(
        (end - start).to_bytes(3, "little") + bytes((number & 0xFF,)) + batch.rows[start:end]
        for number, (start, end) in enumerate(zip(starts, batch.ends, strict=False))
    )


def make_table(shape: Shape, raw_bytes: int) -> Table:
    """Seeded rows of about so many bytes."""
    rng = random.Random(SEED)
    probe = encode_batch(shape.row(rng, number) for number in range(50))
    row_count = max(50, raw_bytes * 50 // len(probe.rows))
    whole = encode_batch(shape.row(rng, number) for number in range(row_count))
    packets = packets_of(whole)
    splitter = kernel.PacketSplitter(0)
    batches = [RowBatch(*splitter.feed(piece)) for piece in pieces(packets)]
    cutter = kernel.Cutter(shape.layout, RULE)
    cuts = [block for batch in batches for block in cutter.feed(*batch)] + cutter.finish()
    column_count = shape.layout.column_count
    blocks = [RowBatch(block[0], kernel.row_ends(block[0], column_count)) for block in cuts]
    return Table(shape.layout, whole.rows, row_count, packets, batches, blocks)


def pieces(data: bytes) -> Iterator[memoryview]:
    """The data as reads of up to 1 MiB."""
    view = memoryview(data)
    for start in range(0, len(data), READ_BYTES):
        yield view[start : start + READ_BYTES]


def copy(table: Table) -> None:
    """memcpy, as the yardstick."""
    target = bytearray(READ_BYTES)
    for piece in pieces(table.raw):
        target[: len(piece)] = piece


def operations(k: ModuleType) -> dict[str, Callable[[Table], None]]:
    """What is measured, of one kernel."""

    def split(table: Table) -> None:
        splitter = k.PacketSplitter(0)
        for piece in pieces(table.packets):
            splitter.feed(piece)

    def cut(table: Table) -> None:
        cutter = k.Cutter(table.layout, RULE)
        for batch in table.batches:
            cutter.feed(*batch)
        cutter.finish()

    def split_and_cut(table: Table) -> None:
        splitter, cutter = k.PacketSplitter(0), k.Cutter(table.layout, RULE)
        for piece in pieces(table.packets):
            cutter.feed(*splitter.feed(piece))
        cutter.finish()

    def rendered_length(table: Table) -> None:
        for batch in table.blocks:
            k.rendered_length(*batch, table.layout.kinds, table.layout.introducers)

    def render(table: Table) -> None:
        for batch in table.blocks:
            k.render_tuples(*batch, table.layout.kinds, table.layout.introducers)

    def row_ends(table: Table) -> None:
        for batch in table.blocks:
            k.row_ends(batch.rows, table.layout.column_count)

    def match(table: Table) -> None:
        matcher = k.RowMatcher(table.layout, RULE.row_key)
        for batch in table.batches:
            matcher.left(*batch)
            matcher.right(*batch)

    return {
        "memcpy": copy,
        "split": split,
        "cut": cut,
        "split_and_cut": split_and_cut,
        "rendered_length": rendered_length,
        "render": render,
        "row_ends": row_ends,
        "match_two_sides": match,
    }


def measure(work: Callable[[Table], None], table: Table, repeat: int) -> dict[str, float]:
    """The median of some runs, after one to warm up, in CPU time of one thread."""
    work(table)
    seconds = []
    for _ in range(repeat):
        start = time.thread_time()
        work(table)
        seconds.append(time.thread_time() - start)
    median = statistics.median(seconds)
    return {
        "mb_per_s": round(len(table.raw) / median / 1e6, 1),
        "rows_per_s": round(table.row_count / median),
        "seconds": round(median, 6),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=64, help="of rows for each size")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="the plain twin; take 0.1 megabytes")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    k: ModuleType = plain if options.plain else kernel
    results = {}
    for shape in SHAPES:
        table = make_table(shape, int(options.megabytes * 1e6))
        results[shape.name] = {
            "row_bytes": round(len(table.raw) / table.row_count, 1),
            "block_bytes": round(len(table.raw) / len(table.blocks)),
        } | {name: measure(work, table, options.repeat) for name, work in operations(k).items()}
    report = {
        "benchmark": "micro/kernel",
        "kernel": "plain" if options.plain else kernel.implementation,
        "seed": SEED,
        "megabytes": options.megabytes,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": sys.version.split()[0],
        },
        "results": results,
    }
    text = json.dumps(report, indent=2) + "\n"
    if options.output:
        options.output.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
