"""Users and roles of MySQL; a role is a user that cannot log in.

SHOW CREATE USER does not escape what stands behind REQUIRE, and does not tell the passwords beside
the current one; these come from the tables. A password's history is made again as it came to be: by
setting one after the other, each at its time.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from rowvault.core.errors import SourceError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.omission import Omission, not_carried
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply, text
from rowvault.sqltext.mysql.account import TIMESTAMP, user_name
from rowvault.sqltext.quoting import encode_name, mysql_string

_TASK = "reading users and roles"
_NAME = r"`(?:[^`]|``)*`"
_DEFAULT_ROLE = re.compile(rf" DEFAULT ROLE {_NAME}@{_NAME}(?:,{_NAME}@{_NAME})*")
_REQUIREMENTS = (("SUBJECT", "x509_subject"), ("ISSUER", "x509_issuer"), ("CIPHER", "ssl_cipher"))
_SECRET = re.compile(r" AS (?:0x[0-9A-F]+|'(?:[^'\\]|\\.)*')", re.DOTALL)

Facts = dict[str, str]
"""A row by column, whose names are in small letters."""


class _Password(msgspec.Struct, frozen=True):
    """A password's hash in hexadecimal digits, and when it was set."""

    digest: str
    set_at: str
    """Seconds since 1970; empty: not known."""


class UnknownFormError(SourceError):
    """The server writes a user in a way that is not understood."""


