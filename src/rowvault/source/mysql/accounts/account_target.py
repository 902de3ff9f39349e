"""Users, roles and grants of a server to be written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rowvault.core.errors import RestoreError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.source.mysql.accounts.accounts import account_in_use, read_accounts
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.server import global_variables
from rowvault.sqltext.mysql.account import PARTIAL_REVOKE, TIMESTAMP
from rowvault.sqltext.quoting import encode_name

_LITERAL = re.compile(rb"'(?:[^'\\]|\\.|'')*'|0x[0-9A-Fa-f]+", re.DOTALL)
_SHORTEST_SECRET = 4
_HARMLESS = frozenset({1285, 1287, 1681, 6016})
"""Warnings that a host's name is not looked up on this server, and that something is deprecated."""


class MysqlAccountTarget:
    """Makes and drops users, roles and grants; their passwords never show in a message."""

    def __init__(self, connection: Connection, monitor: Monitor) -> None:
        self._connection = connection
        self._monitor = monitor
        self.in_use = account_in_use(connection)

    def check(self, definitions: Iterable[ObjectDefinition]) -> None:
        """Changes nothing. Raises RestoreError where users would get more rights than they had."""
        revokes = [one for one in definitions if one.order == PARTIAL_REVOKE]
        if not any(one.kind is ObjectKind.GRANT for one in revokes):
            return
        # Without it, nothing can be taken out of a right on everything.
        values = global_variables(self._connection, ("partial_revokes",))
        if values.get("partial_revokes") != "ON":
            raise RestoreError(
                "users of the snapshot have rights on everything except some databases, which the "
                "target does not know; nothing was changed. SET PERSIST partial_revokes = ON there"
            )

    def existing(self) -> list[ObjectDefinition]:
        """All users, roles and grants. Raises AccessDeniedError."""
        return read_accounts(self._connection).objects

    def create(self, definition: ObjectDefinition) -> None:
        """Runs its statement, at the time of its password. Raises RestoreError."""
        task = f"creating {definition.label}"
        moment = dict(definition.session).get(TIMESTAMP, "DEFAULT")
        try:
            self._connection.execute("SET SESSION sql_mode = ''", task)
            self._connection.execute(f"SET SESSION timestamp = {moment}", task)
            try:
                reply = self._connection.execute(definition.statement, task)
                warnings = self._connection.warnings() if reply.warning_count else []
            finally:
                self._connection.execute("SET SESSION timestamp = DEFAULT", task)
        except faults.StatementError as error:
            message = _without_secrets(str(error), definition)
            raise RestoreError(f"{definition.label} could not be created: {message}") from error
        for level, code, message in warnings:
            if code not in _HARMLESS:
                clean = _without_secrets(message, definition)
                self._monitor.warning(f"{task}: {clean} ({level} {code})")

    def drop(self, definition: ObjectDefinition) -> None:
        """Drops a user or role with all that it holds. Raises RestoreError."""
        statement = f"DROP {definition.kind.upper()} IF EXISTS {definition.name}"
        try:
            self._connection.execute(encode_name(statement), f"dropping {definition.label}")
        except faults.StatementError as error:
            raise RestoreError(f"{definition.label} could not be dropped: {error}") from error


def _without_secrets(message: str, definition: ObjectDefinition) -> str:
    """A syntax error quotes the statement, perhaps from the middle of a password's hash on."""
    head, found, rest = message.partition(" near '")
    if found and "(error 1064)" in rest:
        return f"{head} (error 1064)"
    for literal in _LITERAL.findall(definition.statement):
        secret = literal.strip(b"'").decode("utf-8", "replace")
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, "***")
    return message
