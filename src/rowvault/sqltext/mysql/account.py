"""Users, roles and grants: their names, and their statements as text for the stock clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rowvault.core.model import ACCOUNT_KINDS, ObjectDefinition, ObjectKind
from rowvault.sqltext.quoting import encode_name, identifier

TIMESTAMP = "timestamp"
"""In the session of a user or password: seconds since 1970 at which the password was set. Its age,
by which it expires, is counted from there (both manuals, "SET timestamp")."""

PUBLIC = "PUBLIC"
"""MariaDB's role that everybody has; nobody makes it."""

GRANT_ROLE, GRANT_RIGHT, PARTIAL_REVOKE, DEFAULT_ROLE, SETTLE_ROLE = range(5)
"""`order` of a grant: a default role must be granted before, a revoke needs what it takes from."""

_BEFORE = (ObjectKind.ROLE, ObjectKind.USER, ObjectKind.PASSWORD)
_CREATE_USER = b"CREATE USER "


def user_name(user: str, host: str) -> str:
    """A user as SQL has it: both parts in backticks."""
    return f"{identifier(user)}@{identifier(host)}"


def is_account(definition: ObjectDefinition) -> bool:
    """A part of a user or role, which belongs to no database."""
    return definition.kind in ACCOUNT_KINDS


def account_of(definition: ObjectDefinition) -> str:
    """The user or role that it is, or belongs to."""
    return definition.parent or definition.name


def before_objects(definitions: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """Roles, users, passwords: what programs name as their definers."""
    wanted = [one for one in definitions if one.kind in _BEFORE]
    return sorted(
        wanted,
        key=lambda definition: (
            _BEFORE.index(definition.kind),
            account_of(definition),
            definition.order,
        ),
    )


def behind_objects(definitions: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """Grants, which name tables, columns and routines."""
    grants = [one for one in definitions if one.kind is ObjectKind.GRANT]
    return sorted(grants, key=lambda definition: (definition.order, definition.name))


def account_statement(definition: ObjectDefinition) -> bytes:
    """As a script has it; the user of a script may be there already, and is then left as it is."""
    statement = definition.statement
    # A user whose password is set in several steps must be new: the steps would overwrite it.
    if definition.kind is ObjectKind.USER and not definition.order:
        statement = statement.replace(_CREATE_USER, b"CREATE USER IF NOT EXISTS ", 1)
    moment = dict(definition.session).get(TIMESTAMP)
    if moment is None:
        return statement + b";\n"
    begin = encode_name(f"SET SESSION timestamp = {moment};\n")
    return begin + statement + b";\nSET SESSION timestamp = DEFAULT;\n"


def counted(definitions: Sequence[ObjectDefinition]) -> str:
    """How many users, roles and grants, in words."""
    found = []
    for kind in (ObjectKind.USER, ObjectKind.ROLE, ObjectKind.GRANT):
        number = sum(one.kind is kind for one in definitions)
        if number:
            found.append(f"{number} {kind}{'' if number == 1 else 's'}")
    return ", ".join(found)
