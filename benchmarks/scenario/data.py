"""The data that scenarios are measured over, from a seed, in a throw-away MariaDB server."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scenario.peers import Dump
from tests.support.mariadb import MariaDBServer
from tests.support.shop import fill_shop, sysbench_like


@dataclass(frozen=True, slots=True)
class Filled:
    """A server with one database to measure, and a directory for what the programs keep."""

    server: MariaDBServer
    database: str
    directory: Path
    title: str
    description: dict[str, object]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `fill` and `result.write` take, and how often and with how many connections."""
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--shop", type=float, default=100, metavar="MB", help="a shop of this size")
    data.add_argument(
        "--sysbench", type=positive, metavar="ROWS", help="rows of 200 bytes, over --tables tables"
    )
    parser.add_argument("--tables", type=positive, default=2, help="tables of --sysbench (2)")
    parser.add_argument("--seed", type=int, default=1)
    add_run_options(parser)


def positive(text: str) -> int:
    """A number of rows, tables, rounds, ...: the type of an argument."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """How often, with how many connections, where."""
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--workers", "-j", type=positive, default=2, help="connections (2)")
    parser.add_argument(
        "--buffer-pool-mb", type=positive, default=1024, help="of the server (1024)"
    )
    parser.add_argument("--directory", type=Path, help="where server and repositories go (TMPDIR)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON; otherwise to stdout")


@contextmanager
def running_server(options: argparse.Namespace) -> Iterator[tuple[MariaDBServer, Path]]:
    """(an empty server, a directory beside its own); both go in the end."""
    with tempfile.TemporaryDirectory(dir=options.directory) as place:
        directory = Path(place)
        pool = f"--innodb-buffer-pool-size={options.buffer_pool_mb}M"
        with MariaDBServer(directory / "server", [pool]) as server:
            yield server, directory


@contextmanager
def filled_server(options: argparse.Namespace) -> Iterator[Filled]:
    """A server with the data that were asked for, read once, so that its caches are warm."""
    with running_server(options) as (server, directory):
        database = _fill(server, options)
        dump_bytes = Dump(directory, server.socket, database).text_bytes()
        size = f"{dump_bytes / (1 << 20):,.1f} MiB of SQL"
        title = f"Shop, {size}"
        if options.sysbench:
            title = f"{options.sysbench:,} rows of 200 bytes in {options.tables} tables, {size}"
        description: dict[str, object] = {
            "kind": "sysbench" if options.sysbench else "shop",
            "rows": options.sysbench,
            "tables": options.tables if options.sysbench else None,
            "megabytes": None if options.sysbench else options.shop,
            "dump_bytes": dump_bytes,
            "seed": options.seed,
        }
        yield Filled(server, database, directory, title, description)


def _fill(server: MariaDBServer, options: argparse.Namespace) -> str:
    """The name of the database that was made."""
    connection = server.connect(autocommit=False)
    try:
        if options.sysbench:
            rows = max(1, options.sysbench // options.tables)
            sysbench_like(connection, rows, options.tables, options.seed)
            return "bench"
        fill_shop(connection, options.shop, options.seed)
        return "shop"
    finally:
        connection.close()
