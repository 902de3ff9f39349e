"""A MySQL server of one's own in a directory: for the tests, and for people who want to try.

    python tests/support/mysql.py start DIR    starts it and prints its mysql:// URL
    python tests/support/mysql.py stop DIR     stops it and removes what it left in DIR

`support/server.py` says what it is like, `support/mysql_programs.py` where the programs are from.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ != "support":
    # Run as a program, or imported from the root of the checkout.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.mysql_programs import HOW_TO_GET, Programs, find_programs
from support.server import DatabaseServer, ServerStartError, run_command_line

FAST_OPTIONS = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=256M",
    "--innodb-redo-log-capacity=256M",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=OFF",
    "--sync-binlog=0",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--max-allowed-packet=64M",
    "--local-infile=ON",
    "--event-scheduler=OFF",
    "--character-set-server=utf8mb4",
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",
)

GTID_OPTIONS = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")

# These must be the same when the data directory is made and when it is served.
_LASTING = ("--lower-case-table-names", "--lower_case_table_names", "--innodb-page-size")


def mysql_sequence(last: int) -> str:
    """What to select the column `seq` FROM that holds 1 to `last`; MySQL has no such engine."""
    members = f"CONCAT('[', REPEAT('0,', {last - 1}), '0]')"
    return f"JSON_TABLE({members}, '$[*]' COLUMNS (seq FOR ORDINALITY)) AS sequence"


class MySQLServer(DatabaseServer):
    """A fresh server in `directory`; a context manager that starts and stops it."""

    vendor = "mysql"

    @property
    def programs(self) -> Programs:
        """Where the server is from. Raises ServerStartError where there is none."""
        found = find_programs()
        if found is None:
            raise ServerStartError(HOW_TO_GET)
        return found

    @property
    def client(self) -> list[str]:
        """The stock client as root, to which a script can be piped."""
        return self._as_root("mysql")

    @property
    def dumper(self) -> list[str]:
        """The stock dump program as root."""
        return self._as_root("mysqldump")

    def sequence(self, last: int) -> str:
        """What to select the column `seq` FROM that holds 1 to `last`."""
        return mysql_sequence(last)

    def _as_root(self, program: str) -> list[str]:
        command = self.programs.command(program)
        return [*command, "--no-defaults", f"--socket={self.socket}", "-uroot"]

    def _install_command(self) -> list[str]:
        return [
            *self.programs.command("mysqld"),
            "--no-defaults",
            "--initialize-insecure",
            *self.programs.places(),
            f"--datadir={self.data}",
            *FAST_OPTIONS,
            *(option for option in self.options if option.startswith(_LASTING)),
            *self.run_as(),
        ]

    def _serve_command(self) -> list[str]:
        return [
            *self.programs.command("mysqld"),
            "--no-defaults",
            *self.programs.places(),
            *self.serve_options(),
            *FAST_OPTIONS,
            *(GTID_OPTIONS if self.binlog else ()),
        ]

    def _account_statements(self) -> list[str]:
        return [
            "SET sql_log_bin = 0",
            "CREATE USER IF NOT EXISTS test@'%' IDENTIFIED BY 'test'",
            "GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION",
        ]


def main() -> None:
    """The command line."""
    run_command_line(MySQLServer, None if find_programs() else HOW_TO_GET)


if __name__ == "__main__":
    main()
