"""Full and unchanged backups beside today's tools, over one throw-away MariaDB server.

    python -m benchmarks.scenario.backup --shop 280
    python -m benchmarks.scenario.backup --sysbench 1000000 --rounds 5 --out result.json

All programs run in each round, one after the other, so that a busy machine meets all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.scenario.machine import commit, kernel_in_use, load, machine, versions
from benchmarks.scenario.peers import Dump, Restic, Rowvault, Run, rowvault_program
from benchmarks.scenario.report import summary
from tests.support.mariadb import MariaDBServer
from tests.support.shop import a_day_of_changes, fill_shop, sysbench_like

FULL = "rowvault backup, full"
UNCHANGED = "rowvault backup, unchanged"
DUMP = "mariadb-dump > /dev/null"
DUMP_ZSTD = "mariadb-dump | zstd -1"
RESTIC = "mariadb-dump | restic, full"
RESTIC_UNCHANGED = "mariadb-dump | restic, unchanged"
DAY = "rowvault backup, after a day"
RESTIC_DAY = "mariadb-dump | restic, after a day"

RATIOS = (
    (FULL, DUMP),
    (UNCHANGED, DUMP),
    (FULL, DUMP_ZSTD),
    (FULL, RESTIC),
    (UNCHANGED, RESTIC_UNCHANGED),
    (DAY, RESTIC_DAY),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    with ExitStack() as opened:
        directory = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=options.directory)))
        server = opened.enter_context(
            MariaDBServer(
                directory / "server", [f"--innodb-buffer-pool-size={options.buffer_pool_mb}M"]
            )
        )
        database = _fill(server, options)
        result = _measure(server, database, directory, options)
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n")
    else:
        print(text)
    print(summary(result), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario.backup", description=__doc__.partition("\n")[0]
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--shop", type=float, default=100, metavar="MB", help="a shop of this size")
    data.add_argument(
        "--sysbench", type=int, metavar="ROWS", help="rows of 200 bytes, over --tables tables"
    )
    parser.add_argument("--tables", type=int, default=2, help="tables of --sysbench (2)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", "-j", type=int, default=2, help="connections of Rowvault (2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-encryption", action="store_true", help="of Rowvault's repository")
    parser.add_argument("--no-restic", action="store_true", help="leave restic out")
    parser.add_argument("--buffer-pool-mb", type=int, default=1024, help="of the server (1024)")
    parser.add_argument("--directory", type=Path, help="where server and repositories go (TMPDIR)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON; otherwise to stdout")
    return parser


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


def _measure(
    server: MariaDBServer, database: str, directory: Path, options: argparse.Namespace
) -> dict[str, object]:
    dump = Dump(directory, server.socket, database)
    rowvault = Rowvault(
        directory, server.socket_url, database, options.workers, not options.no_encryption
    )
    restic = Restic(directory, dump) if Restic.is_installed() and not options.no_restic else None
    result = _heading(dump, options)
    rounds = [_round(dump, rowvault, restic) for _ in range(options.rounds)]
    result["load_after"] = load()
    if database == "shop":
        rounds.append(_day(server, rowvault, restic, options.seed))
    names = list(dict.fromkeys(name for one in rounds for name in one))
    steps = {name: [one[name] for one in rounds if name in one] for name in names}
    result["steps"] = {name: _step(runs) for name, runs in steps.items()}
    result["ratios"] = {
        f"{name} / {other}": round(_median_wall(steps[name]) / _median_wall(steps[other]), 3)
        for name, other in RATIOS
        if name in steps and other in steps
    }
    return result


def _heading(dump: Dump, options: argparse.Namespace) -> dict[str, object]:
    """What was measured, where. Reading the whole dump once also warms the server's caches."""
    return {
        "scenario": "backup",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(Path(__file__).parent),
        "machine": machine(),
        "load_before": load(),
        "versions": versions(rowvault_program()),
        "kernel": kernel_in_use(rowvault_program(), {}),
        "data": {
            "kind": "sysbench" if options.sysbench else "shop",
            "rows": options.sysbench,
            "tables": options.tables if options.sysbench else None,
            "megabytes": None if options.sysbench else options.shop,
            "dump_bytes": dump.text_bytes(),
            "seed": options.seed,
        },
        "workers": options.workers,
        "encrypted": not options.no_encryption,
        "rounds": options.rounds,
    }


def _round(dump: Dump, rowvault: Rowvault, restic: Restic | None) -> dict[str, Run]:
    rowvault.start_anew()
    steps: list[tuple[str, Callable[[], Run]]] = [
        (DUMP, dump.discard),
        (FULL, rowvault.back_up),
        (DUMP_ZSTD, dump.compress),
        (UNCHANGED, rowvault.back_up),
    ]
    if restic is not None:
        restic.start_anew()
        steps += [(RESTIC, restic.back_up), (RESTIC_UNCHANGED, restic.back_up)]
    return {name: step() for name, step in steps}


def _day(
    server: MariaDBServer, rowvault: Rowvault, restic: Restic | None, seed: int
) -> dict[str, Run]:
    connection = server.connect(autocommit=False)
    try:
        a_day_of_changes(connection, seed)
    finally:
        connection.close()
    steps = {DAY: rowvault.back_up()}
    if restic is not None:
        steps[RESTIC_DAY] = restic.back_up()
    return steps


def _median_wall(runs: Sequence[Run]) -> float:
    return statistics.median(run.measurement.wall_s for run in runs)


def _step(runs: Sequence[Run]) -> dict[str, object]:
    stored = [run.stored_bytes for run in runs if run.stored_bytes is not None]
    return {
        "wall_s": [round(run.measurement.wall_s, 3) for run in runs],
        "median_wall_s": round(_median_wall(runs), 3),
        "median_cpu_s": round(statistics.median(run.measurement.cpu_s for run in runs), 3),
        "peak_rss_anon_bytes": max(run.measurement.peak_rss_anon_bytes for run in runs),
        "median_stored_bytes": int(statistics.median(stored)) if stored else None,
        "details": runs[-1].details,
    }


if __name__ == "__main__":
    main()
