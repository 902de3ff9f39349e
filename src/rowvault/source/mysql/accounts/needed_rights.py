"""The rights that a restore needs, as far as the account's grants tell beforehand.

A right counts as there when the account has it anywhere in the database: the server decides, and
this only spares people a restore that stops in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.source.mysql.accounts.definers import lacking_for_definers
from rowvault.source.mysql.accounts.rights import read_rights
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import ExistingObject

_TO_MAKE = {
    ObjectKind.DATABASE: ("CREATE",),
    ObjectKind.SEQUENCE: ("CREATE",),
    ObjectKind.TABLE: ("CREATE", "INSERT"),
    ObjectKind.VIEW: ("CREATE VIEW",),
    ObjectKind.FUNCTION: ("CREATE ROUTINE",),
    ObjectKind.PROCEDURE: ("CREATE ROUTINE",),
    ObjectKind.PACKAGE: ("CREATE ROUTINE",),
    ObjectKind.PACKAGE_BODY: ("CREATE ROUTINE",),
    ObjectKind.TRIGGER: ("TRIGGER",),
    ObjectKind.EVENT: ("EVENT",),
}
_TO_DROP = {
    ObjectKind.SEQUENCE: ("DROP",),
    ObjectKind.TABLE: ("DROP",),
    ObjectKind.VIEW: ("DROP",),
    ObjectKind.FUNCTION: ("ALTER ROUTINE",),
    ObjectKind.PROCEDURE: ("ALTER ROUTINE",),
    ObjectKind.PACKAGE: ("ALTER ROUTINE",),
    ObjectKind.PACKAGE_BODY: ("ALTER ROUTINE",),
}
_SHOWING_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "REFERENCES")
"""Any of them on everything shows all tables and their foreign keys."""


def hindrance_to_move(connection: Connection, databases: Sequence[str]) -> str:
    """Why the account cannot exchange tables by renaming them; '' where it can."""
    rights = read_rights(connection)
    for database in databases:
        for right in ("ALTER", "CREATE", "INSERT", "DROP"):
            if not rights.has(right, database):
                return f"the account lacks {right} on `{database}`.*, with which tables are renamed"
    if not any(rights.has_globally(right) for right in _SHOWING_TABLES):
        return (
            "the account does not see all databases, and a foreign key in one that it does not "
            "see would follow the renamed table"
        )
    return ""


def lacking_rights(
    connection: Connection,
    vendor: str,
    made: Sequence[ObjectDefinition | TableDefinition],
    dropped: Sequence[ExistingObject],
) -> list[str]:
    """One message for each right that the account has nowhere in a database that needs it."""
    rights = read_rights(connection)
    wanted: dict[tuple[str, str], str] = {}
    for one in made:
        kind = ObjectKind.TABLE if isinstance(one, TableDefinition) else one.kind
        for right in _TO_MAKE.get(kind, ()):
            wanted.setdefault((right, one.database), one.label)
    for found in dropped:
        for right in _TO_DROP.get(found.kind, ()):
            wanted.setdefault((right, found.database), f"{found.label}, which is in the way")
    lacking = [
        f"{right} on `{database}`.* for {label}"
        for (right, database), label in wanted.items()
        if not rights.has_somewhere(right, database)
    ]
    objects = [one for one in made if not isinstance(one, TableDefinition)]
    return lacking + list(lacking_for_definers(connection, vendor, rights, objects))
