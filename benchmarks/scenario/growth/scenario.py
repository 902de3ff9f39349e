"""The command line of the growth scenario, and what it measures."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scenario import result
from benchmarks.scenario.data import add_run_options, positive, running_server
from benchmarks.scenario.growth import sysbench
from benchmarks.scenario.growth.history import History
from benchmarks.scenario.measure import run
from benchmarks.scenario.peers import Borg, Dump, Restic, Rowvault, Run, rowvault_program
from tests.support.mariadb import MariaDBServer

DATABASE = "growing"
ROWVAULT, RESTIC, BORG, BINLOG = "rowvault", "restic", "borg", "binlog"
FIRST = ", first"
_MEBIBYTE = 1 << 20
_WEEK = 7

Growth = Callable[[int], int]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenario growth")
    parser.add_argument("--days", type=positive, default=30)
    parser.add_argument("--scale", type=float, default=1.0, help="1: about 25 MB of SQL")
    parser.add_argument("--sysbench", type=positive, metavar="ROWS", help="one day of such a table")
    parser.add_argument("--updates", type=int, default=5000, help="of --sysbench")
    parser.add_argument("--deletes", type=int, default=500)
    parser.add_argument("--inserts", type=int, default=2000)
    parser.add_argument("--no-peers", action="store_true", help="Rowvault and the binlog alone")
    parser.add_argument("--seed", type=int, default=1)
    add_run_options(parser)
    options = parser.parse_args(arguments)
    with running_server(options) as (server, directory):
        connection = server.connect(autocommit=False)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
            cursor.execute(f"USE {DATABASE}")
        measured = _Measured(server, connection, directory, options)
        result.write(measured.sysbench() if options.sysbench else measured.history(), options)


class _Measured:
    """The programs, each with a repository of its own, over one server."""

    def __init__(
        self,
        server: MariaDBServer,
        connection: Any,
        directory: Path,
        options: argparse.Namespace,
    ) -> None:
        self._connection = connection
        self._options = options
        self._directory = directory
        dump = Dump(directory, server.socket, DATABASE)
        rowvault = Rowvault(directory, server.socket_url, DATABASE, options.workers, True)
        self._programs: dict[str, Rowvault | Restic | Borg] = {ROWVAULT: rowvault}
        if not options.no_peers:
            if Restic.is_installed():
                self._programs[RESTIC] = Restic(directory, dump)
            if Borg.is_installed():
                self._programs[BORG] = Borg(directory, dump)
        self._firsts: list[dict[str, Run]] = []
        self._days: list[dict[str, Run]] = []
        self._binlog: list[int] = []

    def history(self) -> result.Result:
        """So many days, and what they must keep."""
        options = self._options
        history = History(self._connection, options.scale, options.seed)
        history.fill()
        title = f"{options.days} days of a shop"
        made = result.heading(
            "growth", title, {"days": options.days, "scale": options.scale, "seed": options.seed}
        )
        self._first_day()
        for number in range(1, options.days + 1):
            self._day(lambda number=number: history.day(number))
            print(self._line(number), file=sys.stderr, flush=True)
        self._finish(made)
        made["axes"] = ["day", "MiB, without the first day"]
        made["curves"] = {name: self._curve(name) for name in (*self._programs, BINLOG)}
        total = self._total
        made["ratios"] |= {
            f"whole repository, {ROWVAULT} / {peer}": _bound(total(ROWVAULT) / total(peer), 1 / 8)
            for peer in (RESTIC, BORG)
            if peer in self._programs
        }
        days = [one[ROWVAULT].stored_bytes or 0 for one in self._days]
        made["ratios"] |= {
            "largest day / median day": _bound(max(days) / statistics.median(days), 3),
            "last week / first week": _bound(sum(days[-_WEEK:]) / sum(days[:_WEEK]), 2),
            "read the newest / read the first, wall": _bound(self._reading(options.days), 1.5),
        }
        return made

    def sysbench(self) -> result.Result:
        """One day of a table of sysbench's rows, in each round into new repositories."""
        options = self._options
        sysbench.fill(self._connection, options.sysbench, options.seed)
        title = (
            f"{options.sysbench:,} rows of sysbench: {options.updates} updates,"
            f" {options.deletes} deletes, {options.inserts} inserts"
        )
        made = result.heading("growth", title, {"rows": options.sysbench, "seed": options.seed})
        for turn in range(1, options.rounds + 1):
            self._first_day()
            self._day(
                lambda turn=turn: sysbench.change(
                    self._connection,
                    options.seed + turn,
                    updates=options.updates,
                    deletes=options.deletes,
                    inserts=options.inserts,
                )
            )
        self._finish(made)
        grown = {name: statistics.median(day) for name, day in made["growth_bytes"].items()}
        for other, at_most in ((RESTIC, 1 / 100), (BINLOG, 1 / 4)):
            if other in grown:
                ratio = _bound(grown[ROWVAULT] / grown[other], at_most)
                made["ratios"][f"growth, {ROWVAULT} / {other}"] = ratio
        day, first = made["steps"][ROWVAULT], made["steps"][ROWVAULT + FIRST]
        wall = day["median_wall_s"] / first["median_wall_s"]
        made["ratios"]["wall, the day / the first"] = _bound(wall, 1.3)
        return made

    def _first_day(self) -> None:
        for program in self._programs.values():
            program.start_anew()
        self._firsts.append({name: one.back_up() for name, one in self._programs.items()})

    def _day(self, change: Callable[[], None]) -> None:
        before = self._binlog_bytes()
        change()
        self._binlog.append(self._binlog_bytes() - before)
        self._days.append({name: one.back_up() for name, one in self._programs.items()})

    def _finish(self, made: result.Result) -> None:
        result.add_rounds(made, self._days, ())
        firsts: result.Result = {}
        result.add_rounds(firsts, self._firsts, ())
        made["steps"] |= {name + FIRST: step for name, step in firsts["steps"].items()}
        made["ratios_of"] = "growth, and other figures"
        made["growth_bytes"] = {name: self._growth(name) for name in (*self._programs, BINLOG)}

    def _growth(self, name: str) -> list[int]:
        return self._binlog if name == BINLOG else [_stored(one[name]) for one in self._days]

    def _curve(self, name: str) -> list[tuple[int, float]]:
        points, total = [(0, 0.0)], 0
        for number, grown in enumerate(self._growth(name), 1):
            total += grown
            points.append((number, round(total / _MEBIBYTE, 3)))
        return points

    def _total(self, name: str) -> int:
        return _stored(self._firsts[0][name]) + sum(self._growth(name))

    def _line(self, number: int) -> str:
        grown = {name: self._growth(name)[-1] for name in (*self._programs, BINLOG)}
        figures = ", ".join(f"{name} {value:,}" for name, value in grown.items())
        return f"day {number}: {figures}"

    def _binlog_bytes(self) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute("SHOW BINARY LOGS")
            return sum(row[1] for row in cursor.fetchall())

    def _reading(self, days: int) -> float:
        """Wall time of dumping the newest snapshot by that of the first; medians of three."""
        walls: Mapping[str, list[float]] = {"latest": [], f"latest~{days}": []}
        for _ in range(3):
            for snapshot, found in walls.items():
                command = [
                    rowvault_program(), "-r", str(self._directory / "rowvault"), "-q",
                    "dump", snapshot, "-o", str(self._directory / f"{len(found)}{snapshot}.sql"),
                ]  # fmt: skip
                found.append(run(command, Rowvault.environment).wall_s)
        newest, first = (statistics.median(found) for found in walls.values())
        return newest / first


def _stored(one: Run) -> int:
    assert one.stored_bytes is not None
    return one.stored_bytes


def _bound(ratio: float, at_most: float) -> dict[str, float]:
    return {"ratio": round(ratio, 4), "at_most": round(at_most, 4)}
