"""A server that somebody else runs and names for the tests by a URL."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pymysql

from support.mysql import mysql_sequence
from support.mysql_programs import find_programs
from support.server import OWN_DATABASES


class NotEmptyError(Exception):
    """The server holds databases; tests would drop them."""


class NamedMySQLServer:
    """What tests use of a MySQLServer, as far as it goes without starting and stopping it."""

    vendor: ClassVar[str] = "mysql"

    def __init__(self, url: str) -> None:
        self.url = url
        self.socket_url = url
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 3306
        self.user = unquote(parts.username or "root")
        self.password = unquote(parts.password or "")

    @property
    def client(self) -> list[str]:
        """The stock client, to which a script can be piped."""
        return self._with_login("mysql")

    @property
    def dumper(self) -> list[str]:
        """The stock dump program."""
        return self._with_login("mysqldump")

    def _with_login(self, program: str) -> list[str]:
        programs = find_programs()
        command = programs.command(program) if programs else [program]
        return [
            *command,
            "--no-defaults",
            f"--host={self.host}",
            f"--port={self.port}",
            f"--user={self.user}",
            f"--password={self.password}",
        ]

    def sequence(self, last: int) -> str:
        """What to select the column `seq` FROM that holds 1 to `last`."""
        return mysql_sequence(last)

    def connect(self, **arguments: Any) -> pymysql.connections.Connection[Any]:
        """A plain PyMySQL connection, autocommit, utf8mb4."""
        settings: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "charset": "utf8mb4",
            "autocommit": True,
        }
        return pymysql.connect(**(settings | arguments))

    def execute(self, *statements: str | bytes) -> None:
        """Runs statements in one session."""
        connection = self.connect()
        try:
            for statement in statements:
                connection.query(statement)
        finally:
            connection.close()

    def assert_empty(self) -> None:
        """Raises NotEmptyError when it holds any database of somebody."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            found = sorted({name for (name,) in cursor.fetchall()} - OWN_DATABASES)
        if found:
            raise NotEmptyError(
                f"{self.host}:{self.port} holds {', '.join(found)}; tests drop all databases of a"
                " server that is named for them"
            )
