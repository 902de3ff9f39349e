"""`python -m benchmarks.fidelity VENDOR`: carries each hard case with each tool, and compares."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.fidelity import mariadb_cases, mysql_cases, shared_cases
from benchmarks.fidelity.carriers import (
    Carrier,
    DumpAndClient,
    MyDumper,
    RowvaultDump,
    RowvaultRestore,
)
from benchmarks.fidelity.case import HardCase
from benchmarks.fidelity.report import RESULTS, table
from benchmarks.fidelity.verdict import is_wrong, verdict
from benchmarks.fidelity.versions import tool_version

from support import comparer
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.server import DatabaseServer

SERVERS: Mapping[str, type[DatabaseServer]] = {"mariadb": MariaDBServer, "mysql": MySQLServer}
OWN_CASES = {"mariadb": mariadb_cases.CASES, "mysql": mysql_cases.CASES}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exit code 1 when Rowvault has a wrong cell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity")
    parser.add_argument("vendor", choices=SERVERS)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--keep", action="store_true", help="keep the result for the page")
    options = parser.parse_args(arguments)
    result = compare(options.vendor, options.only)
    print(table(result))
    if options.keep:
        text = json.dumps(result, indent=1, ensure_ascii=False)
        (RESULTS / f"{options.vendor}.json").write_text(text + "\n")
    mine = [tool["wrong"] for name, tool in result["tools"].items() if "rowvault" in name]
    sys.exit(1 if any(mine) else 0)


def compare(vendor: str, only: str) -> dict[str, object]:
    """Runs everything on two fresh servers of the vendor."""
    cases = [one for one in (*shared_cases.CASES, *OWN_CASES[vendor]) if only in one.name]
    carriers = list(_carriers(vendor))
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fidelity-")))
        source, target = (
            stack.enter_context(SERVERS[vendor](place / name)) for name in ("source", "target")
        )
        cells = {
            case.name: _carry(case, carriers, source, target, place / f"case{number}")
            for number, case in enumerate(cases)
        }
        versions = {one.name: tool_version(one.name, source) for one in carriers}
        server = _server_name(source)
    tools = {
        one.name: {
            "how": one.how,
            "version": versions[one.name],
            "wrong": sum(is_wrong(row[one.name]) for row in cells.values()),
        }
        for one in carriers
    }
    return {"vendor": vendor, "server": server, "tools": tools, "cases": cells}


def _carriers(vendor: str) -> Iterator[Carrier]:
    yield DumpAndClient(vendor)
    # What Debian has of it speaks to MariaDB.
    if vendor == "mariadb" and MyDumper.is_installed():
        yield MyDumper()
    yield RowvaultRestore()
    yield RowvaultDump()


def _carry(
    case: HardCase,
    carriers: Sequence[Carrier],
    source: DatabaseServer,
    target: DatabaseServer,
    place: Path,
) -> dict[str, str]:
    database = "hard"
    source.execute(
        f"CREATE DATABASE {database}", f"USE {database}", "SET sql_mode = ''", *case.makes
    )
    cells = {}
    try:
        made = comparer.fingerprint(source, [database])
        for number, carrier in enumerate(carriers):
            own = place / str(number)
            own.mkdir(parents=True)
            carriage = carrier.carry(source, target, database, own)
            found = comparer.fingerprint(target, [database])
            cells[carrier.name] = verdict(made, found, carriage, database)
            if is_wrong(cells[carrier.name]):
                print(f"{case.name}: {carrier.name}: {carriage.said}", file=sys.stderr)
            target.execute("SET foreign_key_checks = 0", f"DROP DATABASE IF EXISTS {database}")
    finally:
        source.execute("SET foreign_key_checks = 0", f"DROP DATABASE {database}")
    return cells


def _server_name(server: DatabaseServer) -> str:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        ((version,),) = cursor.fetchall()
    return f"{ {'mariadb': 'MariaDB', 'mysql': 'MySQL'}[server.vendor] } {version}"


if __name__ == "__main__":
    main()
