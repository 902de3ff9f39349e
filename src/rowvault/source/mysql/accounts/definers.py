"""Which rights an account needs to make what others define, and which accounts there are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.source.mysql.accounts.rights import Rights
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.server import global_variables
from rowvault.sqltext.mysql.definer import Definer, definer_of

_ANY_DEFINER = {
    "mariadb": ("SET USER", "SUPER"),
    "mysql": ("SET_ANY_DEFINER", "SET_USER_ID", "SUPER"),
}
_ABSENT = ("ALLOW_NONEXISTENT_DEFINER", "SET_USER_ID", "SUPER")
_TELLS_ABSENT_APART = (8, 2)
"""The first MySQL that has a right of its own for definers that do not exist."""
_LOGGED = (ObjectKind.FUNCTION, ObjectKind.TRIGGER)
"""What may write, and stands in a binary log as the call of it."""
_MAY_LOG = ("SUPER", "BINLOG ADMIN")
_NAMED = 5


def current_account(connection: Connection) -> Definer:
    """The account that the connection acts as. Raises SourceError."""
    user, _, host = text(connection.rows("SELECT CURRENT_USER()")[0][0]).rpartition("@")
    return Definer(user, host)


def read_account_names(connection: Connection) -> frozenset[str] | None:
    """All users and roles, quoted; None where they do not show. Raises LostError."""
    rows = _rows(connection, "SELECT User, Host FROM mysql.user")
    if rows is None:
        return None
    return frozenset(
        # A role of MariaDB has no host; `%` is that of whoever comes from anywhere.
        Definer(user, host or None).quoted
        for user, host in rows
    )


def lacking_for_definers(
    connection: Connection, vendor: str, rights: Rights, made: Sequence[ObjectDefinition]
) -> Iterator[str]:
    """One message for each definer that the account may not name, and of the binary log."""
    own = {current_account(connection).quoted, *_current_role(connection)}
    found: dict[Definer, list[str]] = defaultdict(list)
    for one in made:
        definer = definer_of(one)
        if definer is not None and definer.quoted not in own:
            found[definer].append(one.label)
    if not any(rights.has_globally(right) for right in _ANY_DEFINER[vendor]):
        for definer, labels in sorted(found.items(), key=lambda item: str(item[0])):
            right = _ANY_DEFINER[vendor][0]
            yield f"{right} on *.* for {_listed(labels)}, whose definer is {definer}"
    elif vendor == "mysql":
        yield from _lacking_on_mysql(connection, rights, found, made)
    yield from _lacking_for_log(connection, rights, made)


def _lacking_on_mysql(
    connection: Connection,
    rights: Rights,
    found: dict[Definer, list[str]],
    made: Iterable[ObjectDefinition],
) -> Iterator[str]:
    names = read_account_names(connection)
    known = None if names is None else names | {one.name for one in made if not one.database}
    tells_apart = _version(connection) >= _TELLS_ABSENT_APART
    needs_right = tells_apart and not any(rights.has_globally(right) for right in _ABSENT)
    mighty: set[str] = set()
    if not rights.has_globally("SYSTEM_USER"):
        query = "SELECT USER, HOST FROM mysql.global_grants WHERE PRIV = 'SYSTEM_USER'"
        mighty = {Definer(*one).quoted for one in _rows(connection, query) or ()}
    for definer, labels in sorted(found.items(), key=lambda item: str(item[0])):
        if needs_right and known is not None and definer.quoted not in known:
            yield (
                f"{_ABSENT[0]} on *.* for {_listed(labels)}, whose definer {definer} does not "
                "exist on the target"
            )
        elif definer.quoted in mighty:
            yield f"SYSTEM_USER on *.* for {_listed(labels)}, whose definer {definer} has it"


def _lacking_for_log(
    connection: Connection, rights: Rights, made: Sequence[ObjectDefinition]
) -> Iterator[str]:
    labels = [one.label for one in made if one.kind in _LOGGED]
    if not labels or any(rights.has_globally(right) for right in _MAY_LOG):
        return
    values = global_variables(connection, ("log_bin", "log_bin_trust_function_creators"))
    if values.get("log_bin") == "ON" and values.get("log_bin_trust_function_creators") == "OFF":
        yield (
            f"SUPER on *.* for {_listed(labels)}, because the target keeps a binary log; or SET "
            "GLOBAL log_bin_trust_function_creators = ON there"
        )


def _current_role(connection: Connection) -> list[str]:
    """MariaDB's role of the session, which may be named as the definer without any right."""
    rows = _rows(connection, "SELECT CURRENT_ROLE(), ''") or [("NONE", "")]
    role = rows[0][0]
    return [] if role in ("", "NONE") or "@" in role else [Definer(role, None).quoted]


def _version(connection: Connection) -> tuple[int, ...]:
    version = text(connection.rows("SELECT VERSION()")[0][0])
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _rows(connection: Connection, query: str) -> list[tuple[str, str]] | None:
    """None where the account may not ask, or the server knows no such thing."""
    try:
        return [(text(one), text(other)) for one, other in connection.rows(query)]
    except faults.LostError:
        raise
    except faults.StatementError:
        return None


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")
