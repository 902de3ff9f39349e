"""TableIds by which it shows that a table is still the one that it was.

A table that is swapped for another by RENAME between the start of the snapshot and its first read
gives other rows without any error, and its definition may be the same. Its InnoDB id is not. It may
be swapped back before the end, so that the id is asked for beside each read too, while the reader
still holds the definition. Tables without transactions are read as they are at that instant; the
times of their making and of their last write tell whether that is what they were when the snapshot
began.
"""

from __future__ import annotations

import re
import time
from collections.abc import Set

import msgspec

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.quoting import mysql_string

Name = tuple[str, str]


class TableIds(msgspec.Struct, frozen=True):
    """The signs of all tables, read before the snapshot begins."""

    ids: dict[str, str] | None
    spaces: dict[str, str]
    """The tablespace of each table or partition that has one of its own, by the name that
    `tablespaces` gives; empty where the server has no such list."""
    write_times: dict[Name, str]


def read_table_ids(connection: Connection, moving: Set[Name]) -> TableIds:
    """The signs as they are now, or a second from now; write times of the tables `moving`."""
    ids = table_ids(connection)
    spaces = {} if ids is None else tablespaces(connection)
    return TableIds(ids, spaces, settled_write_times(connection, moving))


_ID_LISTS = ("INNODB_TABLES", "INNODB_SYS_TABLES")
"""MySQL, MariaDB."""
PARTITION = "#p#"
"""Stands between the names of a table and of its partition."""
_FRESH_S = 1.0


def tablespaces(connection: Connection, table: Name | None = None) -> dict[str, str]:
    """MySQL's numbers of tablespaces by `database/table` and `database/table#p#partition`.

    A table keeps its number under another name, and a table that is made anew has another one. They
    are found by name in an index, and unlike the list of ids without opening all other tables.
    `table`: of this one alone.
    """
    where = ""
    if table is not None:
        name = "/".join(table)
        parts = mysql_string(f"{name}{PARTITION}%")
        where = f" AND (NAME = {mysql_string(name)} OR NAME LIKE {parts} ESCAPE '')"
    try:
        rows = connection.rows(
            "SELECT NAME, SPACE FROM information_schema.INNODB_TABLESPACES_BRIEF "
            f"WHERE SPACE_TYPE = 'Single'{where}"
        )
    except faults.LostError:
        raise
    except faults.StatementError:
        return {}
    found = {text(row[0]): text(row[1]) for row in rows}
    return found if table is None else spaces_of(found, table)


def spaces_of(spaces: dict[str, str], table: Name) -> dict[str, str]:
    """Those of one table and its partitions, and of tables whose names read as if they were."""
    whole = "/".join(table)
    return {
        name: number
        for name, number in spaces.items()
        if name == whole or name.startswith(whole + PARTITION)
    }


def table_ids(connection: Connection, table: Name | None = None) -> dict[str, str] | None:
    """InnoDB's id by its own name of each table; None when the account may not ask (PROCESS).

    `table`: of this one, its partitions, and perhaps of others.
    """
    where = ""
    if table is not None and (table[0] + table[1]).isascii():
        name = mysql_string(f"{_file_name(table[0])}/{_file_name(table[1])}")
        where = f" WHERE NAME = {name} OR NAME LIKE CONCAT({name}, '#%')"
    for source in _ID_LISTS:
        try:
            rows = connection.rows(f"SELECT NAME, TABLE_ID FROM information_schema.{source}{where}")
        except faults.LostError:
            raise
        except faults.StatementError:
            continue
        return {text(row[0]): text(row[1]) for row in rows}
    return None


def innodb_names(ids: dict[str, str], database: str, table: str) -> dict[str, str]:
    """The ids of one table and of its partitions.

    InnoDB's names are encoded as file names are; letters beyond ASCII have codes of their own,
    which nothing here imitates. Of a table with such a name these are the ids of all tables with
    codes in their names: it is one of them.
    """
    if not (database + table).isascii():
        return {name: number for name, number in ids.items() if "@" in name}
    whole = f"{_file_name(database)}/{_file_name(table)}"
    if whole in ids:
        return {whole: ids[whole]}
    partition = whole + PARTITION
    return {name: ids[name] for name in ids if name.lower().startswith(partition.lower())}


def _file_name(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z_]", lambda match: f"@{ord(match[0]):04x}", name)


def write_times(connection: Connection, names: Set[Name]) -> dict[Name, str]:
    """When each of these tables was last written and made, and how much it holds; empty text where
    the server does not say the first."""
    return _last_writes(connection, names)[0]


def settled_write_times(connection: Connection, names: Set[Name]) -> dict[Name, str]:
    """When each of these tables, which have no transactions, was last written.

    Waits a second when the last write is younger than that: the server counts whole seconds, and
    only a write in a later one shows.
    """
    if not names:
        return {}
    times, newest_age_s = _last_writes(connection, names)
    if newest_age_s is not None and newest_age_s <= _FRESH_S:
        time.sleep(_FRESH_S)
        times = write_times(connection, names)
    return times


def _last_writes(connection: Connection, names: Set[Name]) -> tuple[dict[Name, str], float | None]:
    """(the signs of each table, the age of the youngest write)

    Their rows and bytes belong to them, because two tables may be of one second.
    """
    databases = ", ".join(mysql_string(name) for name in sorted({one[0] for one in names}))
    # Of one table alone the server opens no other.
    one_alone = f" AND TABLE_NAME = {mysql_string(next(iter(names))[1])}" if len(names) == 1 else ""
    rows = connection.rows(
        "SELECT TABLE_SCHEMA, TABLE_NAME, "
        "CONCAT_WS('/', UPDATE_TIME, CREATE_TIME, TABLE_ROWS, DATA_LENGTH), UPDATE_TIME IS NULL, "
        "TIMESTAMPDIFF(MICROSECOND, UPDATE_TIME, SYSDATE(6)) FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA IN ({databases}){one_alone}"
    )
    found = [(name, row) for row in rows if (name := (text(row[0]), text(row[1]))) in names]
    ages = [int(row[4]) / 1e6 for _, row in found if row[4] is not None]
    times = {name: "" if row[3] == b"1" else text(row[2]) for name, row in found}
    return times, min(ages, default=None)
