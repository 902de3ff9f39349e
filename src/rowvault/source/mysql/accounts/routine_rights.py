"""Rights on routines, which a server forgets when a routine is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import ExistingObject
from rowvault.sqltext.mysql.account import GRANT_RIGHT, PUBLIC, user_name
from rowvault.sqltext.quoting import encode_name, identifier, qualified

_ROUTINES = (
    ObjectKind.FUNCTION,
    ObjectKind.PROCEDURE,
    ObjectKind.PACKAGE,
    ObjectKind.PACKAGE_BODY,
)
_OPTION = "Grant"


def rights_on(
    connection: Connection, found: Iterable[ExistingObject], omissions: list[str]
) -> Sequence[ObjectDefinition]:
    """The grants on those of these objects that are routines.

    An account that may not read them gets one omission, because there may be some.
    """
    routines = {
        (one.kind.upper(), one.database, one.name) for one in found if one.kind in _ROUTINES
    }
    if not routines:
        return []
    try:
        rows = connection.rows(
            "SELECT User, Host, Db, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv",
            "reading the rights on routines",
        )
    except faults.StatementDeniedError:
        omissions.append(
            "rights of users on routines that were replaced are gone, if there were any: the "
            "account lacks SELECT on mysql.procs_priv and cannot give them back"
        )
        return []
    facts = [[text(cell) for cell in row] for row in rows]
    return [
        _grant(user, host, kind, database, name, rights.split(","))
        for user, host, database, name, kind, rights in facts
        if (kind.upper(), database, name) in routines
    ]


def _grant(
    user: str, host: str, kind: str, database: str, name: str, rights: list[str]
) -> ObjectDefinition:
    # A role has no host.
    role = PUBLIC if user == PUBLIC else identifier(user)
    grantee = user_name(user, host) if host else role
    given = ", ".join(one for one in rights if one != _OPTION) or "USAGE"
    option = " WITH GRANT OPTION" if _OPTION in rights else ""
    place = f"{kind} {qualified(database, name)}"
    return ObjectDefinition(
        kind=ObjectKind.GRANT,
        database="",
        name=f"{grantee} on {kind.lower()} {qualified(database, name)}",
        statement=encode_name(f"GRANT {given} ON {place} TO {grantee}{option}"),
        parent=grantee,
        order=GRANT_RIGHT,
    )
