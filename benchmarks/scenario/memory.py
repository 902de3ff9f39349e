"""How much memory a backup, an unchanged one, a restore with its proof and a check take.

    python -m benchmarks.scenario memory --rows 5000000 --out result.json

The rows have 200 bytes, half of them incompressible, and lie in two tables. What counts is the
largest sum of RssAnon over the process tree.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing

from benchmarks.scenario import result
from benchmarks.scenario.data import Filled, add_run_options, filled_server, positive
from benchmarks.scenario.figures import Line, line_documents
from benchmarks.scenario.loaders import Restore
from benchmarks.scenario.machine import load
from benchmarks.scenario.peers import Rowvault, Run

AT_MOST_MIB = 256
TABLES = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario memory", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--rows", type=positive, default=5_000_000, help="of both tables (5000000)")
    parser.add_argument("--seed", type=int, default=1)
    add_run_options(parser)
    options = parser.parse_args(arguments)
    options.sysbench, options.tables, options.shop = options.rows, TABLES, None
    with filled_server(options) as filled:
        made = result.heading("memory", filled.title, filled.description, workers=options.workers)
        lines = [_line(name, run) for name, run in _runs(filled, options.workers).items()]
    made["load_after"] = load()
    made["lines"] = line_documents(lines)
    result.write(made, options)


def _runs(filled: Filled, workers: int) -> dict[str, Run]:
    """What is run -> its measurement."""
    url, database = filled.server.socket_url, filled.database
    rowvault = Rowvault(filled.directory / "backup", url, database, workers, True)
    rowvault.start_anew()
    backups = {"backup, full": rowvault.back_up(), "backup, unchanged": rowvault.back_up()}
    restore = Restore(filled.directory / "restore", url, database, workers)
    with closing(filled.server.connect()) as connection:
        connection.query(f"DROP DATABASE `{database}`")
    return {
        **backups,
        "restore, verified": restore.verified(),
        "check --read-data": restore.checked(),
    }


def _line(name: str, run: Run) -> Line:
    peak_mib = run.measurement.peak_rss_anon_bytes / (1 << 20)
    return Line(f"RssAnon of {name}, peak", peak_mib, "MiB", AT_MOST_MIB)


if __name__ == "__main__":
    main()
