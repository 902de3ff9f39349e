"""Full and unchanged backups beside today's tools, over one throw-away MariaDB server.

    python -m benchmarks.scenario backup --shop 1024 --rounds 5
    python -m benchmarks.scenario backup --sysbench 4000000 --tables 4 --rounds 5 --out result.json

All programs run in each round, one after the other, so that a busy machine meets all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.scenario import result
from benchmarks.scenario.data import Filled, add_options, filled_server
from benchmarks.scenario.measure import process_cpu_s
from benchmarks.scenario.peers import Borg, Dump, Mydumper, Restic, Rowvault, Run, Stream
from benchmarks.scenario.result import Budget
from tests.support.shop import a_day_of_changes

FULL = "rowvault backup, full"
UNCHANGED = "rowvault backup, unchanged"
DUMP = "mariadb-dump > /dev/null"
DUMP_ZSTD = "mariadb-dump | zstd -1"
STREAM = "bare result stream"
PACKED_STREAM = "bare result stream, hashed and compressed"
MYDUMPER = "mydumper -t 2 --compress"
RESTIC = "mariadb-dump | restic, full"
RESTIC_UNCHANGED = "mariadb-dump | restic, unchanged"
BORG = "mariadb-dump | borg, full"
BORG_UNCHANGED = "mariadb-dump | borg, unchanged"
DAY = "rowvault backup, after a day"
RESTIC_DAY = "mariadb-dump | restic, after a day"

BUDGETS = (
    Budget(FULL, DUMP, 0.65),
    Budget(FULL, RESTIC, 0.3),
    Budget(FULL, MYDUMPER, 1.0),
    Budget(FULL, STREAM, 1.6),
    Budget(UNCHANGED, DUMP, 0.5),
    Budget(FULL, DUMP_ZSTD),
    Budget(FULL, BORG),
    Budget(UNCHANGED, RESTIC_UNCHANGED),
    Budget(UNCHANGED, BORG_UNCHANGED),
    Budget(DAY, RESTIC_DAY),
)

LIMITS = ((STREAM, DUMP), (PACKED_STREAM, DUMP), (PACKED_STREAM, STREAM))
"""Ratios that no program which reads all rows, or also hashes and compresses them as they come, can
be below."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenario backup", description=__doc__.partition("\n")[0]
    )
    add_options(parser)
    parser.add_argument("--no-encryption", action="store_true", help="of Rowvault's repository")
    parser.add_argument("--few-peers", action="store_true", help="mariadb-dump and stream alone")
    options = parser.parse_args(arguments)
    with filled_server(options) as filled:
        result.write(_measure(filled, options), options)


def _measure(filled: Filled, options: argparse.Namespace) -> result.Result:
    heading = result.heading(
        "backup",
        filled.title,
        filled.description,
        workers=options.workers,
        encrypted=not options.no_encryption,
    )
    programs = _Programs(filled, options)
    rounds = [programs.round() for _ in range(options.rounds)]
    if filled.database == "shop":
        rounds.append(programs.day(options.seed))
    result.add_rounds(heading, rounds, BUDGETS)
    heading["limits"] = {
        f"{least}, CPU of both sides over all cores / {other}": _least_part(heading, least, other)
        for least, other in LIMITS
    }
    return heading


def _least_part(measured: result.Result, least: str, other: str) -> float:
    """For how much of the other's wall time both sides of a bare stream fill all cores.

    Whatever reads all rows makes the server do this work, and receives the bytes: it cannot take
    less on this machine, be its own work nothing and spread over the cores without a gap.
    """
    stream = measured["steps"][least]
    both_s = stream["median_cpu_s"] + stream["median_server_cpu_s"]
    cores = measured["machine"]["cores"]
    return round(both_s / cores / measured["steps"][other]["median_wall_s"], 3)


class _Programs:
    """Everything that runs in a round."""

    def __init__(self, filled: Filled, options: argparse.Namespace) -> None:
        directory, socket, database = filled.directory, filled.server.socket, filled.database
        self._server = filled.server
        self._dump = Dump(directory, socket, database)
        self._stream = Stream(socket, database, options.workers)
        self._rowvault = Rowvault(
            directory,
            filled.server.socket_url,
            database,
            options.workers,
            not options.no_encryption,
        )
        peers = not options.few_peers
        self._mydumper = (
            Mydumper(directory, socket, database) if peers and Mydumper.is_installed() else None
        )
        self._restic = Restic(directory, self._dump) if peers and Restic.is_installed() else None
        self._borg = Borg(directory, self._dump) if peers and Borg.is_installed() else None

    def round(self) -> dict[str, Run]:
        """One run of each."""
        self._rowvault.start_anew()
        steps: list[tuple[str, Callable[[], Run]]] = [
            (DUMP, self._dump.discard),
            (FULL, self._rowvault.back_up),
            (STREAM, self._stream.discard),
            (PACKED_STREAM, self._stream.hash_and_compress),
            (UNCHANGED, self._rowvault.back_up),
            (DUMP_ZSTD, self._dump.compress),
        ]
        if self._mydumper is not None:
            steps.append((MYDUMPER, self._mydumper.dump))
        if self._restic is not None:
            self._restic.start_anew()
            steps += [(RESTIC, self._restic.back_up), (RESTIC_UNCHANGED, self._restic.back_up)]
        if self._borg is not None:
            self._borg.start_anew()
            steps += [(BORG, self._borg.back_up), (BORG_UNCHANGED, self._borg.back_up)]
        return {name: self._beside_server(step) for name, step in steps}

    def day(self, seed: int) -> dict[str, Run]:
        """One more backup after a day's changes, into the repositories of the last round."""
        connection = self._server.connect(autocommit=False)
        try:
            a_day_of_changes(connection, seed)
        finally:
            connection.close()
        steps = {DAY: self._beside_server(self._rowvault.back_up)}
        if self._restic is not None:
            steps[RESTIC_DAY] = self._beside_server(self._restic.back_up)
        return steps

    def _beside_server(self, step: Callable[[], Run]) -> Run:
        """A step, with what it made the server do."""
        pid = int(self._server.pid_file.read_text())
        before = process_cpu_s(pid)
        done = step()
        return replace(done, server_cpu_s=process_cpu_s(pid) - before)


if __name__ == "__main__":
    main()
