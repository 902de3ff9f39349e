"""Users, roles and grants of a server, as statements that make them again."""

from __future__ import annotations

import msgspec

from rowvault.core.errors import AccessDeniedError, SnapshotLostError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.omission import Omission, missing
from rowvault.source.mysql.accounts.mariadb_accounts import MariadbAccounts
from rowvault.source.mysql.accounts.mysql_accounts import MysqlAccounts, UnknownFormError
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.mysql.account import (
    DEFAULT_ROLE,
    GRANT_RIGHT,
    GRANT_ROLE,
    PARTIAL_REVOKE,
    PUBLIC,
    user_name,
)
from rowvault.sqltext.mysql.grant import is_right, parse_grant
from rowvault.sqltext.quoting import encode_name

_TASK = "reading users and grants"
_READINGS = 5
_IGNORED = frozenset({1133, 1141, 1269, 1396, 3162})
"""The server's tables list the account, but the server itself does not know it."""

SERVERS_OWN = frozenset(
    {
        "`mariadb.sys`@`localhost`",
        "`mysql.sys`@`localhost`",
        "`mysql.session`@`localhost`",
        "`mysql.infoschema`@`localhost`",
        # Of Debian's packages; a file on the machine holds its password.
        "`debian-sys-maint`@`localhost`",
    }
)
"""Users that belong to the server's installation; they stay where they are."""


class Accounts(msgspec.Struct):
    """What was read."""

    objects: list[ObjectDefinition] = msgspec.field(default_factory=list)
    omissions: list[Omission] = msgspec.field(default_factory=list)


def read_accounts(connection: Connection) -> Accounts:
    """All users, roles and grants, but the server's own.

    No transaction holds them still, so they are read until two readings agree. Raises
    AccessDeniedError naming the right that is missing; SnapshotLostError when they never agree.
    """
    try:
        before = _read(connection)
        for _ in range(_READINGS):
            again = _read(connection)
            if again.objects == before.objects:
                return again
            before = again
    except faults.LostError:
        raise
    except faults.StatementDeniedError as error:
        raise AccessDeniedError(
            f"Users and grants cannot be read: {error}. "
            f"GRANT SELECT ON mysql.* TO {account_in_use(connection)}, or leave out --users."
        ) from error
    raise SnapshotLostError(
        "Users or grants changed each time that they were read. Run the backup again when nobody "
        "changes them."
    )


def account_in_use(connection: Connection) -> str:
    """The account that the connection acts as."""
    name = text(connection.rows("SELECT CURRENT_USER()", _TASK)[0][0])
    user, _, host = name.rpartition("@")
    return user_name(user, host)


def _read(connection: Connection) -> Accounts:
    version = text(connection.rows("SELECT VERSION()", _TASK)[0][0]).lower()
    reader = MariadbAccounts if "mariadb" in version else MysqlAccounts
    server = reader(connection)
    found = Accounts()
    for name in server.names():
        if name in SERVERS_OWN:
            continue
        try:
            found.objects += [
                *server.definitions(name),
                *_rights(connection, name, found.omissions),
            ]
        except UnknownFormError as error:
            found.omissions.append(missing(f"user {name} is left out: {error}"))
        except faults.StatementError as error:
            if error.code not in _IGNORED:
                raise
            found.omissions.append(
                missing(
                    f"user {name} is left out: the server's tables list it, but the server ignores "
                    "it (its host is a name under skip_name_resolve, or it was added by hand). "
                    f"DROP USER {name}, if nobody needs it."
                )
            )
    known = {one.name for one in found.objects if one.kind is not ObjectKind.GRANT} | {PUBLIC}
    for grantee, role, statement in server.role_grants():
        if grantee in known and role in known:
            found.objects.append(_grant(grantee, f"role {role}", GRANT_ROLE, statement))
    for grantee, statement in server.default_roles():
        if grantee in known:
            found.objects.append(_grant(grantee, "default role", DEFAULT_ROLE, statement))
    found.omissions += server.omissions
    return found


def _rights(connection: Connection, name: str, omissions: list[Omission]) -> list[ObjectDefinition]:
    grants: dict[str, ObjectDefinition] = {}
    for (cell,) in connection.rows(f"SHOW GRANTS FOR {name}", f"reading the grants of {name}"):
        line = text(cell)
        grant = parse_grant(line)
        if grant is None and is_right(line):
            # The line itself may hold a password's hash.
            omissions.append(missing(f"a grant of {name} is left out: it is not in a known form."))
        # MariaDB lists what a role's own roles hold, too.
        if grant is None or grant.grantee != name or grant.is_empty:
            continue
        order = PARTIAL_REVOKE if grant.verb == "REVOKE" else GRANT_RIGHT
        grants[grant.place] = _grant(name, grant.place, order, grant.statement)
    return list(grants.values())


def _grant(grantee: str, what: str, order: int, statement: str) -> ObjectDefinition:
    return ObjectDefinition(
        kind=ObjectKind.GRANT,
        database="",
        name=f"{grantee} {what}",
        statement=encode_name(statement),
        parent=grantee,
        order=order,
    )
