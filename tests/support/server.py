"""A database server of one's own in a directory: what MariaDB and MySQL have in common.

It listens on 127.0.0.1 and on a socket in its directory, keeps a binary log, and trades durability
for speed. The account `test`, password `test`, may do everything; `root` needs no password on the
socket.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

import pymysql

START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60
OWN_DATABASES = frozenset({"mysql", "information_schema", "performance_schema", "sys"})


class Reachable(Protocol):
    """A server that root can log in to."""

    def connect(self) -> pymysql.connections.Connection[Any]:
        """A connection as root."""
        ...


class ServerStartError(Exception):
    """The server did not come up; the message ends with its log."""


def find_program(name: str) -> str | None:
    """The path of an installed program, also where only root looks for programs."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# A base class and not a protocol, because all but a few commands is the same for both vendors.
class DatabaseServer(ABC):
    """A fresh server in `directory`; a context manager that starts and stops it."""

    vendor: ClassVar[str]
    templates: ClassVar[Path | None] = None
    """Where data directories are kept, to be copied for the next server of the same kind."""
    memory: ClassVar[Path | None] = None
    """A directory in memory for what servers keep; else it lies in the directory of each."""

    def __init__(self, directory: Path, options: Sequence[str] = (), binlog: bool = True) -> None:
        self.directory = directory.absolute()
        self.options = tuple(options)
        self.binlog = binlog
        self.port = 0
        self._kept = self.directory if self.memory is None else Path(mkdtemp(dir=self.memory))
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _install_command(self) -> list[str]:
        """Makes the data directory."""

    @abstractmethod
    def _serve_command(self) -> list[str]:
        """Starts the server."""

    @abstractmethod
    def _account_statements(self) -> list[str]:
        """Makes the account `test`, also where it is there already."""

    @property
    @abstractmethod
    def client(self) -> list[str]:
        """The stock client as root, to which a script can be piped."""

    @property
    @abstractmethod
    def dumper(self) -> list[str]:
        """The stock dump program as root."""

    @abstractmethod
    def sequence(self, last: int) -> str:
        """What to select the column `seq` FROM that holds 1 to `last`."""

    @property
    def socket(self) -> Path:
        """The server's Unix socket."""
        return self.directory / "server.sock"

    @property
    def log(self) -> Path:
        """What the server says about itself."""
        return self.directory / "server.log"

    @property
    def pid_file(self) -> Path:
        """Holds the pid while the server runs."""
        return self.directory / "server.pid"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._kept / "data"

    @property
    def temporary(self) -> Path:
        """Where the server puts temporary tables."""
        return self._kept / "tmp"

    @property
    def url(self) -> str:
        """Where Rowvault reaches the server, over TCP."""
        return f"mysql://test:test@127.0.0.1:{self.port}/"

    @property
    def socket_url(self) -> str:
        """Where Rowvault reaches the server, over its socket."""
        return f"mysql://test:test@localhost/?unix_socket={self.socket}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Makes the data directory and waits until the server answers. Raises ServerStartError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(exist_ok=True)
        if not self.data.exists():
            self._install()
        self.port = _free_port()
        self._process = self._spawn()
        self._await_answer()
        self.execute(*self._account_statements())

    def stop(self) -> None:
        """Ends the server by its pid and waits for it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Ends the server without letting it finish anything, like a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def connect(self, **arguments: Any) -> pymysql.connections.Connection[Any]:
        """A plain PyMySQL connection as root over the socket, autocommit, utf8mb4."""
        settings: dict[str, Any] = {
            "unix_socket": str(self.socket),
            "user": "root",
            "charset": "utf8mb4",
            "autocommit": True,
            "ssl_disabled": True,
        }
        return pymysql.connect(**(settings | arguments))

    def execute(self, *statements: str | bytes) -> None:
        """Runs statements as root, in one session."""
        connection = self.connect()
        try:
            for statement in statements:
                connection.query(statement)
        finally:
            connection.close()

    def drop_binlogs(self) -> None:
        """Those of all that was done until now."""
        self.execute("FLUSH BINARY LOGS", "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")

    def serve_options(self) -> list[str]:
        """What both vendors are started with."""
        binlog = ["--log-bin=bin", "--server-id=1"]
        return [
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--pid-file={self.pid_file}",
            # Every server that starts removes the temporary tables that it finds there.
            f"--tmpdir={self.temporary}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            *(binlog if self.binlog else ["--skip-log-bin"]),
            *self.run_as(),
        ]

    def run_as(self) -> list[str]:
        """The server refuses to run as root unless it is told so by name."""
        return ["--user=root"] if os.geteuid() == 0 else []

    def _install(self) -> None:
        if self.templates is None:
            self._make_data()
            return
        self.templates.mkdir(exist_ok=True)
        command = [word.replace(str(self._kept), "") for word in self._install_command()]
        template = self.templates / sha256(repr(command).encode()).hexdigest()
        with (self.templates / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be making it
            if not template.exists():
                self._make_data()
                shutil.copytree(self.data, template)
                return
        shutil.copytree(template, self.data)
        # Says which server it is, and is made anew where it is missing.
        (self.data / "auto.cnf").unlink(missing_ok=True)

    def _make_data(self) -> None:
        made = subprocess.run(
            self._install_command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if made.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerStartError(made.stdout.decode(errors="replace")[-2000:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is not for the server.
            return subprocess.Popen(
                [*self._serve_command(), *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await_answer(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self._listens():
                self.connect().close()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerStartError(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def _listens(self) -> bool:
        # A probe of its own, because PyMySQL leaves its socket open when it cannot connect.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()  # nobody reads what it would write at its end
        if self._kept != self.directory:
            shutil.rmtree(self._kept)


def run_command_line(
    kind: type[DatabaseServer], missing: str | None, arguments: Sequence[str] | None = None
) -> None:
    """`start DIR` or `stop DIR`; `missing` says what keeps the server from starting here."""
    parser = argparse.ArgumentParser(description=f"A throw-away {kind.vendor} server.")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    server = kind(options.directory)
    if options.action == "stop":
        _stop_by_pid_file(server)
        return
    if missing is not None:
        sys.exit(missing)
    if server.pid_file.exists():
        sys.exit(f"A server runs in {server.directory} already; stop it first.")
    try:
        server.start()
    except ServerStartError as error:
        sys.exit(f"The server did not start:\n{error}")
    print(server.url)


def onto(server: Reachable) -> tuple[str, str]:
    """The option that says that what this server holds may be dropped."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@hostname, @@port")
        found = cursor.fetchone()
    assert found is not None
    return "--onto", f"{found[0].lower()}:{found[1]}"


def drop_databases(server: Reachable) -> None:
    """All but the server's own, whichever refers to which."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute("SHOW DATABASES")
        for name in {name for (name,) in cursor.fetchall()} - OWN_DATABASES:
            cursor.execute("DROP DATABASE `" + name.replace("`", "``") + "`")


def _stop_by_pid_file(server: DatabaseServer) -> None:
    try:
        pid = int(server.pid_file.read_text())
    except FileNotFoundError:
        sys.exit(f"No server runs in {server.directory}.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while server.pid_file.exists():
        if time.monotonic() > deadline:
            sys.exit(f"The server with pid {pid} does not stop; its log is {server.log}.")
        time.sleep(0.05)
    shutil.rmtree(server.data)
    shutil.rmtree(server.temporary, ignore_errors=True)
    server.log.unlink(missing_ok=True)
