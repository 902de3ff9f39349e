"""What encryption costs: CPU time of full backups, encrypted and in clear, by turns.

    python -m benchmarks.encryption [--shop MB | --sysbench ROWS] [--rounds N] [--buffer-pool-mb MB]

One throw-away MariaDB server; in each round a full backup into a fresh repository of each kind,
the first of them changing from round to round. CPU time is user and system time of the backup's
process tree. `encryption_part` includes the derivation of the key from the password, a constant
that `key_cpu_s` states (from listing the snapshots of both); `part_without_key` does not. Prints
one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from benchmarks.scenario.machine import commit, kernel_in_use, load, machine
from benchmarks.scenario.peers import Rowvault, rowvault_program
from tests.support.mariadb import MariaDBServer
from tests.support.shop import fill_shop, sysbench_like


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encryption")
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--shop", type=float, default=200, metavar="MB", help="a shop (200)")
    data.add_argument("--sysbench", type=int, metavar="ROWS", help="rows of 200 bytes instead")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--workers", "-j", type=int, default=2)
    parser.add_argument("--buffer-pool-mb", type=int, default=1024, help="of the server (1024)")
    parser.add_argument("--directory", type=Path, help="where server and repositories go (TMPDIR)")
    options = parser.parse_args()
    with ExitStack() as opened:
        place = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=options.directory)))
        server = opened.enter_context(
            MariaDBServer(
                place / "server", [f"--innodb-buffer-pool-size={options.buffer_pool_mb}M"]
            )
        )
        database = _fill(server, options)
        before = load()
        cpu_s = _measure(server, database, place, options)
        print(json.dumps(_result(cpu_s, before, options)))


def _fill(server: MariaDBServer, options: argparse.Namespace) -> str:
    """The name of the database that was made."""
    connection = server.connect(autocommit=False)
    try:
        if options.sysbench:
            sysbench_like(connection, options.sysbench // 2, 2, 1)
            return "bench"
        fill_shop(connection, options.shop, 1)
        return "shop"
    finally:
        connection.close()


def _measure(
    server: MariaDBServer, database: str, place: Path, options: argparse.Namespace
) -> dict[str, list[float]]:
    """CPU seconds by kind. One run of each comes first, for the server's caches."""
    kinds = {
        kind: Rowvault(
            place / kind, server.socket_url, database, options.workers, kind == "encrypted"
        )
        for kind in ("clear", "encrypted")
    }
    found: dict[str, list[float]] = defaultdict(list)
    for kind in kinds:
        (place / kind).mkdir()
    for number in range(options.rounds + 1):
        for kind in sorted(kinds, reverse=bool(number % 2)):
            kinds[kind].start_anew()
            run = kinds[kind].back_up()
            opening = kinds[kind].open()
            if number:
                found[kind].append(run.measurement.cpu_s)
                found[f"{kind}, opening"].append(opening.cpu_s)
    return found


def _result(
    cpu_s: dict[str, list[float]], before: object, options: argparse.Namespace
) -> dict[str, object]:
    medians = {kind: statistics.median(runs) for kind, runs in cpu_s.items()}
    key_s = medians["encrypted, opening"] - medians["clear, opening"]
    pairs = zip(cpu_s["encrypted"], cpu_s["clear"], strict=True)
    return {
        "scenario": "encryption",
        "commit": commit(Path(__file__).parent),
        "machine": machine(),
        "load_before": before,
        "load_after": load(),
        "kernel": kernel_in_use(rowvault_program(), {}),
        "shop_mb": None if options.sysbench else options.shop,
        "sysbench_rows": options.sysbench,
        "cpu_s": {kind: [round(one, 3) for one in runs] for kind, runs in cpu_s.items()},
        "median_cpu_s": {kind: round(one, 3) for kind, one in medians.items()},
        "key_cpu_s": round(key_s, 3),
        "part_without_key": round(
            (medians["encrypted"] - key_s - medians["clear"]) / medians["encrypted"], 4
        ),
        "encryption_part": round(1 - medians["clear"] / medians["encrypted"], 4),
        "median_of_pairs": round(statistics.median(1 - clear / whole for whole, clear in pairs), 4),
    }


if __name__ == "__main__":
    main()
