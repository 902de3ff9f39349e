"""Users and roles of MariaDB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.omission import Omission
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Row, text
from rowvault.sqltext.mysql.account import PUBLIC, SETTLE_ROLE, TIMESTAMP, user_name
from rowvault.sqltext.quoting import encode_name, identifier, mysql_string

_TASK = "reading users and roles"


class MariadbAccounts:
    """One reading of the server's lists; each user's own statement is asked for when needed."""

    def __init__(self, connection: Connection) -> None:
        """Raises StatementDeniedError without SELECT on mysql.*."""
        self._connection = connection
        self.omissions: list[Omission] = []
        self._users: dict[str, Row] = {}
        self._roles: set[str] = set()
        for row in self._rows("SELECT User, Host, is_role, default_role FROM mysql.user"):
            if row[2] == b"Y":
                self._roles.add(_role_name(text(row[0])))
            else:
                self._users[user_name(text(row[0]), text(row[1]))] = row
        self._members = [
            (self._member(text(row[0]), text(row[1])), _role_name(text(row[2])), row[3] == b"Y")
            for row in self._rows("SELECT User, Host, Role, Admin_option FROM mysql.roles_mapping")
        ]
        self._set_at = self._password_times()

    def names(self) -> list[str]:
        """All users and roles."""
        return [*sorted(self._users), *sorted(self._roles)]

    def definitions(self, name: str) -> Iterator[ObjectDefinition]:
        """What makes a user or role. Raises StatementError for one that the server ignores."""
        if name == PUBLIC:
            return
        if name in self._roles:
            yield _definition(ObjectKind.ROLE, name, f"CREATE ROLE {name}")
            yield self._settle(name)
            return
        task = f"reading user {name}"
        created, *more = self._connection.rows(f"SHOW CREATE USER {name}", task)
        session: tuple[tuple[str, str], ...] = ()
        if self._set_at.get(name, 0) > 0:
            session = ((TIMESTAMP, str(self._set_at[name])),)
        yield ObjectDefinition(
            ObjectKind.USER, "", name, created[0] or b"", session, order=len(more)
        )
        for number, row in enumerate(more, 1):
            yield ObjectDefinition(
                ObjectKind.PASSWORD, "", f"{name} {number}", row[0] or b"", (), name, number
            )

    def role_grants(self) -> Iterator[tuple[str, str, str]]:
        """(grantee, role, statement) of all members of roles."""
        for member, role, is_admin in sorted(self._members):
            admin = " WITH ADMIN OPTION" if is_admin else ""
            yield member, role, f"GRANT {role} TO {member}{admin}"

    def default_roles(self) -> Iterator[tuple[str, str]]:
        """(user, statement)."""
        for name, row in sorted(self._users.items()):
            if row[3]:
                yield name, f"SET DEFAULT ROLE {_role_name(text(row[3]))} FOR {name}"

    def _settle(self, role: str) -> ObjectDefinition:
        """Whoever makes a role is its administrator; this takes that back where it was not so."""
        holders: dict[bool, list[str]] = defaultdict(list)
        for member, held, is_admin in self._members:
            if held == role and member in self._users:
                user, host, *_ = self._users[member]
                holders[is_admin].append(mysql_string(f"{text(user)}@{text(host)}"))
        cases = ""
        if holders[True]:
            cases += f" WHEN {_in(holders[True])} THEN 'DO 0'"
        if holders[False]:
            less = mysql_string(f"REVOKE ADMIN OPTION FOR {role} FROM CURRENT_USER")
            cases += f" WHEN {_in(holders[False])} THEN {less}"
        none = mysql_string(f"REVOKE {role} FROM CURRENT_USER")
        choice = f"CASE{cases} ELSE {none} END" if cases else none
        return ObjectDefinition(
            kind=ObjectKind.GRANT,
            database="",
            name=f"{role} administrators",
            statement=encode_name(f"EXECUTE IMMEDIATE {choice}"),
            parent=role,
            order=SETTLE_ROLE,
        )

    def _member(self, user: str, host: str) -> str:
        # A role has no host, nor has a user of old tables that would be `user`@``.
        name = _role_name(user)
        return name if not host and name in self._roles else user_name(user, host)

    def _password_times(self) -> dict[str, int]:
        try:
            rows = self._rows(
                "SELECT User, Host, JSON_VALUE(Priv, '$.password_last_changed') "
                "FROM mysql.global_priv"
            )
        except faults.UnknownNameError:
            # Before MariaDB 10.4 nobody noted them.
            return {}
        return {user_name(text(row[0]), text(row[1])): int(row[2] or 0) for row in rows}

    def _rows(self, query: str) -> tuple[Row, ...]:
        return self._connection.rows(query, _TASK)


def _role_name(name: str) -> str:
    return PUBLIC if name == PUBLIC else identifier(name)


def _in(names: list[str]) -> str:
    return f"CAST(CURRENT_USER() AS BINARY) IN ({', '.join(sorted(names))})"


def _definition(kind: ObjectKind, name: str, statement: str) -> ObjectDefinition:
    return ObjectDefinition(kind=kind, database="", name=name, statement=encode_name(statement))
