"""How a repository of ten million blocks opens, and how quickly it tells which blocks it has.

    python -m benchmarks.index [--blocks N] [--lookups N] [--directory DIR]

The index segments are made directly; a process of its own then opens the encrypted repository, and
looks up ids of which half are listed: in one batch, then one by one. A lookup ends with the places
of the block. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.scenario.machine import commit, load, machine
from blake3 import blake3

from rowvault.codec.frames import BlockType
from rowvault.core.ids import BlockId, PackName
from rowvault.repository import names
from rowvault.repository.index.index import segment_name
from rowvault.repository.index.seal import MAC_BYTES, SegmentSeal
from rowvault.repository.index.segment import PREFIX_BYTES, RECORD_BYTES, segment_head
from rowvault.repository.names import PackType
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage

PASSWORD = b"benchmark"
SEED = 1
SEGMENT_RECORDS = 1 << 22
"""The largest segment that a merge makes."""
BLOCKS_PER_PACK = 400
_RECORD = struct.Struct("<16sIIIBBBB")
_BUCKETS = 256


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index")
    parser.add_argument("--blocks", type=int, default=10**7)
    parser.add_argument("--lookups", type=int, default=10**5)
    parser.add_argument("--directory", type=Path, help="where the repository goes (TMPDIR)")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure)))
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        place = Path(directory)
        _build(place, options.blocks, options.lookups)
        child = [sys.executable, "-m", "benchmarks.index", "--measure", str(place)]
        runs = [json.loads(subprocess.check_output(child)) for _ in range(3)]
    result = {
        "scenario": "index",
        "commit": commit(Path(__file__).parent),
        "machine": machine(),
        "load": load(),
        "blocks": options.blocks,
        "lookups": options.lookups,
        "seed": SEED,
        "runs": runs,
    }
    print(json.dumps(result, indent=2))


def _build(place: Path, blocks: int, lookups: int) -> None:
    """An encrypted repository whose index lists so many blocks, and a file of ids to look up."""
    storage = LocalStorage(place / "vault")
    with Repository.create(storage, PASSWORD) as repository:
        seal = repository.internals.index.seal
    assert seal is not None
    chance = random.Random(SEED)
    wanted: list[bytes] = []
    for first in range(0, blocks, SEGMENT_RECORDS):
        count = min(SEGMENT_RECORDS, blocks - first)
        data = _segment(chance, count, seal)
        wanted += _some(data, count, lookups * count // (2 * blocks))
        storage.create(names.segment(segment_name(data)), data)
    wanted += [chance.randbytes(PREFIX_BYTES) for _ in range(lookups - len(wanted))]
    chance.shuffle(wanted)
    (place / "wanted").write_bytes(b"".join(one + bytes(PREFIX_BYTES) for one in wanted))


def _segment(chance: random.Random, count: int, seal: SegmentSeal) -> bytes:
    packs = [PackName(chance.randbytes(32).hex()) for _ in range(-(-count // BLOCKS_PER_PACK))]
    head = segment_head(packs, count, is_sealed=True)
    body = b"".join((head, *_records(chance, count, len(packs))))
    return body + seal.mac(blake3(body).digest())


def _records(chance: random.Random, count: int, packs: int) -> Iterator[bytes]:
    """In order: each bucket holds the ids that begin with one byte."""
    for bucket in range(_BUCKETS):
        many = count * (bucket + 1) // _BUCKETS - count * bucket // _BUCKETS
        ids = sorted(bytes((bucket,)) + chance.randbytes(PREFIX_BYTES - 1) for _ in range(many))
        yield b"".join(
            _RECORD.pack(
                one, chance.randrange(packs), 60, 4096, BlockType.DATA, 0, PackType.DATA, 0
            )
            for one in ids
        )


def _some(data: bytes, count: int, wanted: int) -> Iterator[bytes]:
    """Every so manyth id of a segment."""
    end = len(data) - MAC_BYTES
    step = max(1, count // max(1, wanted))
    starts = range(end - count * RECORD_BYTES, end, step * RECORD_BYTES)
    return (data[at : at + PREFIX_BYTES] for at in islice(starts, wanted))


def _measure(place: Path) -> dict[str, object]:
    """In a process of its own: open, look up all at once, then one by one.

    A lookup takes the id of a block and gives its places in packs, as the engine uses them.
    """
    data = (place / "wanted").read_bytes()
    ids = [BlockId(data[at : at + 32]) for at in range(0, len(data), 32)]
    before = _rss_anon_bytes()
    started = time.perf_counter()
    repository = Repository.open(LocalStorage(place / "vault"), lambda: PASSWORD)
    keyed = time.perf_counter()
    index = repository.internals.index
    index.refresh()
    opened = time.perf_counter()
    cpu_before = time.process_time()
    listed = sum(len(places) > 0 for places in index.find_all(BlockType.DATA, ids))
    looked_up, cpu_s = time.perf_counter(), time.process_time() - cpu_before
    one_by_one = sum(len(index.find(BlockType.DATA, one)) > 0 for one in ids)
    one_by_one_cpu_s = time.process_time() - cpu_before - cpu_s
    if listed != one_by_one:
        raise AssertionError(f"of the same blocks {listed} are listed, then {one_by_one}")
    return {
        "open_s": round(opened - started, 4),
        "of_which_key_s": round(keyed - started, 4),
        "lookups_s": round(looked_up - opened, 4),
        "lookups_cpu_s": round(cpu_s, 4),
        "one_by_one_s": round(time.perf_counter() - looked_up, 4),
        "one_by_one_cpu_s": round(one_by_one_cpu_s, 4),
        "listed": listed,
        "records": sum(len(one) for one in index.segments),
        "segments": len(index.segments),
        "rss_anon_bytes": _rss_anon_bytes(),
        "rss_anon_before_bytes": before,
    }


def _rss_anon_bytes() -> int:
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no RssAnon in /proc: not Linux")


if __name__ == "__main__":
    main()
