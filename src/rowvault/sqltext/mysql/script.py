"""Scripts for the `mariadb` and `mysql` clients.

The clients cut their input at a delimiter, drop comments, and read bytes in the charset of the
session; the forms below are those that arrive at the server as they were stored.
"""

from __future__ import annotations

from collections.abc import Callable

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.sqltext.insert import STATEMENT_END, insert_prefix
from rowvault.sqltext.mysql.account import account_statement, is_account
from rowvault.sqltext.mysql.database import create_database
from rowvault.sqltext.mysql.load_mode import STRICT, creation_mode, load_mode
from rowvault.sqltext.mysql.program import framed_program, shortcoming
from rowvault.sqltext.mysql.versioning import INSERT_HISTORY
from rowvault.sqltext.quoting import encode_name, identifier

_SETTINGS = {
    "time_zone": "'+00:00'",
    "sql_mode": f"'{STRICT}'",
    "foreign_key_checks": "0",
    "unique_checks": "0",
    "autocommit": "0",
}
_MARIADB_SETTINGS = {
    "check_constraint_checks": ("", "0"),
    INSERT_HISTORY: ("101100", "1"),
}
"""Set in comments that only MariaDB reads, from a version on."""

_CHARSETS = ("character_set_client", "character_set_results", "collation_connection")
_KEPT_AS_SET = "utf8mb4"
_READ_AS = f"\\C {_KEPT_AS_SET}"
"""A client that reads in another charset may take part of a character for a quote or backslash."""

_GUARDED = {
    "explicit_defaults_for_timestamp": "1",
    # A table may be wider than what a strict session makes.
    "innodb_strict_mode": "0",
}
_ALLOWED = (
    "EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN "
    "('SESSION_VARIABLES_ADMIN', 'SYSTEM_VARIABLES_ADMIN', 'SUPER') AND "
    "REPLACE(GRANTEE, CHAR(39), '') = CURRENT_USER())"
)
_WHERE_ALLOWED = frozenset({"innodb_strict_mode"})
"""On MySQL only few accounts may set it, and few tables need it: the others load without."""
_MYSQL_GUARDED = {
    "sql_require_primary_key": "0",
    "sql_generate_invisible_primary_key": "0",
    "restrict_fk_on_non_standard_key": "0",
}
_SINCE = {
    "sql_require_primary_key": "80013",
    "sql_generate_invisible_primary_key": "80030",
    "restrict_fk_on_non_standard_key": "80400",
}
"""Where MySQL has a variable only from a version on."""

_CLIENT_BYTES = 16 << 20
_MOST_BYTES = 1 << 30
_HEADING = (
    "Rowvault dump for the mariadb or mysql client. A row travels in one statement: where rows are",
    "large, --max-allowed-packet=1G for the client, and as much on the server, takes them.",
)
_MYSQL_HEADING = (
    "With --skip-comments, once the default, the mysql client drops comments in stored programs;",
    "without --binary-mode, it makes line feeds of carriage returns with line feeds in them.",
)


