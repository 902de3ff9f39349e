"""Everything that is not a table: databases, sequences, views, triggers, routines, events.

Statements are read with character_set_results = NULL: they come as the bytes they were written in,
which are in the client charset that the server keeps beside each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.omission import Omission, missing
from rowvault.source.mysql.schema import view_mode
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply, text
from rowvault.sqltext.mysql.session_marks import INVALID, OWN_COLLATION
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string, qualified

_SESSION_COLUMNS = {
    "sql_mode": "sql_mode",
    "time_zone": "time_zone",
    "character_set_client": "character_set_client",
    "collation_connection": "collation_connection",
    "database collation": "collation_database",
}
_ROUTINE_KINDS = {
    "FUNCTION": ObjectKind.FUNCTION,
    "PROCEDURE": ObjectKind.PROCEDURE,
    "PACKAGE": ObjectKind.PACKAGE,
    "PACKAGE BODY": ObjectKind.PACKAGE_BODY,
}

_EVENT_HEAD = re.compile(rb"(?:[^'`]|'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`)*? DO ", re.DOTALL)
"""All up to the body of an event: names and texts are quoted."""


def read_database(connection: Connection, name: str) -> ObjectDefinition:
    """CREATE DATABASE with its charset and collation spelled out: servers have other defaults."""
    reply = connection.execute(
        f"SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {mysql_string(name)}",
        f"reading database {name}",
    )
    facts: dict[str, str] = {}
    for row in reply.rows:
        found = {key.upper(): text(cell) for key, cell in zip(reply.columns, row, strict=True)}
        if found["SCHEMA_NAME"] == name:
            facts = found
    words = [
        f"CREATE DATABASE {identifier(name)}",
        f"CHARACTER SET {facts['DEFAULT_CHARACTER_SET_NAME']}",
        f"COLLATE {facts['DEFAULT_COLLATION_NAME']}",
    ]
    if facts.get("DEFAULT_ENCRYPTION") == "YES":
        words.append("ENCRYPTION = 'Y'")
    if facts.get("SCHEMA_COMMENT"):
        words.append(f"COMMENT {mysql_string(facts['SCHEMA_COMMENT'])}")
    return ObjectDefinition(
        kind=ObjectKind.DATABASE, database=name, name=name, statement=encode_name(" ".join(words))
    )


def sequence_statement(
    created: bytes, name: str, value: int, cycles: int, is_back: bool = False
) -> bytes:
    """Makes a sequence and gives it its value, `is_back`: one in front of its start."""
    own = identifier(name)
    settings = f"DO SETVAL({own}, {value}, 0, {cycles})"
    if is_back:
        # SETVAL alone never goes back.
        settings = f"ALTER SEQUENCE {own} RESTART {value}; {settings}"
    return b"BEGIN NOT ATOMIC %b; %b; END" % (created, encode_name(settings))


class ProgramReader:
    """Reads the stored statements of one database."""

    def __init__(self, connection: Connection, database: str, omissions: list[Omission]) -> None:
        self._connection = connection
        self._database = database
        self._omissions = omissions
        self._warned_of = 0
        """The number of what the last SHOW CREATE warned about."""

    def sequences(self, names: Iterable[str]) -> Iterator[ObjectDefinition]:
        """Each sequence with its current value, in one statement that makes both."""
        for name in names:
            label = f"{self._database}.{name}"
            full = qualified(self._database, name)
            shown = self._show(f"SHOW CREATE SEQUENCE {full}", f"sequence {label}", "SELECT")
            if shown is None:
                continue
            rows = self._connection.rows(
                f"SELECT next_not_cached_value, cycle_count, start_value, increment FROM {full}",
                f"reading {label}",
            )
            value, cycles, start, step = (int(cell or 0) for cell in rows[0])
            is_back = value < start if step >= 0 else value > start
            statement = sequence_statement(shown[0], name, value, cycles, is_back)
            yield self._define(ObjectKind.SEQUENCE, name, statement)

    def views(self, names: Iterable[str]) -> Iterator[ObjectDefinition]:
        """Views, also those whose tables are gone."""
        columns_are_kept = view_mode.is_kept(self._connection)
        for name in names:
            shown = self._show_view(name)
            if shown is None:
                continue
            statement, session = shown
            if self._warned_of == faults.VIEW_INVALID:
                session = (*session, (INVALID, "1"))
            elif columns_are_kept:
                session += view_mode.session_of(self._connection, self._database, name)
            yield self._define(ObjectKind.VIEW, name, statement, session)

    def _show_view(self, name: str) -> tuple[bytes, tuple[tuple[str, str], ...]] | None:
        label = f"view {self._database}.{name}"
        statement = f"SHOW CREATE VIEW {qualified(self._database, name)}"
        try:
            return self._show(statement, label, "SHOW VIEW")
        except faults.StatementError as error:
            if error.code != faults.SYNTAX_ERROR:
                raise
            # MySQL writes some characters of sjis, gbk and big5 so that it cannot read them again.
            self._omissions.append(
                missing(
                    f"{label} is left out: the server cannot read the text that it has stored"
                    f" ({error})"
                )
            )
            return None

    def triggers(self) -> Iterator[ObjectDefinition]:
        """Triggers; `order` counts those of one table, event and time as they fire."""
        rows = self._listed(
            "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_ORDER "
            "FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA"
        )
        for _, name, table, order in rows:
            shown = self._show(
                f"SHOW CREATE TRIGGER {qualified(self._database, name)}",
                f"trigger {self._database}.{name}",
                "TRIGGER",
            )
            if shown is not None:
                statement, session = shown
                yield self._define(
                    ObjectKind.TRIGGER, name, statement, session, table, int(order or 0)
                )

    def routines(self) -> Iterator[ObjectDefinition]:
        """Functions, procedures and packages."""
        rows = self._listed(
            "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE "
            "FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA"
        )
        for _, name, kind in rows:
            label = f"{kind.lower()} {self._database}.{name}"
            if kind not in _ROUTINE_KINDS:
                self._omissions.append(missing(f"{label} is left out: its kind is not known."))
                continue
            shown = self._show(
                f"SHOW CREATE {kind} {qualified(self._database, name)}",
                label,
                "SHOW_ROUTINE (MySQL), SHOW CREATE ROUTINE or SELECT on mysql.proc (MariaDB)",
            )
            if shown is not None:
                yield self._define(_ROUTINE_KINDS[kind], name, *shown)

    def events(self) -> Iterator[ObjectDefinition]:
        """Events, each with the time zone that its times are in."""
        rows = self._listed(
            "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA"
        )
        for _, name in rows:
            shown = self._show(
                f"SHOW CREATE EVENT {qualified(self._database, name)}",
                f"event {self._database}.{name}",
                "EVENT",
            )
            if shown is not None:
                statement, session = shown
                yield self._define(ObjectKind.EVENT, name, self._event(statement, session), session)

    def _event(self, statement: bytes, session: tuple[tuple[str, str], ...]) -> bytes:
        """The statement in one charset: the server writes its head in UTF-8, whatever the body is.

        The head goes through the server's own conversion; what the charset lacks becomes `?`.
        """
        head = _EVENT_HEAD.match(statement)
        charset = dict(session).get("character_set_client", "utf8mb4")
        if head is None or head[0].isascii() or charset.startswith("utf8"):
            return statement
        rows = self._connection.rows(
            f"SELECT CAST(CONVERT(_utf8mb4 X'{head[0].hex()}' USING {charset}) AS BINARY)",
            "converting the head of an event",
        )
        return (rows[0][0] or b"") + statement[head.end() :]

    def libraries(self) -> None:
        """Names MySQL's libraries as left out."""
        try:
            rows = self._listed(
                "SELECT LIBRARY_SCHEMA, LIBRARY_NAME FROM information_schema.LIBRARIES "
                "WHERE LIBRARY_SCHEMA"
            )
        except faults.LostError:
            raise
        except faults.StatementError:
            # A server without libraries has no such list.
            return
        for _, name in rows:
            self._omissions.append(
                missing(f"library {self._database}.{name} is left out: libraries are not carried.")
            )

    def _listed(self, query: str) -> list[list[str]]:
        rows = self._connection.rows(
            f"{query} = {mysql_string(self._database)}",
            f"listing the stored programs of {self._database}",
        )
        decoded = [[text(cell) for cell in row] for row in rows]
        return sorted(row for row in decoded if row[0] == self._database)

    def _show(
        self, statement: str, label: str, right: str
    ) -> tuple[bytes, tuple[tuple[str, str], ...]] | None:
        """(statement, session) of one object; None, and named, when a right is missing."""
        try:
            reply = self._raw(statement, f"reading {label}")
        except faults.StatementDeniedError as error:
            self._omissions.append(
                missing(f"{label} is left out: the right {right} is missing ({error}).")
            )
            return None
        created = _created(reply)
        own = text(self._connection.rows("SELECT @@collation_database")[0][0])
        if created is None:
            self._omissions.append(
                missing(f"{label} is left out: its text needs the right {right}.")
            )
            return None
        session = tuple(
            (_SESSION_COLUMNS[name.lower()], text(cell))
            for name, cell in zip(reply.columns, reply.rows[0], strict=True)
            if name.lower() in _SESSION_COLUMNS
        )
        if dict(session).get("collation_database", own) != own:
            session = (*session, (OWN_COLLATION, own))
        return created, session

    def _raw(self, statement: str, task: str) -> Reply:
        # In its own database a view names its tables without it, so that it can move.
        self._connection.execute(f"USE {identifier(self._database)}", task)
        self._connection.execute("SET character_set_results = NULL", task)
        try:
            reply = self._connection.execute(statement, task)
            warnings = self._connection.warnings() if reply.warning_count else []
            self._warned_of = warnings[0][1] if warnings else 0
            return reply
        finally:
            self._connection.execute("SET character_set_results = utf8mb4", task)

    def _define(
        self,
        kind: ObjectKind,
        name: str,
        statement: bytes,
        session: tuple[tuple[str, str], ...] = (),
        parent: str = "",
        order: int = 0,
    ) -> ObjectDefinition:
        return ObjectDefinition(
            kind=kind,
            database=self._database,
            name=name,
            statement=statement,
            session=session,
            parent=parent,
            order=order,
        )


def _created(reply: Reply) -> bytes | None:
    for name, cell in zip(reply.columns, reply.rows[0], strict=True):
        if name.startswith("Create ") or name == "SQL Original Statement":
            return cell
    return None
