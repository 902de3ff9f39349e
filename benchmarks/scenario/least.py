"""The least that a backup adds: one changed row in a large table, nothing changed in many tables.

    python -m benchmarks.scenario least --rows 10000000 --tables 5000 --out result.json

What a backup adds is the sum of the sizes of all files of the repository, after less before.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scenario import result
from benchmarks.scenario.data import add_run_options, positive, running_server
from benchmarks.scenario.figures import Line, line_documents
from benchmarks.scenario.machine import load
from benchmarks.scenario.peers import Rowvault, Run
from tests.support.mariadb import MariaDBServer
from tests.support.shop import sysbench_like

MANY = "many"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario least", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--rows", type=positive, default=10_000_000, help="of the large table")
    parser.add_argument("--tables", type=positive, default=5000, help="of the database that stays")
    parser.add_argument("--seed", type=int, default=1)
    add_run_options(parser)
    options = parser.parse_args(arguments)
    data = {"rows": options.rows, "tables": options.tables, "seed": options.seed}
    title = f"one row of {options.rows:,}, none of {options.tables:,} tables"
    made = result.heading("least", title, data, workers=options.workers)
    with running_server(options) as (server, directory):
        lines = [
            *_one_row(server, directory, options),
            *_unchanged_tables(server, directory, options),
        ]
    made["load_after"] = load()
    made["lines"] = line_documents(lines)
    result.write(made, options)


def _one_row(server: MariaDBServer, directory: Path, options: argparse.Namespace) -> list[Line]:
    connection = server.connect(autocommit=True)
    sysbench_like(connection, options.rows, 1, options.seed)
    rowvault = Rowvault(directory, server.socket_url, "bench", options.workers, True)
    rowvault.start_anew()
    first = rowvault.back_up()
    with connection.cursor() as cursor:
        changed = cursor.execute(
            "UPDATE bench.sbtest1 SET k = k + 1 WHERE id = %s", (options.rows // 2,)
        )
    connection.close()
    if changed != 1:
        raise RuntimeError(f"{changed} rows were changed")
    second = rowvault.back_up()
    return [
        Line(f"added by 1 row of {options.rows:,}", _added_kib(second), "KiB", 64),
        Line("RssAnon of the first backup, peak", _memory_mib(first), "MiB", 256),
        Line("RssAnon of the second backup, peak", _memory_mib(second), "MiB", 256),
    ]


def _unchanged_tables(
    server: MariaDBServer, directory: Path, options: argparse.Namespace
) -> list[Line]:
    connection = server.connect(autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {MANY}")
        for number in range(options.tables):
            cursor.execute(
                f"CREATE TABLE {MANY}.t{number} (id INT PRIMARY KEY, name VARCHAR(40), KEY (name))"
            )
            cursor.execute(
                f"INSERT INTO {MANY}.t{number} VALUES (1, 'one'), (2, '{number}'), (3, NULL)"
            )
    connection.close()
    rowvault = Rowvault(directory, server.socket_url, MANY, options.workers, True)
    rowvault.start_anew()
    rowvault.back_up()
    second = rowvault.back_up()
    return [
        Line(f"added by none of {options.tables:,} tables", _added_kib(second), "KiB", 16),
        Line("RssAnon of that backup, peak", _memory_mib(second), "MiB", 256),
    ]


def _added_kib(run: Run) -> float:
    assert run.stored_bytes is not None
    return run.stored_bytes / 1024


def _memory_mib(run: Run) -> float:
    return run.measurement.peak_rss_anon_bytes / (1 << 20)


if __name__ == "__main__":
    main()
