"""How time and memory grow with the data: shops of several sizes, backed up in full, again, and
after 1 % of the rows has changed.

    python -m benchmarks.scenario sizes --megabytes 64 256 1024 4096 --rounds 5 --out result.json

Each shop is the one before it, grown inside the server: its rows again under new keys.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence

from benchmarks.scenario import result
from benchmarks.scenario.data import add_run_options, positive, running_server
from benchmarks.scenario.peers import Dump, Rowvault, Run, Stream
from benchmarks.scenario.result import Budget
from tests.support.shop import a_day_of_changes, fill_shop, grow_shop

FULL = "rowvault backup, full"
UNCHANGED = "rowvault backup, unchanged"
CHANGED = "rowvault backup, 1 % changed"
DUMP = "mariadb-dump > /dev/null"
STREAM = "bare result stream"
NAMES = (FULL, UNCHANGED, CHANGED, DUMP, STREAM)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario sizes", description=__doc__.partition(".")[0]
    )
    parser.add_argument("--megabytes", type=positive, nargs="+", default=[64, 256], metavar="MB")
    parser.add_argument("--seed", type=int, default=1)
    add_run_options(parser)
    options = parser.parse_args(arguments)
    sizes = sorted(options.megabytes)
    if any(larger % smaller for smaller, larger in itertools.pairwise(sizes)):
        parser.error("each size must be a multiple of the one before it")
    result.write(_measure(sizes, options), options)


def _measure(sizes: Sequence[int], options: argparse.Namespace) -> result.Result:
    with running_server(options) as (server, directory):
        connection = server.connect(autocommit=False)
        fill_shop(connection, sizes[0], options.seed)
        title = f"Shops of {', '.join(map(str, sizes))} MB"
        made = result.heading("sizes", title, {"megabytes": list(sizes), "seed": options.seed})
        rounds: list[dict[str, Run]] = [{} for _ in range(options.rounds)]
        for number, size in enumerate(sizes):
            if number:
                grow_shop(connection, size // sizes[number - 1])
            dump = Dump(directory, server.socket, "shop")
            rowvault = Rowvault(directory, server.socket_url, "shop", options.workers, True)
            stream = Stream(server.socket, "shop", options.workers)
            dump.discard()
            for turn, one in enumerate(rounds):
                rowvault.start_anew()
                one[_at(DUMP, size)] = dump.discard()
                one[_at(FULL, size)] = rowvault.back_up()
                one[_at(STREAM, size)] = stream.discard()
                one[_at(UNCHANGED, size)] = rowvault.back_up()
                a_day_of_changes(connection, options.seed + turn)
                one[_at(CHANGED, size)] = rowvault.back_up()
        connection.close()
        result.add_rounds(made, rounds, _budgets(sizes))
    made["axes"] = ["MB of shop", "s"]
    made["curves"] = {name: _curve(made["steps"], name, sizes) for name in NAMES}
    return made


def _budgets(sizes: Sequence[int]) -> list[Budget]:
    """Against the peers at each size, and each size against the one before: no faster than it."""
    budgets = []
    for size in sizes:
        budgets.append(Budget(_at(FULL, size), _at(DUMP, size), 0.65))
        budgets.append(Budget(_at(UNCHANGED, size), _at(DUMP, size), 0.5))
        budgets.append(Budget(_at(FULL, size), _at(STREAM, size), 1.6))
    for smaller, larger in itertools.pairwise(sizes):
        budgets.append(Budget(_at(FULL, larger), _at(FULL, smaller), larger / smaller))
    return budgets


def _at(name: str, size: int) -> str:
    return f"{name}, {size} MB"


def _curve(
    steps: Mapping[str, Mapping[str, float]], name: str, sizes: Sequence[int]
) -> list[tuple[int, float]]:
    return [(size, steps[_at(name, size)]["median_wall_s"]) for size in sizes]


if __name__ == "__main__":
    main()