class MysqlAccounts:
    """One reading of the server's lists; each user's own statement is asked for when needed."""

    def __init__(self, connection: Connection) -> None:
        """Raises StatementDeniedError without SELECT on mysql.*."""
        self._connection = connection
        self.omissions: list[Omission] = []
        try:
            connection.execute("SET SESSION print_identified_with_as_hex = ON", _TASK)
        except faults.StatementError as error:
            # Before MySQL 8.0.17 there is no such variable.
            if error.code != faults.UNKNOWN_VARIABLE:
                raise
        self._users = {
            user_name(one["user"], one["host"]): one
            for one in self._facts(
                "SELECT *, HEX(authentication_string) AS digest, "
                "UNIX_TIMESTAMP(password_last_changed) AS set_at FROM mysql.user"
            )
        }
        self._history = self._read_history()

    def names(self) -> list[str]:
        """All users and roles."""
        return sorted(self._users)

    def definitions(self, name: str) -> Iterator[ObjectDefinition]:
        """What makes a user or role.

        Raises StatementError for one that the server ignores, UnknownFormError.
        """
        facts = self._users[name]
        steps = self._passwords(name, facts)
        login = f" IDENTIFIED WITH {mysql_string(facts['plugin'])}"
        first, session = _login(login, steps[0])
        later = [_login(login, step) for step in steps[1:]]
        beside = _beside(facts)
        for index in range(len(later) - 1, -1, -1):
            if beside and steps[index].digest == beside:
                statement, moment = later[index]
                later[index] = (f"{statement} RETAIN CURRENT PASSWORD", moment)
                break
        if later and facts.get("password_expired") == "Y":
            later.append((" PASSWORD EXPIRE", ()))
        rest = self._behind_login(name, facts, login)
        yield ObjectDefinition(
            kind=ObjectKind.USER,
            database="",
            name=name,
            statement=encode_name(f"CREATE USER {name}{first}{rest}"),
            session=session,
            order=len(later),
        )
        for number, (clause, moment) in enumerate(later, 1):
            yield ObjectDefinition(
                kind=ObjectKind.PASSWORD,
                database="",
                name=f"{name} {number:03}",
                statement=encode_name(f"ALTER USER {name}{clause}"),
                session=moment,
                parent=name,
                order=number,
            )

    def role_grants(self) -> Iterator[tuple[str, str, str]]:
        """(grantee, role, statement) of all members of roles; mandatory roles need no grant."""
        edges = self._facts("SELECT * FROM mysql.role_edges", may_lack=True)
        for edge in sorted(edges, key=lambda edge: sorted(edge.items())):
            role = user_name(edge["from_user"], edge["from_host"])
            member = user_name(edge["to_user"], edge["to_host"])
            admin = " WITH ADMIN OPTION" if edge["with_admin_option"] == "Y" else ""
            yield member, role, f"GRANT {role} TO {member}{admin}"

    def default_roles(self) -> Iterator[tuple[str, str]]:
        """(user, statement)."""
        chosen: dict[str, list[str]] = defaultdict(list)
        for one in self._facts("SELECT * FROM mysql.default_roles", may_lack=True):
            role = user_name(one["default_role_user"], one["default_role_host"])
            chosen[user_name(one["user"], one["host"])].append(role)
        for name, roles in sorted(chosen.items()):
            yield name, f"ALTER USER {name} DEFAULT ROLE {', '.join(sorted(roles))}"

    def _behind_login(self, name: str, facts: Facts, login: str) -> str:
        """What CREATE USER has behind the first way to log in, without the default roles."""
        shown = text(self._connection.rows(f"SHOW CREATE USER {name}", _TASK)[0][0])
        head = f"CREATE USER {name}{login}"
        if not shown.startswith(head):
            raise UnknownFormError(f"The definition of user {name} is not in a known form.")
        secret = _SECRET.match(shown, len(head)) if facts["digest"] else None
        start = secret.end() if secret else len(head)
        rest = _DEFAULT_ROLE.sub("", shown[start:], count=1)
        parts = [(word, facts.get(column, "")) for word, column in _REQUIREMENTS]
        bare = "".join(f" {word} '{value}'" for word, value in parts if value)
        quoted = "".join(f" {word} {mysql_string(value)}" for word, value in parts if value)
        return rest.replace(f" REQUIRE{bare} ", f" REQUIRE{quoted} ", 1) if bare else rest

    def _passwords(self, name: str, facts: Facts) -> list[_Password]:
        """All that must be set, one after the other; the current one last."""
        current = _Password(facts["digest"], facts["set_at"])
        past = self._history.get(name, [])
        if past and past[-1].digest == current.digest:
            current = past[-1]
            past = past[:-1]
        beside = _beside(facts)
        if beside and beside not in [one.digest for one in past]:
            past = [*past, _Password(beside, current.set_at)]
        if len({one.digest[:6] for one in (*past, current)}) > 1:
            # Another method's hashes: the current one takes none of them.
            self.omissions.append(
                not_carried(
                    f"passwords of user {name} beside the current one are left out: they belong to "
                    "another authentication method."
                )
            )
            past = []
        return [*past, current]

    def _read_history(self) -> dict[str, list[_Password]]:
        found: dict[str, list[_Password]] = defaultdict(list)
        for one in self._facts(
            "SELECT User, Host, HEX(Password) AS digest, UNIX_TIMESTAMP(Password_timestamp) AS "
            "set_at FROM mysql.password_history ORDER BY User, Host, Password_timestamp",
            may_lack=True,
        ):
            name = user_name(one["user"], one["host"])
            found[name].append(_Password(one["digest"], one["set_at"]))
        return found

    def _facts(self, query: str, may_lack: bool = False) -> list[Facts]:
        """The rows by column; none where the server has no such table."""
        try:
            reply = self._connection.execute(query, _TASK)
        except faults.UnknownNameError:
            if may_lack:
                return []
            raise
        return _by_column(reply)


def _by_column(reply: Reply) -> list[Facts]:
    return [
        {name.lower(): text(cell) for name, cell in zip(reply.columns, row, strict=True)}
        for row in reply.rows
    ]


def _login(method: str, password: _Password) -> tuple[str, tuple[tuple[str, str], ...]]:
    """(clause, session)."""
    session = ((TIMESTAMP, password.set_at),) if password.set_at else ()
    return f"{method} AS 0x{password.digest}" if password.digest else method, session


def _beside(facts: Facts) -> str:
    """The hash of the second password that is good beside the current one; empty: none."""
    attributes = facts.get("user_attributes", "")
    second = json.loads(attributes).get("additional_password", "") if attributes else ""
    return second.encode("utf-8", "surrogateescape").hex().upper()
