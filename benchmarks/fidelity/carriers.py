"""The ways from one server to another: two of Rowvault's, and the tools that are in use today."""

from __future__ import annotations

import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.server import DatabaseServer

TIMEOUT_S = 300
FINISHED_WITH_OMISSIONS = 3


@dataclass(frozen=True, slots=True)
class Carriage:
    """How carrying one database ended."""

    is_success: bool
    """Every program ended with 0."""
    is_named: bool
    """It said in its exit code, and in words, that something was left out."""
    said: str
    """The last lines of what was said, when not all was well."""


class Carrier(ABC):
    """A tool: its name in the table, and how it carries one database."""

    name: str
    how: str
    """The commands, for the page."""

    @abstractmethod
    def carry(
        self, source: DatabaseServer, target: DatabaseServer, database: str, place: Path
    ) -> Carriage:
        """Carries it; `place` is an empty directory of its own."""


class DumpAndClient(Carrier):
    """`mariadb-dump | mariadb` or `mysqldump | mysql`."""

    def __init__(self, vendor: str) -> None:
        is_mariadb = vendor == "mariadb"
        self._options = ["--single-transaction", "--routines", "--events", "--triggers"]
        self._options += ["--hex-blob"]
        # Without it, the history is left out; with it, nothing else changes.
        self._options += ["--dump-history"] if is_mariadb else ["--set-gtid-purged=OFF"]
        program, client = ("mariadb-dump", "mariadb") if is_mariadb else ("mysqldump", "mysql")
        self.name = f"{program} → {client}"
        self.how = f"`{program} {' '.join(self._options)} --databases DB`, piped to `{client}`"

    def carry(
        self, source: DatabaseServer, target: DatabaseServer, database: str, place: Path
    ) -> Carriage:
        dumped = _run([*source.dumper, *self._options, "--databases", database])
        loaded = _run(target.client, dumped.stdout)
        return _carriage([dumped, loaded])


class MyDumper(Carrier):
    """mydumper, then myloader."""

    name = "mydumper → myloader"
    how = "`mydumper -B DB -G -E -R -t 2`, then `myloader -o -t 2`"

    @staticmethod
    def is_installed() -> bool:
        """There are both."""
        return shutil.which("mydumper") is not None and shutil.which("myloader") is not None

    def carry(
        self, source: DatabaseServer, target: DatabaseServer, database: str, place: Path
    ) -> Carriage:
        dumped = _run(
            [
                *("mydumper", *_login(source), "-B", database, "-G", "-E", "-R"),
                *("-t", "2", "-o", str(place / "dump")),
            ]
        )
        loaded = _run(["myloader", *_login(target), "-o", "-t", "2", "-d", str(place / "dump")])
        return _carriage([dumped, loaded])


class RowvaultRestore(Carrier):
    """`rowvault backup`, then `rowvault restore`."""

    name = "rowvault restore"
    how = "`rowvault backup URL -d DB`, then `rowvault restore latest URL`"

    def carry(
        self, source: DatabaseServer, target: DatabaseServer, database: str, place: Path
    ) -> Carriage:
        taken = _backup(source, database, place)
        restored = _rowvault(place, "restore", "latest", target.socket_url)
        return _carriage([*taken, restored])


class RowvaultDump(Carrier):
    """`rowvault backup`, then `rowvault dump` into the stock client."""

    name = "rowvault dump → client"
    how = "`rowvault backup URL -d DB`, then `rowvault dump latest`, piped to the vendor's client"

    def carry(
        self, source: DatabaseServer, target: DatabaseServer, database: str, place: Path
    ) -> Carriage:
        taken = _backup(source, database, place)
        dumped = _rowvault(place, "dump", "latest")
        loaded = _run(target.client, dumped.stdout)
        return _carriage([*taken, dumped, loaded])


def _backup(
    source: DatabaseServer, database: str, place: Path
) -> list[subprocess.CompletedProcess[bytes]]:
    made = _rowvault(place, "init", "--no-encryption")
    return [made, _rowvault(place, "backup", source.socket_url, "-d", database)]


def _rowvault(place: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return _run([sys.executable, "-m", "rowvault", "-r", str(place / "vault"), *arguments])


def _login(server: DatabaseServer) -> list[str]:
    return ["-u", "root", "-S", str(server.socket)]


def _run(command: Sequence[str], script: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=script, capture_output=True, check=False, timeout=TIMEOUT_S
    )


def _carriage(steps: Sequence[subprocess.CompletedProcess[bytes]]) -> Carriage:
    codes = [step.returncode for step in steps]
    said = [
        line.strip()
        for step in steps
        for line in step.stderr.decode(errors="replace").splitlines()
        if line.strip() and "password stands in the address" not in line
    ]
    worst = {code for code in codes if code != 0}
    return Carriage(
        is_success=not worst,
        is_named=worst == {FINISHED_WITH_OMISSIONS},
        said="\n".join(said[-3:]) if worst else "",
    )