class MysqlScript:
    """MySQL and MariaDB; only stored programs with comments need a form of their own."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor

    def prologue(self) -> bytes:
        """Saves the session's settings in user variables and makes them fit for loading."""
        names = [*_CHARSETS, *_SETTINGS]
        heading = (*_HEADING, *(_MYSQL_HEADING if self._vendor == "mysql" else ()))
        lines = [_READ_AS, *(f"-- {line}" for line in heading)]
        lines += [_save(name) for name in (*names, *self._guarded())]
        lines += _for_mariadb(_save)
        lines.append(f"SET NAMES {_KEPT_AS_SET};")
        lines += [f"SET SESSION {name} = {value};" for name, value in _SETTINGS.items()]
        lines += _for_mariadb(lambda name: f"SET SESSION {name} = {_MARIADB_SETTINGS[name][1]};")
        for name, value in self._guarded().items():
            lines += _set_where_needed(name, value, self._condition(name))
        return _text(lines)

    def epilogue(self) -> bytes:
        """Commits, and sets everything back."""
        names = [*_SETTINGS, *_CHARSETS]
        lines = ["COMMIT;"]
        for name in self._guarded():
            lines += _set_where_needed(name, f"@rowvault_{name}")
        lines += _for_mariadb(_restore)
        lines += [_restore(name) for name in names]
        return _text(lines)

    def _guarded(self) -> dict[str, str]:
        """Variables that an account may have no right to set, and mostly need not."""
        return _GUARDED | (_MYSQL_GUARDED if self._vendor == "mysql" else {})

    def _condition(self, name: str) -> str:
        return _ALLOWED if self._vendor == "mysql" and name in _WHERE_ALLOWED else "TRUE"

    def use(self, database: str) -> bytes:
        """USE."""
        return encode_name(f"\nUSE {identifier(database)};\n")

    def comes_last(self, table: TableDefinition) -> bool:
        """No table's rows touch another table."""
        return False

    def pre_data(self, table: TableDefinition) -> bytes:
        """CREATE TABLE, and the sql_mode that its rows need."""
        heading = encode_name(f"\n-- Table {_comment(table.label)}\n")
        creating, loading = creation_mode(table), load_mode(table)
        statement = table.statement + b";\n"
        return heading + _mode(creating) + statement + _mode(loading, creating)

    def insert_prefix(self, table: TableDefinition) -> bytes:
        """INSERT INTO without a database: a table's rows load into whichever one is in use."""
        return insert_prefix(None, table.name, table.columns)

    def insert_suffix(self) -> bytes:
        """The end of a statement."""
        return STATEMENT_END

    def post_data(self, table: TableDefinition) -> bytes:
        """COMMIT: one transaction per table; then the script's own sql_mode."""
        return b"COMMIT;\n" + _mode(STRICT, load_mode(table))

    def advice(self, table: TableDefinition, statement_bytes: int) -> str:
        """The clients take 16 MiB unless they are told otherwise, and 1 GiB at most."""
        if statement_bytes <= _CLIENT_BYTES:
            return ""
        if statement_bytes > _MOST_BYTES:
            return (
                f"{table.label} needs a statement of {statement_bytes} bytes, which no client and "
                "no server takes: use `rowvault restore`"
            )
        return (
            f"{table.label} needs --max-allowed-packet=1G for the client, and max_allowed_packet "
            f"of more than {statement_bytes} on the server"
        )

    def definition(self, definition: ObjectDefinition) -> bytes:
        """CREATE DATABASE where it is missing; all else in the session that it was made in."""
        heading = encode_name(f"\n-- {_comment(definition.label)}\n")
        if definition.kind is ObjectKind.DATABASE:
            return heading + create_database(definition) + b";\n"
        if is_account(definition):
            return heading + account_statement(definition)
        return heading + framed_program(definition, self._vendor)

    def shortcoming(self, definition: ObjectDefinition) -> str:
        """Why a client that loads the script does not make it exactly, or ''."""
        return shortcoming(definition, self._vendor)


def _save(name: str) -> str:
    return _versioned(name, f"SET @rowvault_{name} = @@SESSION.{name}")


def _set_where_needed(name: str, value: str, condition: str = "TRUE") -> list[str]:
    setting = f"CONCAT('SET SESSION {name} = ', {value})"
    needed = f"@@SESSION.{name} <> {value} AND {condition}"
    return [
        _versioned(name, f"SET @rowvault_set = IF({needed}, {setting}, 'DO 0')"),
        _versioned(name, "PREPARE rowvault_set FROM @rowvault_set"),
        _versioned(name, "EXECUTE rowvault_set"),
    ]


def _versioned(name: str, statement: str) -> str:
    """Read only by servers that have the variable."""
    return f"/*!{_SINCE[name]} {statement} */;" if name in _SINCE else f"{statement};"


def _for_mariadb(setting: Callable[[str], str]) -> list[str]:
    return [
        f"/*M!{version} {setting(name)[:-1]} */;"
        for name, (version, _) in _MARIADB_SETTINGS.items()
    ]


def _restore(name: str) -> str:
    return f"SET SESSION {name} = @rowvault_{name};"


def _mode(wanted: str, current: str = STRICT) -> bytes:
    return b"" if wanted == current else encode_name(f"SET SESSION sql_mode = '{wanted}';\n")


def _comment(text: str) -> str:
    """Fit for the rest of a comment line."""
    return text.replace("\n", " ").replace("\r", " ")


def _text(lines: list[str]) -> bytes:
    return encode_name("".join(f"{line}\n" for line in lines))
