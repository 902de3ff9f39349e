"""The session variables under which a connection reads or loads exactly."""

from __future__ import annotations

from collections.abc import Mapping

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.mysql.load_mode import STRICT

LOCK_WAIT_S = 30

_COMMON = {
    # No ANSI, no padded CHAR, no shortened SHOW CREATE; backslashes escape.
    "sql_mode": "''",
    # TIMESTAMP values in the gaps and overlaps of daylight saving exist in UTC only.
    "time_zone": "'+00:00'",
    "sql_quote_show_create": "1",
    "wait_timeout": "31536000",
    "interactive_timeout": "31536000",
    "net_read_timeout": "3600",
    "net_write_timeout": "3600",
    "max_statement_time": "0",
    "max_execution_time": "0",
    # Waiting long for a lock makes everybody else queue up behind us.
    "lock_wait_timeout": str(LOCK_WAIT_S),
    "sql_select_limit": "18446744073709551615",
    "wsrep_sync_wait": "0",
    "information_schema_stats_expiry": "0",
    "show_create_table_verbosity": "0",
    "show_create_table_skip_secondary_engine": "0",
    "show_gipk_in_create_table_and_information_schema": "1",
    "show_old_temporals": "1",
    "transaction_isolation": "'REPEATABLE-READ'",
    "tx_isolation": "'REPEATABLE-READ'",
}

READING = _COMMON | {
    # Not for loading: MySQL keeps the type that it gives a view's column then.
    "group_concat_max_len": "4294967295",
    # With a binary log MariaDB releases the locks on definitions at ROLLBACK TO SAVEPOINT only
    # in a session that does not log; without the right to set it, an ALTER waits for the backup.
    "sql_log_bin": "0",
    # The columns of EXPLAIN, which tell how a row-chunk would be read.
    "explain_format": "TRADITIONAL",
}

LOADING = _COMMON | {
    # Nothing here may keep the rows out of the binary log: replicas of the target need them.
    "sql_mode": f"'{STRICT}'",
    "lock_wait_timeout": "3600",
    "foreign_key_checks": "0",
    # Off, MariaDB loads an empty table in bulk under a lock of the whole table, and several
    # connections that load the same table deadlock.
    "unique_checks": "1",
    # Rows that were added while checks were off must come back too.
    "check_constraint_checks": "0",
    # The history of a system-versioned table is rows whose times the server did not make.
    "system_versioning_insert_history": "1",
    "innodb_strict_mode": "0",
    "explicit_defaults_for_timestamp": "1",
    "sql_require_primary_key": "0",
    "sql_generate_invisible_primary_key": "0",
    "restrict_fk_on_non_standard_key": "0",
    "innodb_lock_wait_timeout": "3600",
    # MySQL sorts the entries of new indexes in this much memory; its own default is 1 MiB.
    "innodb_ddl_buffer_size": "33554432",
    "max_error_count": "65535",
}

_REQUIRED = frozenset({"sql_mode", "time_zone", "foreign_key_checks", "lock_wait_timeout"})


def session_variables(connection: Connection) -> frozenset[str]:
    """The names of all session variables that the server has."""
    return frozenset(text(row[0]).lower() for row in connection.rows("SHOW SESSION VARIABLES"))


def set_up(
    connection: Connection, wanted: Mapping[str, str], there: frozenset[str] | None = None
) -> None:
    """Sets each of these variables that the server has; what a server lacks needs no setting.

    `there`: `session_variables` of this server, where they are known already; asking takes long.

    A variable that this account may not set keeps the server's value, except the few without which
    values would read or load wrongly: then StatementError.
    """
    connection.execute("SET NAMES utf8mb4", "setting up the session")
    if there is None:
        there = session_variables(connection)
    present = {name: value for name, value in wanted.items() if name in there}
    if "transaction_isolation" in present:
        # Two names of one thing; the old one may be deprecated where both exist.
        present.pop("tx_isolation", None)
    try:
        _assign(connection, present)
    except faults.StatementError:
        # One refusal undoes the whole statement: find out which one it is.
        for name, value in present.items():
            _assign_or_keep(connection, name, value)


def _assign(connection: Connection, values: Mapping[str, str]) -> None:
    assignments = ", ".join(f"SESSION {name} = {value}" for name, value in values.items())
    connection.execute(f"SET {assignments}", "setting up the session")


def _assign_or_keep(connection: Connection, name: str, value: str) -> None:
    try:
        _assign(connection, {name: value})
    except faults.LostError:
        raise
    except faults.StatementError:
        if name in _REQUIRED:
            raise
