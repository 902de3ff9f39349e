"""Scripts for the `mariadb` and `mysql` clients.

The clients cut their input at a delimiter, drop comments, and read bytes in the charset of the
session; the forms below are those that arrive at the server as they were stored.
"""

from __future__ import annotations

from itertools import count

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.database import create_database
from rowvault.sqltext.insert import STATEMENT_END, insert_prefix
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

_SETTINGS = {
    "time_zone": "'+00:00'",
    # Strict, so that nothing is cut short in silence; but zero and impossible dates are data.
    "sql_mode": "'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,"
    "NO_ENGINE_SUBSTITUTION'",
    "foreign_key_checks": "0",
    "unique_checks": "0",
    "autocommit": "0",
}
_MARIADB_SETTINGS = {"check_constraint_checks": "0"}
"""Set in comments that only MariaDB reads."""

_CHARSETS = ("character_set_client", "character_set_results", "collation_connection")
_PROGRAM_SETTINGS = ("sql_mode", "time_zone", "character_set_client", "collation_connection")
_KEPT_AS_SET = "utf8mb4"


class MysqlScript:
    """MySQL and MariaDB; one text serves both."""

    def prologue(self) -> bytes:
        """Saves the session's settings in user variables and makes them fit for loading."""
        names = [*_CHARSETS, *_SETTINGS]
        lines = [_save(name) for name in names]
        lines += [f"/*M! {_save(name)[:-1]} */;" for name in _MARIADB_SETTINGS]
        lines.append(f"SET NAMES {_KEPT_AS_SET};")
        lines += [f"SET SESSION {name} = {value};" for name, value in _SETTINGS.items()]
        lines += [
            f"/*M! SET SESSION {name} = {value} */;" for name, value in _MARIADB_SETTINGS.items()
        ]
        return _text(lines)

    def epilogue(self) -> bytes:
        """Commits, and sets everything back."""
        names = [*_SETTINGS, *_CHARSETS]
        lines = ["COMMIT;"]
        lines += [f"/*M! {_restore(name)[:-1]} */;" for name in _MARIADB_SETTINGS]
        lines += [_restore(name) for name in names]
        return _text(lines)

    def use(self, database: str) -> bytes:
        """USE."""
        return encode_name(f"\nUSE {identifier(database)};\n")

    def before_rows(self, table: TableDefinition) -> bytes:
        """CREATE TABLE."""
        return encode_name(f"\n-- Table {_comment(table.label)}\n") + table.statement + b";\n"

    def insert_prefix(self, table: TableDefinition) -> bytes:
        """INSERT INTO without a database: a table's rows load into whichever one is in use."""
        return insert_prefix(None, table.name, table.columns)

    def insert_suffix(self) -> bytes:
        """The end of a statement."""
        return STATEMENT_END

    def behind_rows(self, table: TableDefinition) -> bytes:
        """COMMIT: one transaction per table."""
        return b"COMMIT;\n"

    def definition(self, definition: ObjectDefinition) -> bytes:
        """CREATE DATABASE where it is missing; all else in the session that it was made in."""
        heading = encode_name(f"\n-- {_comment(definition.label)}\n")
        if definition.kind is ObjectKind.DATABASE:
            return heading + create_database(definition) + b";\n"
        session = dict(definition.session)
        wanted = {name: session[name] for name in _PROGRAM_SETTINGS if name in session}
        before = [f"SET SESSION {name} = {mysql_string(wanted[name])};" for name in wanted]
        after = [f"SET NAMES {_KEPT_AS_SET};"]
        after += [
            f"SET SESSION {name} = {_SETTINGS[name]};" for name in wanted if name in _SETTINGS
        ]
        return heading + _text(before) + _delimited(definition.statement) + _text(after)


def _delimited(statement: bytes) -> bytes:
    """One statement between DELIMITER lines, with its comments."""
    if _has_comments(statement):
        # The clients drop comments, unless they stand inside a comment that the server runs.
        statement = b"/*!50003 " + statement + b" */"
    delimiter = _free_delimiter(statement)
    return b"DELIMITER %b\n%b%b\nDELIMITER ;\n" % (delimiter, statement, delimiter)


def _has_comments(statement: bytes) -> bool:
    if b"/*!" in statement or b"/*M!" in statement:
        # Such comments cannot be nested.
        return False
    return any(mark in statement for mark in (b"/*", b"--", b"#"))


def _free_delimiter(statement: bytes) -> bytes:
    for candidate in (b";;", b"$$", b"//"):
        if candidate not in statement and not statement.endswith(candidate[:1]):
            return candidate
    return next(mark for number in count() if (mark := b"<end-%d>" % number) not in statement)


def _save(name: str) -> str:
    return f"SET @rowvault_{name} = @@SESSION.{name};"


def _restore(name: str) -> str:
    return f"SET SESSION {name} = @rowvault_{name};"


def _comment(text: str) -> str:
    """Fit for the rest of a comment line."""
    return text.replace("\n", " ").replace("\r", " ")


def _text(lines: list[str]) -> bytes:
    return encode_name("".join(f"{line}\n" for line in lines))
