"""What is stored of first snapshots by column, beside rows at zstd 1 and 3, and beside restic.

    python -m benchmarks.columns [--megabytes N] [--sakila DIR] [-o FILE]

Databases: the shop, sysbench-like rows, a table of JSON documents, and sakila where its folder is
named. Each is backed up into a repository of its own and, as mariadb-dump writes it, into restic's,
and the sums of file sizes are compared. Then the blocks are encoded once more, by turns, in one
thread, and the processor's time is taken.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.scenario.machine import commit, load, machine, versions
from benchmarks.scenario.measure import file_bytes
from benchmarks.scenario.peers import Dump, Restic, Rowvault, rowvault_program
from tests.support.mariadb import MariaDBServer
from tests.support.shop import fill_shop, sysbench_like

from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.compression import compress
from rowvault.codec.frames import encode_payload
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage

SYSBENCH_ROWS_PER_MEGABYTE = 5000
DOCUMENTS_PER_MEGABYTE = 2000
ROUNDS = 3


class Block(NamedTuple):
    """Whole rows, and how many columns they have."""

    raw: bytes
    column_count: int


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=64, help="of SQL for each database")
    parser.add_argument("--sakila", type=Path, help="folder with the sample database's two files")
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args(arguments)
    with ExitStack() as opened:
        directory = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        server = opened.enter_context(MariaDBServer(directory / "server"))
        databases = list(_fill(server, options.megabytes, options.sakila))
        results = {
            database: _measure(server, directory / database, database) for database in databases
        }
    report = {
        "benchmark": "columns",
        "commit": commit(Path(__file__).parents[2]),
        "megabytes": options.megabytes,
        "machine": machine(),
        "load": load(),
        "versions": versions(rowvault_program()),
        "results": results,
    }
    text = json.dumps(report, indent=2) + "\n"
    if options.output:
        options.output.write_text(text)
    print(text, end="")


def _fill(server: MariaDBServer, megabytes: float, sakila: Path | None) -> Iterator[str]:
    with server.connect(autocommit=False) as connection:
        fill_shop(connection, megabytes, seed=1)
        yield "shop"
        rows = int(megabytes * SYSBENCH_ROWS_PER_MEGABYTE)
        sysbench_like(connection, rows, tables=1, incompressible_half=False, database="sysbench")
        yield "sysbench"
    documents = int(megabytes * DOCUMENTS_PER_MEGABYTE)
    server.execute(
        "CREATE DATABASE documents CHARACTER SET utf8mb4",
        "CREATE TABLE documents.documents (id INT PRIMARY KEY AUTO_INCREMENT, document JSON)",
        "INSERT INTO documents.documents (document)"
        f" SELECT document FROM shop.events ORDER BY id LIMIT {documents}",
    )
    yield "documents"
    if sakila is not None:
        for name in ("sakila-mv-schema.sql", "sakila-mv-data.sql"):
            script = (sakila / name).read_bytes()
            subprocess.run(server.client, input=script, check=True, stdout=subprocess.DEVNULL)
        yield "sakila"


def _measure(server: MariaDBServer, directory: Path, database: str) -> dict[str, object]:
    directory.mkdir()
    vault = Rowvault(directory, server.socket_url, database, workers=2, encrypted=True)
    vault.start_anew()
    vault.back_up()
    restic = Restic(directory, Dump(directory, server.socket, database))
    restic.start_anew()
    restic.back_up()
    ours, theirs = file_bytes(directory / "rowvault"), file_bytes(directory / "restic")
    vault = Rowvault(directory, server.socket_url, database, workers=2, encrypted=False)
    vault.start_anew()
    vault.back_up()
    blocks = list(_blocks(directory / "rowvault"))
    return {
        "rowvault_bytes": ours,
        "restic_bytes": theirs,
        "rowvault_by_restic": round(ours / theirs, 3),
        "raw_bytes": sum(len(block.raw) for block in blocks),
        "blocks": len(blocks),
        **_encodings(blocks),
    }


def _blocks(place: Path) -> Iterator[Block]:
    with Repository.open(LocalStorage(place), bytes) as repository:
        for record in repository.manifest(repository.find("latest")).tables():
            for entry in repository.tree(record.root).entries():
                if not entry.fragment:
                    yield Block(repository.read_data(entry.id), len(record.definition.columns))


def _encodings(blocks: list[Block]) -> dict[str, object]:
    """Bytes, and the least processor time of some rounds, of each way to store the blocks."""
    arranged = [(arrange(block.raw, block.column_count), len(block.raw)) for block in blocks]
    ways: dict[str, Callable[[], int]] = {
        "rows_zstd_1": lambda: sum(len(compress(block.raw, 1)) for block in blocks),
        "rows_zstd_3": lambda: sum(len(compress(block.raw, 3)) for block in blocks),
        "columns_zstd_1": lambda: sum(
            len(encode_payload(block.raw, 1, block.column_count)[1]) for block in blocks
        ),
        "arrange_alone": lambda: sum(
            len(found.data if (found := arrange(*block)) else block.raw) for block in blocks
        ),
        "restore_alone": lambda: sum(
            len(restore_rows(found.data, raw_bytes)) for found, raw_bytes in arranged if found
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    sizes = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.thread_time()
            sizes[name] = way()
            seconds[name].append(time.thread_time() - started)
    return {
        name: {"bytes": sizes[name], "cpu_seconds": round(min(seconds[name]), 4)} for name in ways
    }


if __name__ == "__main__":
    main()
