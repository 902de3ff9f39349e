"""A MariaDB server of one's own in a directory: for the tests, and for people who want to try.

    python tests/support/mariadb.py start DIR    starts it and prints its mysql:// URL
    python tests/support/mariadb.py stop DIR     stops it and removes what it left in DIR

It listens on 127.0.0.1 and on a socket in DIR, keeps a binary log, and trades durability for speed.
The account `test`, password `test`, may do everything; `root` needs no password on the socket.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql

START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60
PROGRAMS = ("mariadbd", "mariadb-install-db")

FAST_OPTIONS = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=256M",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--sync-binlog=0",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--max-allowed-packet=64M",
    "--local-infile=ON",
    "--event-scheduler=OFF",
    "--character-set-server=utf8mb4",
)


class ServerStartError(Exception):
    """The server did not come up; the message ends with its log."""


def missing_program() -> str | None:
    """The first program that a server needs and this machine lacks; None when all are there."""
    return next((name for name in PROGRAMS if _find(name) is None), None)


def _find(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MariaDBServer:
    """A fresh server in `directory`; a context manager that starts and stops it."""

    def __init__(self, directory: Path, options: Sequence[str] = (), binlog: bool = True) -> None:
        self.directory = directory.absolute()
        self.options = tuple(options)
        self.binlog = binlog
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

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
        return self.directory / "data"

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
        if not self.data.exists():
            self._install()
        self.port = _free_port()
        self._process = self._spawn()
        self._await_answer()
        self._make_accounts()

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

    def _install(self) -> None:
        command = [
            _find("mariadb-install-db") or "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self.data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *self._run_as(),
        ]
        made = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if made.returncode != 0:
            raise ServerStartError(made.stdout.decode(errors="replace")[-2000:])

    def _run_as(self) -> list[str]:
        # The server refuses to run as root unless it is told so by name.
        return ["--user=root"] if os.geteuid() == 0 else []

    def _spawn(self) -> subprocess.Popen[bytes]:
        binlog = ["--log-bin=bin", "--binlog-format=ROW", "--server-id=1"] if self.binlog else []
        command = [
            _find("mariadbd") or "mariadbd",
            "--no-defaults",
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--pid-file={self.pid_file}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            *FAST_OPTIONS,
            *binlog,
            *self._run_as(),
            *self.options,
        ]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is not for the server.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
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

    def _make_accounts(self) -> None:
        self.execute(
            "SET sql_log_bin = 0",
            "DROP USER IF EXISTS ''@localhost",
            "CREATE USER IF NOT EXISTS test@'%' IDENTIFIED BY 'test'",
            "GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION",
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _stop_by_pid_file(server: MariaDBServer) -> None:
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
    server.log.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A throw-away MariaDB server.")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    server = MariaDBServer(options.directory)
    if options.action == "stop":
        _stop_by_pid_file(server)
        return
    if (name := missing_program()) is not None:
        sys.exit(f"{name} is not installed; on Debian: apt-get install mariadb-server")
    if server.pid_file.exists():
        sys.exit(f"A server runs in {server.directory} already; stop it first.")
    try:
        server.start()
    except ServerStartError as error:
        sys.exit(f"The server did not start:\n{error}")
    print(server.url)


if __name__ == "__main__":
    main()
