"""How fast a mounted repository reads: figures beside the bounds that they must keep.

    python -m benchmarks.scenario.mount_read [--text-bytes N] [--tables N] [--vault DIR] [-o FILE]

Makes an encrypted repository with one large and many small tables (`--vault` keeps it for the next
run), mounts it anew for each figure, and prints a line for each on stderr and one JSON document on
stdout. The files of the repository are in the system's cache, as they are behind a backup.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scenario.data import positive
from benchmarks.scenario.figures import Line, line_documents
from benchmarks.scenario.machine import commit, kernel_in_use, load, machine, versions
from benchmarks.scenario.measure import MemoryWatch, process_tree
from benchmarks.scenario.mount_vault import LARGE, MANY, fill

from rowvault.repository.crypto.key_slot import Argon2Parameters
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage

PASSWORD = "benchmark"
ENVIRONMENT = {"ROWVAULT_PASSWORD": PASSWORD}
ROWVAULT = Path(sys.executable).parent / "rowvault"
READ_BYTES = 1 << 20
RANDOM_READS = 300
RANDOM_BYTES = 4096


@dataclass(slots=True)
class Mount:
    """A mount that stands, and what its process takes."""

    directory: Path
    snapshot: Path
    pid: int
    ready_at: float
    """On the monotonic clock."""

    def cpu_s(self) -> float:
        """User and system time so far of the serving process and of those that decode for it."""
        ticks = 0
        for pid in process_tree(self.pid):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


class Bench:
    """Takes the figures of one repository."""

    def __init__(self, vault: Path, place: Path) -> None:
        self._vault = vault
        self._place = place
        self.peak_bytes = 0
        self.details: dict[str, object] = {}

    @contextmanager
    def mounted(self) -> Iterator[Mount]:
        """A fresh mount, whose memory is watched until it ends."""
        command = [str(ROWVAULT), "-r", str(self._vault), "mount", str(self._place), "-f"]
        process = subprocess.Popen(
            command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE
        )
        watch = MemoryWatch(process.pid)
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if b"mounted" not in said:
                raise RuntimeError(f"the mount did not stand: {said!r}")
            ready_at = time.monotonic()
            name = os.readlink(self._place / "latest")
            yield Mount(self._place, self._place / name, process.pid, ready_at)
        finally:
            process.terminate()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
            watch.stop()
            self.peak_bytes = max(self.peak_bytes, watch.peak_bytes)

    def first_byte(self, runs: int) -> Line:
        """From the mount's ready message, behind the unlocking, to the first byte of a table."""
        seconds = []
        for _ in range(runs):
            with self.mounted() as mount, open(large_file(mount), "rb", buffering=0) as file:
                file.read(1)
                seconds.append(time.monotonic() - mount.ready_at)
        self.details["first_byte_s"] = seconds
        return Line("first byte after unlock, fresh mount", median(seconds) * 1e3, "ms", 50)

    def sequential(self, runs: int) -> Line:
        """The large file from its beginning to its end."""
        rates, cpu = [], []
        for _ in range(runs):
            with self.mounted() as mount:
                path, before = large_file(mount), mount.cpu_s()
                started, size = time.monotonic(), read_through(path)
                rates.append(size / (time.monotonic() - started) / 1e6)
                cpu.append((mount.cpu_s() - before) / (size / 1e9))
        self.details["sequential_mb_per_s"] = rates
        self.details["sequential_cpu_s_per_gb"] = cpu
        self.details["sequential_bytes"] = size
        return Line("sequential read of a table file", max(rates), "MB/s", 300, at_least=True)

    def random_reads(self) -> Line:
        """4 KiB at random offsets, none of them read before."""
        rng = random.Random(1)
        seconds = []
        with self.mounted() as mount, open(large_file(mount), "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            before = mount.cpu_s()
            for _ in range(RANDOM_READS):
                offset = rng.randrange(size - RANDOM_BYTES)
                started = time.monotonic()
                os.pread(file.fileno(), RANDOM_BYTES, offset)
                seconds.append(time.monotonic() - started)
            self.details["random_cpu_ms"] = (mount.cpu_s() - before) / RANDOM_READS * 1e3
        self.details["random_99th_ms"] = sorted(seconds)[-RANDOM_READS // 100] * 1e3
        return Line("4 KiB at a random offset, median", median(seconds) * 1e3, "ms", 10)

    def listing(self, tables: int, runs: int) -> Line:
        """`ls -l` of the database of many tables, in a fresh mount."""
        seconds, cpu = [], []
        for _ in range(runs):
            with self.mounted() as mount:
                before, started = mount.cpu_s(), time.monotonic()
                shown = subprocess.run(
                    ["ls", "-l", str(mount.snapshot / MANY)], capture_output=True, check=True
                )
                seconds.append(time.monotonic() - started)
                cpu.append(mount.cpu_s() - before)
                if shown.stdout.count(b".sql\n") != tables:
                    raise RuntimeError("ls did not show all tables")
        self.details["listing_s"] = seconds
        self.details["listing_cpu_s"] = cpu
        return Line(f"ls -l of {tables} tables, fresh mount", median(seconds), "s", 1)

    def top_listing(self) -> Line:
        """`ls -l` of the snapshot, all.sql with its size, in a fresh mount."""
        with self.mounted() as mount:
            started = time.monotonic()
            subprocess.run(["ls", "-l", str(mount.snapshot)], capture_output=True, check=True)
            return Line("ls -l of the snapshot itself", time.monotonic() - started, "s", 1)

    def lines(self, tables: int, runs: int) -> list[Line]:
        """All figures; memory is the largest of all mounts."""
        taken = [
            self.first_byte(runs),
            self.sequential(runs),
            self.random_reads(),
            self.listing(tables, runs),
            self.top_listing(),
        ]
        return [*taken, Line("RssAnon, peak", self.peak_bytes / (1 << 20), "MiB", 256)]


def large_file(mount: Mount) -> Path:
    """The file of the large table."""
    database, table = LARGE
    return mount.snapshot / database / f"{table}.sql"


def read_through(path: Path) -> int:
    """Reads a file into one buffer again and again; its length."""
    buffer = bytearray(READ_BYTES)
    total = 0
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            total += count
        if total != os.fstat(file.fileno()).st_size:
            raise RuntimeError("the file is not as long as its st_size")
    return total


def median(values: list[float]) -> float:
    """Of at least one."""
    return statistics.median(values)


def make_vault(vault: Path, text_bytes: int, tables: int) -> None:
    """Unless it is there already."""
    if (vault / "snapshots").exists():
        return
    storage = LocalStorage(vault)
    cost = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
    with Repository.create(storage, PASSWORD.encode(), cost=cost) as repository:
        fill(repository, text_bytes, tables)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenario.mount_read")
    parser.add_argument(
        "--text-bytes", type=positive, default=1 << 30, help="of the large table's SQL"
    )
    parser.add_argument("--tables", type=positive, default=10_000)
    parser.add_argument("--runs", type=positive, default=3)
    parser.add_argument("--vault", type=Path, help="a repository made by an earlier run, or to be")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "mount"
        place.mkdir()
        vault = (options.vault or Path(directory) / "vault").absolute()
        make_vault(vault, options.text_bytes, options.tables)
        before = load()
        bench = Bench(vault, place)
        lines = bench.lines(options.tables, options.runs)
    for line in lines:
        print(line, file=sys.stderr)
    report = {
        "scenario": "mount_read",
        "commit": commit(Path(__file__).parents[2]),
        "machine": machine(),
        "versions": versions(str(ROWVAULT)),
        "kernel": kernel_in_use(str(ROWVAULT), {}),
        "load_before": before,
        "load_after": load(),
        "lines": line_documents(lines),
        "details": bench.details,
    }
    text = json.dumps(report, indent=2) + "\n"
    if options.output:
        options.output.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
