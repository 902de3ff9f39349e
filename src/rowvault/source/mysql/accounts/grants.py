"""The statements that give an account what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rowvault.source.mysql.accounts.rights import Rights
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import Selection
from rowvault.sqltext.quoting import identifier

EVERYWHERE = "*.*"


class Purpose(msgspec.Struct, frozen=True):
    """The rights for one purpose. Where several names stand together, the first known one is it."""

    on_databases: tuple[str, ...]
    on_server: tuple[tuple[str, ...], ...]


BACKUP = Purpose(
    on_databases=("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES"),
    on_server=(
        ("PROCESS",),
        ("RELOAD",),
        ("SHOW DATABASES",),
        ("BINLOG MONITOR", "REPLICATION CLIENT"),
        ("BACKUP_ADMIN",),
        ("SHOW_ROUTINE", "SHOW CREATE ROUTINE"),
    ),
)
RESTORE = Purpose(
    on_databases=(
        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES",
        "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "TRIGGER",
        "EVENT", "LOCK TABLES", "DELETE HISTORY",
    ),
    on_server=(
        ("SET USER", "SET_ANY_DEFINER", "SET_USER_ID"),
        ("ALLOW_NONEXISTENT_DEFINER",),
        ("SYSTEM_USER",),
        ("SHOW_ROUTINE", "SHOW CREATE ROUTINE"),
        ("PROCESS",),
        ("RELOAD",),
        ("BACKUP_ADMIN",),
        ("SESSION_VARIABLES_ADMIN",),
    ),
)  # fmt: skip
USERS_DATABASE = "mysql"


def known_rights(connection: Connection) -> frozenset[str]:
    """The names of all rights that this server has."""
    rows = connection.rows("SHOW PRIVILEGES", "asking which rights there are")
    return frozenset(text(row[0]).upper() for row in rows)


def lacking(
    purpose: Purpose, rights: Rights, known: frozenset[str], selection: Selection, account: str
) -> list[str]:
    """GRANT statements, none where nothing is missing."""
    databases = sorted({*selection.databases, *(database for database, _ in selection.tables)})
    wanted = [right for right in purpose.on_databases if right in known]
    statements = []
    if databases:
        for database in databases:
            missing = [right for right in wanted if not rights.has(right, database)]
            statements += _grant(missing, f"{_pattern(database)}.*", account)
        on_server: list[str] = []
    else:
        on_server = [right for right in wanted if not rights.has_globally(right)]
    for names in purpose.on_server:
        right = next((name for name in names if name in known), None)
        if right is not None and not rights.has_globally(right):
            on_server.append(right)
    if databases:
        # All of a few databases is chosen by name: nothing else needs to show.
        on_server = [right for right in on_server if right != "SHOW DATABASES"]
    return statements + _grant(on_server, EVERYWHERE, account)


def lacking_for_users(rights: Rights, account: str) -> list[str]:
    """What --users needs beyond a backup."""
    if rights.has("SELECT", USERS_DATABASE):
        return []
    return _grant(["SELECT"], f"{identifier(USERS_DATABASE)}.*", account)


def lacking_for_functions(rights: Rights, settings: Mapping[str, str], account: str) -> list[str]:
    """What a server with a binary log asks of those who make functions and triggers."""
    trusts = settings.get("log_bin_trust_function_creators", "OFF").upper() in ("ON", "1")
    if trusts or settings.get("log_bin", "OFF").upper() not in ("ON", "1"):
        return []
    return [] if rights.has_globally("SUPER") else _grant(["SUPER"], EVERYWHERE, account)


def lacking_for_routines(rights: Rights, known: frozenset[str], account: str) -> list[str]:
    """MariaDB without a right of that name shows the bodies to who may read its own table."""
    if known & {"SHOW_ROUTINE", "SHOW CREATE ROUTINE"} or rights.sees_routines("mysql"):
        return []
    return _grant(["SELECT"], f"{identifier('mysql')}.{identifier('proc')}", account)


def _grant(rights: Sequence[str], scope: str, account: str) -> list[str]:
    return [f"GRANT {', '.join(rights)} ON {scope} TO {account};"] if rights else []


def _pattern(database: str) -> str:
    """A database's name where a pattern may stand."""
    return identifier(database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def joined(*lists: Iterable[str]) -> tuple[str, ...]:
    """All statements, each once."""
    return tuple(dict.fromkeys(one for part in lists for one in part))
