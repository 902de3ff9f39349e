"""The programs that bring a database back, each from what it or its twin has written before."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

from benchmarks.scenario.measure import run, run_piped
from benchmarks.scenario.peers import PASSWORD, Run, rowvault_program


class Restore:
    """`rowvault restore` from a repository with one snapshot."""

    def __init__(self, directory: Path, url: str, database: str, workers: int) -> None:
        self._environment = {"ROWVAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        self._program = [rowvault_program(), "-r", str(directory / "rowvault"), "--json"]
        self._restore = ["restore", "latest", url, "-j", str(workers)]
        run([*self._program, "init"], self._environment)
        run(
            [*self._program, "backup", url, "-d", database, "-j", str(workers)],
            self._environment,
            allowed_codes=(0, 3),
        )

    def verified(self) -> Run:
        """With its proof."""
        return self._run([])

    def unverified(self) -> Run:
        """Without it."""
        return self._run(["--no-verify"])

    def checked(self) -> Run:
        """No restore, but `check --read-data` of what it reads from."""
        return self._measure(["check", "--read-data"])

    def _run(self, arguments: list[str]) -> Run:
        return self._measure([*self._restore, *arguments])

    def _measure(self, arguments: list[str]) -> Run:
        measured = run([*self._program, *arguments], self._environment)
        return Run(measured, details=json.loads(measured.output))


class Client:
    """`mariadb < dump.sql`, of `mariadb-dump`."""

    def __init__(self, directory: Path, socket: Path, database: str) -> None:
        file = shlex.quote(str(directory / "dump.sql"))
        login = ["--no-defaults", "-uroot", f"--socket={socket}"]
        dump = shlex.join(["mariadb-dump", *login, "--single-transaction", "--databases", database])
        run_piped(f"{dump} > {file}")
        self._load = f"{shlex.join(['mariadb', *login])} < {file}"

    def load(self) -> Run:
        """The whole script over one connection."""
        return Run(run_piped(self._load))


class Myloader:
    """`myloader -t 2`, of `mydumper` without compression."""

    def __init__(
        self, directory: Path, socket: Path, database: str, programs: tuple[str, str]
    ) -> None:
        """`programs`: mydumper and myloader, of one release."""
        self.is_installed = all(shutil.which(name) for name in programs)
        output = str(directory / "mydumper")
        login = ["-u", "root", "-S", str(socket), "-t", "2"]
        dumper, loader = programs
        if self.is_installed:
            run([dumper, *login, "-B", database, "-F", "64", "-o", output])
        self._command = [loader, *login, "-B", database, "-d", output, "-o"]

    def load(self) -> Run:
        """All files of the dump."""
        return Run(run(self._command))


class Import:
    """`mariadb-import --use-threads=2`: LOAD DATA by the server itself, from files of its own.

    Its tables have all their keys from the start.
    """

    def __init__(self, directory: Path, socket: Path, database: str) -> None:
        folder = directory / "import"
        folder.mkdir()
        login = ["--no-defaults", "-uroot", f"--socket={socket}"]
        run(["mariadb-dump", *login, "--single-transaction", f"--tab={folder}", database])
        create = shlex.join(["mariadb", *login, "-e", f"CREATE DATABASE `{database}`"])
        define = shlex.join(["mariadb", *login, database])
        fill = shlex.join(["mariadb-import", *login, "--use-threads=2", database])
        place = shlex.quote(str(folder))
        self._load = f"{create} && cat {place}/*.sql | {define} && {fill} {place}/*.txt"

    def load(self) -> Run:
        """Definitions first, then the files."""
        return Run(run_piped(self._load))
