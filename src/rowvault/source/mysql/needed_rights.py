"""The rights that a restore needs, as far as the account's grants tell beforehand.

A right counts as there when the account has it anywhere in the database: the server decides, and
this only spares people a restore that stops in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.source.mysql.connection import Connection, text
from rowvault.source.mysql.rights import read_rights
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
_ANY_DEFINER = {
    "mariadb": ("SET USER", "SUPER"),
    "mysql": ("SET_ANY_DEFINER", "SET_USER_ID", "SUPER"),
}
_HEAD_BYTES = 400
"""A definer stands in front of what its statement makes."""
_DEFINER = re.compile(rb"\sDEFINER\s*=\s*`((?:[^`]|``)*)`@`((?:[^`]|``)*)`")


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
    if not any(rights.has_globally(right) for right in _ANY_DEFINER[vendor]):
        account = text(connection.rows("SELECT CURRENT_USER()")[0][0])
        lacking += list(_foreign_definers(made, account, _ANY_DEFINER[vendor][0]))
    return lacking


def _foreign_definers(
    made: Sequence[ObjectDefinition | TableDefinition], account: str, right: str
) -> Iterator[str]:
    for one in made:
        if isinstance(one, TableDefinition):
            continue
        match = _DEFINER.search(one.statement[:_HEAD_BYTES])
        if match is None:
            continue
        definer = b"@".join(match.groups()).replace(b"``", b"`").decode("utf-8", "surrogateescape")
        if definer != account:
            yield f"{right} on *.* for {one.label}, whose definer is {definer}"
            return
