"""Scripts: statements and rows as text that a vendor's own client loads."""

from __future__ import annotations

from typing import Protocol

from rowvault.core.model import ObjectDefinition, TableDefinition
from rowvault.sqltext.mysql.script import MysqlScript
from rowvault.sqltext.sqlite.script import SqliteScript

SQLITE = "sqlite"


class Script(Protocol):
    """How a vendor's client wants a script; each part is whole statements, ending in a newline."""

    def prologue(self) -> bytes:
        """Sets up the session so that values load as they are."""
        ...

    def epilogue(self) -> bytes:
        """Gives the session back as it was."""
        ...

    def use(self, database: str) -> bytes:
        """What follows is in this database."""
        ...

    def comes_last(self, table: TableDefinition) -> bool:
        """Its rows follow those of all other tables."""
        ...

    def pre_data(self, table: TableDefinition) -> bytes:
        """Makes the table."""
        ...

    def insert_prefix(self, table: TableDefinition) -> bytes:
        """What stands before the tuples of one statement."""
        ...

    def insert_suffix(self) -> bytes:
        """What stands behind them."""
        ...

    def post_data(self, table: TableDefinition) -> bytes:
        """Ends the table."""
        ...

    def advice(self, table: TableDefinition, statement_bytes: int) -> str:
        """What a person must know to load a table whose largest statement is that long, or ''."""
        ...

    def definition(self, definition: ObjectDefinition) -> bytes:
        """Makes a database, view, trigger, routine, ... in its session."""
        ...

    def shortcoming(self, definition: ObjectDefinition) -> str:
        """Why a client that loads the script does not make it exactly, or ''."""
        ...


def script_for(vendor: str) -> Script:
    """The script of a server vendor, see ServerInfo."""
    return SqliteScript() if vendor == SQLITE else MysqlScript(vendor)
