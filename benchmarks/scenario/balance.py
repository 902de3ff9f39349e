"""How evenly the connections of a backup end, over one table that is hard to divide.

    python -m benchmarks.scenario balance --rows 10000000 --out result.json

The table has a composite textual key whose collation ignores case; seven of ten rows are of one
tenant. A connection's time is that until the end of its last row-chunk, as `--json` says it.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

from benchmarks.scenario import result
from benchmarks.scenario.data import add_run_options, positive, running_server
from benchmarks.scenario.figures import Line, line_documents
from benchmarks.scenario.machine import load
from benchmarks.scenario.peers import Rowvault, Run
from tests.support.tenants import fill_tenants

DATABASE = "bench"
AT_MOST_PERCENT = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario balance", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--rows", type=positive, default=10_000_000, help="of the table (10000000)")
    add_run_options(parser)
    options = parser.parse_args(arguments)
    title = f"{options.rows:,} rows under a composite textual key"
    made = result.heading("balance", title, {"rows": options.rows}, workers=options.workers)
    with running_server(options) as (server, directory):
        server.execute(f"CREATE DATABASE {DATABASE}")
        fill_tenants(server, DATABASE, options.rows)
        rowvault = Rowvault(directory, server.socket_url, DATABASE, options.workers, True)
        apart = []
        for _ in range(options.rounds):
            rowvault.start_anew()
            apart.append(_percent_apart(rowvault.back_up()))
    made["load_after"] = load()
    made["options"]["percent_apart"] = apart
    name = f"last of {options.workers} connections ends after the first, median"
    made["lines"] = line_documents([Line(name, statistics.median(apart), "%", AT_MOST_PERCENT)])
    result.write(made, options)


def _percent_apart(run: Run) -> float:
    """By how much of the last connection's time the first one ended earlier."""
    assert run.details is not None
    workers = run.details["workers"]
    assert isinstance(workers, list)
    seconds = [worker["seconds"] for worker in workers]
    return 100 * (1 - min(seconds) / max(seconds))


if __name__ == "__main__":
    main()
