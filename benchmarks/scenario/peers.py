"""The programs that are measured beside each other, all over one server."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.scenario.measure import Measurement, file_bytes, run, run_piped

PASSWORD = "benchmark"


@dataclass(frozen=True, slots=True)
class Run:
    """One measured step of one program."""

    measurement: Measurement
    stored_bytes: int | None = None
    """By how much this run made the stored files grow; None where nothing is kept."""
    details: dict[str, object] | None = None
    """What the program itself says, for Rowvault."""
    server_cpu_s: float | None = None
    """User and system time of the server meanwhile, where that was measured."""


def rowvault_program() -> str:
    """The `rowvault` of this environment."""
    return str(Path(sys.executable).with_name("rowvault"))


class Rowvault:
    """`rowvault backup` into a repository of its own."""

    environment: ClassVar = {"ROWVAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}

    def __init__(
        self, directory: Path, url: str, database: str, workers: int, encrypted: bool
    ) -> None:
        self._repository = directory / "rowvault"
        self._backup = ["backup", url, "-d", database, "-j", str(workers)]
        self._init = ["init"] if encrypted else ["init", "--no-encryption"]

    def start_anew(self) -> None:
        """An empty repository; not measured."""
        shutil.rmtree(self._repository, ignore_errors=True)
        run(self._command(self._init), self.environment)

    def back_up(self) -> Run:
        """One more snapshot. A warning (exit code 3) is none of the measurement's business."""
        before = file_bytes(self._repository)
        measured = run(self._command(self._backup), self.environment, allowed_codes=(0, 3))
        details = json.loads(measured.output)
        return Run(measured, file_bytes(self._repository) - before, details)

    def open(self) -> Measurement:
        """Lists the snapshots: start, key and little else."""
        return run(self._command(["snapshots"]), self.environment)

    def _command(self, arguments: list[str]) -> list[str]:
        return [rowvault_program(), "-r", str(self._repository), "--json", *arguments]


class Dump:
    """`mariadb-dump`: into nothing, or through a compressor into a file."""

    def __init__(self, directory: Path, socket: Path, database: str) -> None:
        self._file = directory / "dump.sql.zst"
        self.command = shlex.join(
            [
                "mariadb-dump",
                "--no-defaults",
                "-uroot",
                f"--socket={socket}",
                "--single-transaction",
                database,
            ]
        )

    def discard(self) -> Run:
        """`mariadb-dump > /dev/null`."""
        return Run(run_piped(f"{self.command} > /dev/null"))

    def compress(self) -> Run:
        """`mariadb-dump | zstd -1`."""
        measured = run_piped(f"{self.command} | zstd -q -1 -c > {shlex.quote(str(self._file))}")
        return Run(measured, self._file.stat().st_size)

    def text_bytes(self) -> int:
        """How much SQL the dump is."""
        return int(run_piped(f"{self.command} | wc -c").output)


class Stream:
    """The bare result stream, thrown away: stream.py."""

    def __init__(self, socket: Path, database: str, connections: int) -> None:
        program = [sys.executable, "-m", "benchmarks.scenario.stream"]
        self._command = [*program, str(socket), database, str(connections)]

    def discard(self) -> Run:
        """All tables once."""
        return Run(run(self._command))

    def hash_and_compress(self) -> Run:
        """All tables once, hashed and compressed before they are thrown away."""
        return Run(run([*self._command, "--hash-and-compress"]))


class Mydumper:
    """`mydumper` with two threads, compressing with what this version has."""

    def __init__(self, directory: Path, socket: Path, database: str) -> None:
        self._output = directory / "mydumper"
        self._command = [
            *("mydumper", "-u", "root", "-S", str(socket), "-B", database),
            *("-t", "2", "--compress", "-o", str(self._output)),
        ]

    @staticmethod
    def is_installed() -> bool:
        """There is a mydumper to compare with."""
        return shutil.which("mydumper") is not None

    def dump(self) -> Run:
        """Into an empty directory."""
        shutil.rmtree(self._output, ignore_errors=True)
        measured = run(self._command)
        return Run(measured, file_bytes(self._output))


class Restic:
    """`mariadb-dump | restic backup --stdin` into a repository of its own."""

    def __init__(self, directory: Path, dump: Dump) -> None:
        self._repository = directory / "restic"
        self._cache = directory / "restic-cache"
        self._environment = {
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_REPOSITORY": str(self._repository),
            "RESTIC_CACHE_DIR": str(self._cache),
        }
        self._dump = dump

    @staticmethod
    def is_installed() -> bool:
        """There is a restic to compare with."""
        return shutil.which("restic") is not None

    def start_anew(self) -> None:
        """An empty repository; not measured."""
        shutil.rmtree(self._repository, ignore_errors=True)
        shutil.rmtree(self._cache, ignore_errors=True)
        run(["restic", "init", "-q", "--repository-version", "2"], self._environment)

    def back_up(self) -> Run:
        """One more snapshot of the dump."""
        before = file_bytes(self._repository)
        measured = run_piped(
            f"{self._dump.command} | restic backup -q --stdin --stdin-filename dump.sql",
            self._environment,
        )
        return Run(measured, file_bytes(self._repository) - before)


class Borg:
    """`mariadb-dump | borg create -` into a repository of its own, encrypted."""

    def __init__(self, directory: Path, dump: Dump) -> None:
        self._repository = directory / "borg"
        self._environment = {
            "BORG_PASSPHRASE": PASSWORD,
            "BORG_REPO": str(self._repository),
            "BORG_BASE_DIR": str(directory / "borg-base"),
        }
        self._dump = dump
        self._count = 0

    @staticmethod
    def is_installed() -> bool:
        """There is a borg to compare with."""
        return shutil.which("borg") is not None

    def start_anew(self) -> None:
        """An empty repository; not measured."""
        shutil.rmtree(self._repository, ignore_errors=True)
        shutil.rmtree(self._environment["BORG_BASE_DIR"], ignore_errors=True)
        run(["borg", "init", "--encryption=repokey-blake2"], self._environment)

    def back_up(self) -> Run:
        """One more archive of the dump, compressed as restic does by default."""
        before = file_bytes(self._repository)
        self._count += 1
        measured = run_piped(
            f"{self._dump.command} | borg create --compression zstd,3 ::{self._count} -",
            self._environment,
        )
        return Run(measured, file_bytes(self._repository) - before)
