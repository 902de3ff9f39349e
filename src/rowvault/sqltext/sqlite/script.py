"""Scripts for the `sqlite3` shell."""

from __future__ import annotations

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.insert import STATEMENT_END
from rowvault.sqltext.quoting import encode_name, sqlite_identifier, sqlite_string

_COUNTERS = "sqlite_sequence"
_OWN_PREFIX = "sqlite_"
_LONGEST_STATEMENT = 1_000_000_000
_STAND_IN = "rowvault_autoincrement"
_CONNECTION_ONLY = b"journal_mode"
"""The one pragma of a database that a shell answers with a line of output."""


class SqliteScript:
    """SQLite: one transaction, in which rules between tables are not checked."""

    def prologue(self) -> bytes:
        """Turns foreign keys off and begins."""
        return b"PRAGMA foreign_keys=OFF;\nPRAGMA ignore_check_constraints=ON;\nBEGIN;\n"

    def epilogue(self) -> bytes:
        """Commits."""
        return b"COMMIT;\nPRAGMA ignore_check_constraints=OFF;\n"

    def use(self, database: str) -> bytes:
        """There is one database only."""
        return b""

    def pre_data(self, table: TableDefinition) -> bytes:
        """CREATE TABLE; SQLite's own tables are made by what they are for, and emptied."""
        if table.name == _COUNTERS:
            made = f"CREATE TABLE {_STAND_IN}(id INTEGER PRIMARY KEY AUTOINCREMENT);\n"
            emptied = f"DROP TABLE {_STAND_IN};\nDELETE FROM {_COUNTERS};\n"
            return (made + emptied).encode()
        if table.name.startswith(_OWN_PREFIX):
            return b"ANALYZE sqlite_master;\n"
        return _ended(table.statement)

    def comes_last(self, table: TableDefinition) -> bool:
        """SQLite's own: loading a table moves its counter."""
        return table.name.startswith(_OWN_PREFIX)

    def insert_prefix(self, table: TableDefinition) -> bytes:
        """INSERT INTO with the stored columns."""
        columns = ",".join(sqlite_identifier(column.name) for column in table.columns)
        name = sqlite_identifier(table.name)
        return encode_name(f"INSERT INTO {name} ({columns}) VALUES\n")

    def insert_suffix(self) -> bytes:
        """The end of a statement."""
        return STATEMENT_END

    def post_data(self, table: TableDefinition) -> bytes:
        """Nothing to end."""
        return b""

    def advice(self, table: TableDefinition, statement_bytes: int) -> str:
        """The shell takes a statement of up to SQLITE_MAX_SQL_LENGTH."""
        if statement_bytes <= _LONGEST_STATEMENT:
            return ""
        return (
            f"{table.label} needs a statement of {statement_bytes} bytes, and sqlite3 takes at "
            f"most {_LONGEST_STATEMENT}: use `rowvault restore`"
        )

    def definition(self, definition: ObjectDefinition) -> bytes:
        """The statement; a virtual table is written into the schema, as the shell's .dump does."""
        if definition.kind is ObjectKind.DATABASE:
            return _header(definition)
        if not definition.statement.upper().startswith(b"CREATE VIRTUAL TABLE"):
            return _ended(definition.statement)
        name = sqlite_string(definition.name)
        values = f"VALUES('table',{name},{name},0,"
        return b"".join(
            (
                b"PRAGMA writable_schema=ON;\n",
                b"INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)\n",
                encode_name(values),
                encode_name(sqlite_string(definition.statement.decode())),
                b");\nPRAGMA writable_schema=OFF;\n",
            )
        )

    def shortcoming(self, definition: ObjectDefinition) -> str:
        """SQLite's shell reads every statement as it is."""
        return ""


def _header(definition: ObjectDefinition) -> bytes:
    """What a file keeps beside its tables, as far as it is a pragma; some need an empty file."""
    pragmas = [line for line in definition.statement.split(b";\n") if _CONNECTION_ONLY not in line]
    # In a transaction SQLite would ignore most of them.
    return b"COMMIT;\n" + b"".join(_ended(line) for line in pragmas) + b"BEGIN;\n"


def _ended(statement: bytes) -> bytes:
    """The statement as one of a script: a comment at its end must not take the semicolon."""
    last_line = statement.rpartition(b"\n")[2]
    return statement + (b"\n;\n" if b"--" in last_line else b";\n")
