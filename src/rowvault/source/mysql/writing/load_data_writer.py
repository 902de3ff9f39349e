"""LOAD DATA LOCAL over one connection: rows as lines, from memory, each statement a transaction.

LOCAL makes a server carry on where an INSERT would fail: a duplicate, a value that does not fit
become warnings. So nothing is committed before the server's count of rows and every warning have
been looked at; what is not exact is taken back, and left to INSERT, which says what is wrong.
"""

from __future__ import annotations

import logging
import secrets

from rowvault.codec import kernel
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply, text
from rowvault.source.mysql.writing.insert_writer import DEADLOCK_TRIES, PACKET_MARGIN
from rowvault.source.mysql.writing.load_warnings import loss
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.sqltext.mysql.load_data import has_characters, load_data
from rowvault.sqltext.quoting import encode_name, mysql_string

_PACKET_BYTES = 1 << 20
"""Sent at once, where the server takes so much."""
_LARGEST_ROW_BYTES = 8 << 20
"""A larger row is put together in pieces by the INSERT way, which bounds what it costs."""

_log = logging.getLogger(__name__)


class LoadDataWriter:
    """Loads rows where it can be sure of them; `fill` says whether it did."""

    def __init__(self, connection: Connection, packet_bytes: int) -> None:
        """`packet_bytes`: the largest packet that the server takes."""
        self._connection = connection
        self._packet_bytes = min(_PACKET_BYTES, packet_bytes - PACKET_MARGIN)
        self._is_allowed = connection.may_send_rows and _is_on(connection)
        self._name = f"rowvault-{secrets.token_hex(8)}"
        self._refused: set[str] = set()
        self._statement = (("", ""), b"")
        """The table filled last, and its statement."""

    def takes(self, table: TableDefinition, rows: RowBatch) -> bool:
        """Whether it makes sense to try; only a transaction can be taken back."""
        return (
            self._is_allowed
            and table.engine.upper() == "INNODB"
            and table.label not in self._refused
            and (len(rows.ends) > 1 or len(rows.rows) <= _LARGEST_ROW_BYTES)
        )

    def fill(self, table: TableDefinition, rows: RowBatch) -> bool:
        """Loads and commits whole rows; False: nothing was changed, and INSERT has to do it.

        Raises RestoreError where the connection is lost.
        """
        try:
            exact = self._try(table, rows)
        except faults.LostError as error:
            raise restore_error(error) from error
        except faults.StatementError as error:
            _log.info("rows of %s go by INSERT: error %d", table.label, error.code)
            self._is_allowed = error.code not in faults.LOCAL_NOT_ALLOWED
            exact = False
            self._take_back(table)
        except SourceError as error:
            raise restore_error(error) from error
        if not exact:
            self._refused.add(table.label)
        return exact

    def _try(self, table: TableDefinition, rows: RowBatch) -> bool:
        task = f"loading {table.label}"
        statement = self._statement_for(table)
        reply = self._send(statement, _lines(table, rows), task)
        told = ""
        if reply.warning_count:
            told = loss(table, reply.warning_count, self._connection.warnings(), rows)
        if told or reply.affected_rows != len(rows.ends):
            _log.info("rows of %s go by INSERT: LOAD DATA warned, or left rows out", table.label)
            self._connection.execute("ROLLBACK", task)
            return False
        self._connection.execute("COMMIT", task)
        return True

    def _send(self, statement: bytes, lines: bytes, task: str) -> Reply:
        """Begins a transaction with the rows; a deadlock has undone all of it."""
        for _ in range(DEADLOCK_TRIES):
            try:
                return self._send_once(statement, lines, task)
            except faults.StatementError as error:
                if error.code != faults.DEADLOCK:
                    raise
        return self._send_once(statement, lines, task)

    def _send_once(self, statement: bytes, lines: bytes, task: str) -> Reply:
        self._connection.execute("BEGIN", task)
        return self._connection.send_rows(statement, self._name, lines, self._packet_bytes, task)

    def _take_back(self, table: TableDefinition) -> None:
        try:
            self._connection.execute("ROLLBACK", f"loading {table.label}")
        except SourceError as error:
            raise restore_error(error) from error

    def _statement_for(self, table: TableDefinition) -> bytes:
        place = table.database, table.name
        if self._statement[0] != place:
            charsets = {}
            if has_characters(table.columns):
                charsets = self._charsets(table)
            statement = load_data(*place, table.columns, charsets, self._name)
            self._statement = place, statement
        return self._statement[1]

    def _charsets(self, table: TableDefinition) -> dict[str, str]:
        rows = self._connection.rows(
            encode_name(
                "SELECT COLUMN_NAME, CHARACTER_SET_NAME FROM information_schema.COLUMNS "
                f"WHERE TABLE_SCHEMA = {mysql_string(table.database)} "
                f"AND TABLE_NAME = {mysql_string(table.name)}"
            ),
            f"asking for the charsets of {table.label}",
        )
        return {text(name): text(charset).lower() for name, charset in rows}


def _lines(table: TableDefinition, rows: RowBatch) -> bytes:
    try:
        return kernel.render_lines(rows.rows, len(table.columns))
    except ValueError as error:
        raise RestoreError(f"{table.label}: these rows are malformed: {error}") from error


def _is_on(connection: Connection) -> bool:
    rows = connection.rows("SHOW GLOBAL VARIABLES LIKE 'local\\_infile'", "asking for features")
    return any(text(row[1]).upper() in ("ON", "1") for row in rows)
