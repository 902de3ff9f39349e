"""A copy of the server's own `sys` schema in a database that a backup takes.

It holds what people's databases seldom do: some hundred views on views, functions and procedures of
hundreds of lines with comments, conditions, handlers and cursors, triggers that ask who is asking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pymysql
import pymysql.cursors

from support.server import DatabaseServer

_LISTS = {
    "TABLE": "SELECT TABLE_NAME FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = 'sys' AND TABLE_TYPE = 'BASE TABLE'",
    "FUNCTION": "SELECT ROUTINE_NAME FROM information_schema.ROUTINES"
    " WHERE ROUTINE_SCHEMA = 'sys' AND ROUTINE_TYPE = 'FUNCTION'",
    "PROCEDURE": "SELECT ROUTINE_NAME FROM information_schema.ROUTINES"
    " WHERE ROUTINE_SCHEMA = 'sys' AND ROUTINE_TYPE = 'PROCEDURE'",
    "TRIGGER": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'sys'",
    "VIEW": "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'sys'",
}
_STATEMENTS = ("Create Table", "Create Function", "Create Procedure", "SQL Original Statement")

_NO_SUCH_TABLE = 1146


@dataclass(frozen=True, slots=True)
class SysObject:
    """How to make one object of `sys` elsewhere."""

    kind: str
    name: str
    statement: str
    sql_mode: str


def copy_sys(server: DatabaseServer, database: str) -> dict[str, int]:
    """Makes everything of `sys` in `database`, which is there; kind -> how many were made."""
    with closing(server.connect()) as connection:
        objects = list(_objects(connection, database))
        connection.select_db(database)
        connection.query(
            "SET SESSION character_set_client = utf8mb3, collation_connection = utf8mb3_general_ci"
        )
        made = dict.fromkeys(_LISTS, 0)
        waiting = objects
        while waiting:
            left = [one for one in waiting if not _make(connection, one)]
            for one in waiting:
                made[one.kind] += one not in left
            # Views stand on views; another round makes those whose bases are there now.
            assert len(left) < len(waiting), [one.name for one in left]
            waiting = left
    return made


def _objects(connection: pymysql.connections.Connection[Any], database: str) -> Iterator[SysObject]:
    for kind, query in _LISTS.items():
        for name in _names(connection, query):
            with connection.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(f"SHOW CREATE {kind} sys.`{name}`")
                shown = cursor.fetchone()
            assert shown is not None
            wanted = ("Create View",) if kind == "VIEW" else _STATEMENTS
            text = next(shown[key] for key in wanted if key in shown)
            yield SysObject(kind, name, _moved(text, database), shown.get("sql_mode", ""))


def _names(connection: pymysql.connections.Connection[Any], query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [name for (name,) in cursor.fetchall()]


def _moved(statement: str, database: str) -> str:
    return re.sub(r"(?<![\w`@])(`sys`|sys)\.", f"`{database}`.", statement)


def _make(connection: pymysql.connections.Connection[Any], one: SysObject) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = %s", (one.sql_mode,))
        try:
            cursor.execute(one.statement.encode())
        except pymysql.MySQLError as error:
            if one.kind == "VIEW" and error.args[0] == _NO_SUCH_TABLE:
                return False
            error.add_note(f"{one.kind} {one.name}: {one.statement}")
            raise
        if one.kind == "TABLE":
            # Before there are triggers: their definer may not write here.
            cursor.execute(f"INSERT INTO `{one.name}` SELECT * FROM sys.`{one.name}`")
    return True
