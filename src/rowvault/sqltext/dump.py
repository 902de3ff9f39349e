"""The pieces of a dump around its rows: text that the stock clients load.

A dump is: `prologue`, for each database `database_section`, its sequences (`object_section`), for
each table `table_section` and INSERT statements, then all other objects, then `epilogue`. Every
section ends with a line feed and depends on nothing but the prologue and `use_database`.
"""

from __future__ import annotations

import re

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.database import create_database
from rowvault.sqltext.insert import STATEMENT_END, insert_prefix
from rowvault.sqltext.program import framed_program
from rowvault.sqltext.quoting import encode_name, identifier

__all__ = [
    "STATEMENT_END",
    "database_section",
    "epilogue",
    "insert_prefix",
    "object_section",
    "prologue",
    "table_section",
    "use_database",
]

SQLITE = "sqlite"
MARIADB = "mariadb"

_SAVED = ("sql_mode", "time_zone", "foreign_key_checks", "unique_checks")
_LOAD_MODE = "'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'"
_MYSQL_PROLOGUE = (
    "SET @rowvault_charset = @@SESSION.character_set_client;\n"
    "SET @rowvault_results = @@SESSION.character_set_results;\n"
    "SET @rowvault_collation = @@SESSION.collation_connection;\n"
    + "".join(f"SET @rowvault_{name} = @@SESSION.{name};\n" for name in _SAVED)
    + "SET NAMES utf8mb4;\n"
    f"SET SESSION sql_mode = {_LOAD_MODE};\n"
    "SET SESSION time_zone = '+00:00';\n"
    "SET SESSION foreign_key_checks = 0;\n"
    "SET SESSION unique_checks = 0;\n"
)
_MARIADB_SAVED = ("check_constraint_checks", "innodb_strict_mode")
_MARIADB_PROLOGUE = "".join(
    f"SET @rowvault_{name} = @@SESSION.{name};\nSET SESSION {name} = 0;\n"
    for name in _MARIADB_SAVED
)
_RESTORED = "".join(f"SET SESSION {name} = @rowvault_{name};\n" for name in _SAVED)
_MARIADB_RESTORED = "".join(f"SET SESSION {name} = @rowvault_{name};\n" for name in _MARIADB_SAVED)
_MYSQL_EPILOGUE = (
    "SET character_set_client = @rowvault_charset;\n"
    "SET character_set_results = @rowvault_results;\n"
    "SET collation_connection = @rowvault_collation;\n"
)

_SQLITE_PROLOGUE = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
_SQLITE_EPILOGUE = "COMMIT;\n"


def prologue(vendor: str) -> bytes:
    """What a dump begins with: the session in which everything behind it means what it meant."""
    if vendor == SQLITE:
        return _SQLITE_PROLOGUE.encode()
    extra = _MARIADB_PROLOGUE if vendor == MARIADB else ""
    return (_MYSQL_PROLOGUE + extra).encode()


def epilogue(vendor: str) -> bytes:
    """What a dump ends with: the session is again as it was."""
    if vendor == SQLITE:
        return _SQLITE_EPILOGUE.encode()
    extra = _MARIADB_RESTORED if vendor == MARIADB else ""
    return (extra + _RESTORED + _MYSQL_EPILOGUE).encode()


def use_database(database: str, vendor: str) -> bytes:
    """Turns to a database; nothing for SQLite, which has one."""
    return b"" if vendor == SQLITE else encode_name(f"USE {identifier(database)};\n")


def database_section(definition: ObjectDefinition, vendor: str) -> bytes:
    """Makes the database, unless it is there, and turns to it."""
    heading = _heading("Database", definition.name)
    if vendor == SQLITE:
        # Its header is only taken outside of a transaction.
        return heading + b"COMMIT;\n" + definition.statement + b";\nBEGIN TRANSACTION;\n"
    return heading + create_database(definition) + b";\n" + use_database(definition.name, vendor)


def table_section(definition: TableDefinition, vendor: str) -> bytes:
    """Makes the table, in its database."""
    heading = _heading("Table", definition.name)
    if vendor == SQLITE:
        return heading + _sqlite_table(definition)
    return heading + use_database(definition.database, vendor) + definition.statement + b";\n"


def object_section(
    definition: ObjectDefinition, vendor: str, database_collation: str = ""
) -> bytes:
    """Makes a sequence, index, routine, view, trigger or event, in its session.

    `database_collation`: the database's own, where it is known; an object that was made under
    another one is made under that again.
    """
    if definition.kind is ObjectKind.DATABASE:
        return database_section(definition, vendor)
    heading = _heading(definition.kind.capitalize(), definition.name)
    if vendor == SQLITE:
        return heading + definition.statement + b";\n"
    return (
        heading
        + use_database(definition.database, vendor)
        + framed_program(definition, vendor, database_collation)
    )


def _heading(what: str, name: str) -> bytes:
    # A line feed in a name would end the comment and begin a statement.
    printable = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", "?", name)
    return encode_name(f"\n-- {what} {printable}\n\n")


def _sqlite_table(definition: TableDefinition) -> bytes:
    if definition.name == "sqlite_sequence":
        # SQLite makes it with the first AUTOINCREMENT table, and loading moved its counters.
        return b"DELETE FROM sqlite_sequence;\n"
    if definition.name == "sqlite_stat1":
        # Makes the table, and puts nothing into it.
        return b"ANALYZE sqlite_schema;\n"
    return definition.statement + b";\n"
