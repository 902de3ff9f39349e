"""A MariaDB server of one's own in a directory: for the tests, and for people who want to try.

    python tests/support/mariadb.py start DIR    starts it and prints its mysql:// URL
    python tests/support/mariadb.py stop DIR     stops it and removes what it left in DIR

`support/server.py` says what it is like.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ != "support":
    # Run as a program, or imported from the root of the checkout.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.server import DatabaseServer, find_program, run_command_line

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
    "--binlog-format=ROW",
)


def missing_program() -> str | None:
    """The first program that a server needs and this machine lacks; None when all are there."""
    return next((name for name in PROGRAMS if find_program(name) is None), None)


class MariaDBServer(DatabaseServer):
    """A fresh server in `directory`; a context manager that starts and stops it."""

    vendor = "mariadb"

    @property
    def client(self) -> list[str]:
        """The stock client as root, to which a script can be piped."""
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot"]

    @property
    def dumper(self) -> list[str]:
        """The stock dump program as root."""
        return ["mariadb-dump", "--no-defaults", f"--socket={self.socket}", "-uroot"]

    def sequence(self, last: int) -> str:
        """What to select the column `seq` FROM that holds 1 to `last`."""
        return f"seq_1_to_{last}"

    def _install_command(self) -> list[str]:
        return [
            find_program("mariadb-install-db") or "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *self.run_as(),
        ]

    def _serve_command(self) -> list[str]:
        program = find_program("mariadbd") or "mariadbd"
        return [program, "--no-defaults", *self.serve_options(), *FAST_OPTIONS]

    def _account_statements(self) -> list[str]:
        return [
            "SET sql_log_bin = 0",
            "DROP USER IF EXISTS ''@localhost",
            "CREATE USER IF NOT EXISTS test@'%' IDENTIFIED BY 'test'",
            "GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION",
        ]


def main() -> None:
    """The command line."""
    name = missing_program()
    missing = f"{name} is not installed; on Debian: apt-get install mariadb-server"
    run_command_line(MariaDBServer, missing if name is not None else None)


if __name__ == "__main__":
    main()
