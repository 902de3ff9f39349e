"""Runs the statements that make things, each in the session in which it means what it meant."""

from __future__ import annotations

from rowvault.core.errors import RestoreError
from rowvault.core.model import ObjectDefinition, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.writing.view_stubs import with_view_stubs
from rowvault.sqltext.mysql.load_mode import STRICT, creation_mode
from rowvault.sqltext.mysql.versioning import INSERT_HISTORY, is_with_history
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

_CHARSETS = ("character_set_client", "collation_connection")
_SETTINGS = ("sql_mode", "time_zone")
_NO_MODE = ""
"""The sql_mode of a statement that does not name its own."""

_DATABASE_EXISTS = 1007
_CHANGING = frozenset({1071, 1246, 1266, 1286, 1588, 1618})
"""Warnings that say that something else was made: a shorter key, another type or engine, no option,
or nothing at all, as of an event whose time has passed."""
_HARMLESS = frozenset(
    {
        *(139, 1287, 1291, 1300, 1585, 1681, 1831, 3125, 3674, 3719, 3778, 4079, 6124),
        _DATABASE_EXISTS,
    }
)
"""Warnings that something is deprecated, that two indexes are alike or one is of little use, or
that a row could be wider than a page, that a function is called like one of the server's own, or
that a text has characters beyond utf8mb3 or hints in
vain: the source has the same, and what was made is compared."""
_NO_EVENTS = "Event scheduler is switched off"
"""MariaDB gives this warning no number of its own."""


class DdlRunner:
    """Tables and programs, over the connection of a target."""

    def __init__(
        self, connection: Connection, vendor: str, monitor: Monitor, omissions: list[str]
    ) -> None:
        """What is made otherwise than it was, or not at all, is added to `omissions`, and told."""
        self._connection = connection
        self._vendor = vendor
        self._monitor = monitor
        self._omissions = omissions

    def create_table(self, definition: TableDefinition) -> None:
        """Runs CREATE TABLE as it was written. Raises RestoreError, StatementError."""
        if is_with_history(definition) and not self._takes_history():
            raise RestoreError(
                f"{definition.label} is system-versioned with its history, which this server does "
                f"not take: it lacks {INSERT_HISTORY}. Restore to MariaDB 10.11 or later, or "
                "choose other tables with -t."
            )
        self.run_for(definition, definition.statement)

    def run_for(self, definition: TableDefinition, statement: bytes) -> None:
        """Runs a statement that makes or alters a table, in the session that the table needs.

        Raises RestoreError, StatementError.
        """
        task = f"creating {definition.label}"
        self._use(definition.database, task)
        self._set({"sql_mode": creation_mode(definition)}, task)
        try:
            self.run(statement, task)
        finally:
            self._set({"sql_mode": STRICT}, task)

    def _takes_history(self) -> bool:
        query = f"SHOW SESSION VARIABLES LIKE '{INSERT_HISTORY}'"
        return bool(self._connection.rows(query, "asking what the target can restore"))

    def _use(self, database: str, task: str) -> None:
        self._connection.execute(f"USE {identifier(database)}", task)

    def try_program(self, definition: ObjectDefinition) -> bool:
        """Makes what the source could not make either; whether this server can.

        Raises LostError.
        """
        try:
            self.create_program(definition)
        except faults.LostError:
            raise
        except faults.StatementError as error:
            self._omissions.append(
                f"{definition.label} was invalid at the source already and is left out: {error}"
            )
            self._monitor.warning(self._omissions[-1])
            return False
        return True

    def create_program(self, definition: ObjectDefinition) -> None:
        """Runs a statement in its session. Raises RestoreError, StatementError."""
        task = f"creating {definition.label}"
        wanted = dict(definition.session)
        self._use(definition.database, task)
        before = self._database_collation()
        collation = wanted.get("collation_database", before)
        settings = {"sql_mode": _NO_MODE}
        settings |= {name: wanted[name] for name in _SETTINGS if name in wanted}
        saved = {name: self._value(name) for name in settings}
        if collation != before:
            # Parameters without a charset take the database's as it is when the routine is made.
            self._set_collation(definition.database, collation, task)
        try:
            self._set(settings, task)
            self._set({name: wanted[name] for name in _CHARSETS if name in wanted}, task)
            with with_view_stubs(self._connection, self._vendor, definition, task):
                self.run(definition.statement, task)
        finally:
            self._connection.execute("SET NAMES utf8mb4", task)
            self._set(saved, task)
            if collation != before:
                self._set_collation(definition.database, before, task)

    def run(self, statement: bytes, task: str) -> None:
        """Runs a statement, and looks at each of its warnings. Raises RestoreError."""
        reply = self._connection.execute(statement, task)
        if reply.warning_count == 0:
            return
        for level, code, message in self._connection.warnings():
            told = f"{task}: {message} ({level} {code})"
            if code in _CHANGING:
                raise RestoreError(told)
            if code == faults.NO_SUCH_USER_DEFINER or message.startswith(_NO_EVENTS):
                # It stands as it stood, and works as soon as the server lets it.
                self._monitor.warning(told)
            elif code not in _HARMLESS:
                self._omissions.append(told)
                self._monitor.warning(told)

    def _set(self, values: dict[str, str], task: str) -> None:
        for name, value in values.items():
            statement = f"SET SESSION {name} = {mysql_string(value)}"
            self._connection.execute(encode_name(statement), task)

    def _value(self, name: str) -> str:
        return text(self._connection.rows(f"SELECT @@SESSION.{name}")[0][0])

    def _database_collation(self) -> str:
        return text(self._connection.rows("SELECT @@collation_database")[0][0])

    def _set_collation(self, database: str, collation: str, task: str) -> None:
        self._connection.execute(f"ALTER DATABASE {identifier(database)} COLLATE {collation}", task)
