"""Compares what two servers hold, with nothing of Rowvault in it.

Every object is compared by all that SHOW CREATE and information_schema say about it, and every
table by the bytes of its rows; see `catalogue_marks` and `row_marks`. All is read as the server
holds it: no charset is converted, no value becomes a Python number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

import pymysql

from support.catalogue_marks import Facts, programs, shown
from support.row_marks import rows_mark

Fingerprint = Mapping[str, str]
"""What it is of -> its mark: equal marks, equal things."""


class Server(Protocol):
    """Whatever a plain connection can be had from."""

    def connect(self, **arguments: Any) -> pymysql.connections.Connection[Any]: ...


def fingerprint(server: Server, databases: Sequence[str]) -> Fingerprint:
    """The marks of all tables and objects of these databases; `{}` for databases not there."""
    with closing(server.connect(use_unicode=False, conv={})) as connection:
        connection.query("SET SESSION time_zone = '+00:00', sql_mode = ''")
        connection.query(
            "SET SESSION character_set_results = NULL, group_concat_max_len = 4294967295"
        )
        # MySQL alone has it: how long the AUTO_INCREMENT that it tells may be out of date.
        connection.query("/*!80000 SET SESSION information_schema_stats_expiry = 0 */")
        marks: dict[str, str] = {}
        for database in databases:
            marks |= _database_marks(connection, database)
        return marks


def differences(left: Fingerprint, right: Fingerprint) -> list[str]:
    """One line for each thing that is not the same; empty when all is."""
    lines = []
    for label in sorted({*left, *right}):
        if label not in right:
            lines.append(f"{label}: only on the left")
        elif label not in left:
            lines.append(f"{label}: only on the right")
        elif left[label] != right[label]:
            lines.append(f"{label}: {_difference(left[label], right[label])}")
    return lines


def _difference(left: str, right: str) -> str:
    mine, other = left.split("\n"), right.split("\n")
    only_mine = [line for line in mine if line not in other]
    only_other = [line for line in other if line not in mine]
    # The same lines, but in another order or number: all of them tell it.
    return f"{only_mine or mine} is not {only_other or other}"


def _database_marks(
    connection: pymysql.connections.Connection[Any], database: str
) -> dict[str, str]:
    facts = Facts(connection, database)
    if not facts.database:
        return {}
    place = _named(database)
    create = shown(connection, f"SHOW CREATE DATABASE {place}")
    marks = {f"database {database}": f"{create}\n{facts.database}"}
    for name, kind in facts.relations.items():
        label, full = f"{database}.{name}", f"{place}.{_named(name)}"
        word = kind if kind in ("VIEW", "SEQUENCE") else "TABLE"
        create = shown(connection, f"SHOW CREATE {word} {full}")
        marks[f"{word.lower()} {label}"] = f"{create}\n{facts.of_relation(name)}"
        if word != "VIEW":
            marks[f"rows {label}"] = rows_mark(connection, facts, database, name)
    for kind, name in programs(connection, database):
        create = shown(connection, f"SHOW CREATE {kind} {place}.{_named(name)}")
        marks[f"{kind.lower()} {database}.{name}"] = f"{create}\n{facts.of_program(kind, name)}"
    return marks


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
