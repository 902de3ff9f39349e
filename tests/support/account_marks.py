"""What a server holds of users, roles and grants, from its own tables, with nothing of Rowvault.

Who granted a table or routine, and when, is left out, as is the server's release in MariaDB's JSON;
all else counts, the time at which a password was set too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pymysql
import pymysql.cursors

from support.server import DatabaseServer

LEFT_OUT = frozenset(
    {"mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "root", "test"}
)
"""The servers' own users, and those whom the tests act as."""

_TABLES = {
    "mariadb": ("global_priv", "roles_mapping", "db", "tables_priv", "columns_priv", "procs_priv",
                "proxies_priv"),
    "mysql": ("user", "role_edges", "default_roles", "global_grants", "password_history", "db",
              "tables_priv", "columns_priv", "procs_priv", "proxies_priv"),
}  # fmt: skip
_IGNORED = frozenset({"Grantor", "Timestamp", "User_attributes", "Priv", "is_role"})
_NAMES = ("User", "USER", "TO_USER")

Marks = Mapping[str, str]


def account_marks(server: DatabaseServer) -> Marks:
    """Each row with its table, as a key; the values say nothing."""
    marks: dict[str, str] = {}
    with closing(server.connect(cursorclass=pymysql.cursors.DictCursor)) as connection:
        connection.query("SET SESSION time_zone = '+00:00', sql_mode = ''")
        for table in _TABLES[server.vendor]:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM mysql.{table}")
                rows = cursor.fetchall()
            for row in filter(_counts, rows):
                marks[f"{table} {_row(row)}"] = ""
    return marks


def empty_accounts(server: DatabaseServer) -> None:
    """Drops all users and roles but those that are left out."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        if server.vendor == "mariadb":
            # A user of this machine's name is of no use to a server that looks up no names.
            cursor.execute("DELETE FROM mysql.global_priv WHERE Host = @@hostname")
            for table in ("global_priv", "db"):
                cursor.execute(f"DELETE FROM mysql.{table} WHERE User = 'PUBLIC'")
            cursor.execute("FLUSH PRIVILEGES")
            cursor.execute("SELECT User FROM mysql.user WHERE is_role = 'Y' AND User <> 'PUBLIC'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP ROLE {_quoted(name)}")
            cursor.execute("SELECT User, Host FROM mysql.user WHERE is_role = 'N'")
        else:
            cursor.execute("SET GLOBAL mandatory_roles = ''")
            cursor.execute("SELECT User, Host FROM mysql.user")
        for user, host in cursor.fetchall():
            if user not in LEFT_OUT:
                cursor.execute(f"DROP USER {_quoted(user)}@{_quoted(host)}")


def _counts(row: Mapping[str, Any]) -> bool:
    return not any(row[name] in LEFT_OUT for name in _NAMES if name in row)


def _row(row: Mapping[str, Any]) -> str:
    facts = {name: _text(value) for name, value in row.items() if name not in _IGNORED}
    for name in ("Priv", "User_attributes"):
        if row.get(name):
            facts[name] = json.dumps(_sorted(json.loads(row[name])), sort_keys=True)
    return json.dumps(facts, sort_keys=True)


def _sorted(value: Any) -> Any:
    """MySQL keeps partial revokes in an order of its own; ways to log in have one that counts."""
    if not isinstance(value, dict):
        return value
    found = {key: one for key, one in value.items() if key != "version_id"}
    for entry in found.get("Restrictions", []):
        entry["Privileges"].sort()
    found.get("Restrictions", []).sort(key=lambda one: str(one["Database"]))
    return found


def _text(value: object) -> str:
    # A set of rights has no order.
    text = value.hex() if isinstance(value, bytes) else str(value)
    return ",".join(sorted(text.split(","))) if "," in text else text


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
