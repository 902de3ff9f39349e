"""Restores beside today's loaders, into one throw-away MariaDB server.

    python -m benchmarks.scenario restore --shop 1024 --rounds 5
    python -m benchmarks.scenario restore --sysbench 4000000 --tables 4 --rounds 5 --out result.json

What is to be restored is dumped once by each program; then its database is dropped, and all
programs bring it back in each round, one after the other, each into a server without it. The
server's settings are the same for all: those of tests/support/mariadb.py, with a binary log.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from benchmarks.scenario import result
from benchmarks.scenario.data import Filled, add_options, filled_server
from benchmarks.scenario.loaders import Client, Import, Myloader, Restore
from benchmarks.scenario.peers import Run
from benchmarks.scenario.result import Budget

VERIFIED = "rowvault restore, verified"
UNVERIFIED = "rowvault restore --no-verify"
INSERTED = "rowvault restore by INSERT, verified"
CLIENT = "mariadb < dump.sql"
MYLOADER = "myloader -t 2"
IMPORT = "mariadb-import --use-threads=2"

BUDGETS = (
    Budget(VERIFIED, CLIENT, 0.5),
    Budget(VERIFIED, MYLOADER, 1.0),
    Budget(VERIFIED, IMPORT),
    Budget(UNVERIFIED, CLIENT),
    Budget(UNVERIFIED, IMPORT),
    Budget(INSERTED, CLIENT),
    Budget(INSERTED, MYLOADER),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario restore", description=__doc__.partition("\n")[0]
    )
    add_options(parser)
    parser.add_argument("--mydumper", default="mydumper", help="the program that myloader reads of")
    parser.add_argument("--myloader", default="myloader", help="the program to measure")
    options = parser.parse_args(arguments)
    with filled_server(options) as filled:
        result.write(_measure(filled, options), options)


def _measure(filled: Filled, options: argparse.Namespace) -> result.Result:
    steps = _steps(filled, options)
    measured = result.heading("restore", filled.title, filled.description, workers=options.workers)
    rounds = []
    for _ in range(options.rounds):
        runs = {}
        for name, step in steps.items():
            _drop(filled)
            runs[name] = step()
        rounds.append(runs)
    result.add_rounds(measured, rounds, BUDGETS)
    return measured


def _steps(filled: Filled, options: argparse.Namespace) -> dict[str, Callable[[], Run]]:
    """Dumps the database by each program; the steps then bring it back."""
    server, database, directory = filled.server, filled.database, filled.directory
    client = Client(directory, server.socket, database)
    restore = Restore(directory, server.socket_url, database, options.workers)
    files = Import(directory, server.socket, database)
    steps: dict[str, Callable[[], Run]] = {CLIENT: client.load, VERIFIED: restore.verified}
    myloader = Myloader(directory, server.socket, database, (options.mydumper, options.myloader))
    if myloader.is_installed:
        steps[MYLOADER] = myloader.load

    def insert() -> Run:
        with _without_local_infile(filled):
            return restore.verified()

    return steps | {UNVERIFIED: restore.unverified, IMPORT: files.load, INSERTED: insert}


@contextmanager
def _without_local_infile(filled: Filled) -> Iterator[None]:
    filled.server.execute("SET GLOBAL local_infile = 0")
    try:
        yield
    finally:
        filled.server.execute("SET GLOBAL local_infile = 1")


def _drop(filled: Filled) -> None:
    with closing(filled.server.connect()) as connection:
        connection.query(f"DROP DATABASE IF EXISTS `{filled.database}`")
        # What the last step logged is not kept: the disk would fill.
        connection.query("RESET MASTER")


if __name__ == "__main__":
    main()
