"""What SHOW CREATE and information_schema say about the objects of one database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

import pymysql

Connection: TypeAlias = "pymysql.connections.Connection[Any]"
Row = dict[str, bytes | None]

_OF_RELATIONS = {
    "TABLES": ("TABLE_SCHEMA", "TABLE_NAME"),
    "COLUMNS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "STATISTICS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "PARTITIONS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "TABLE_CONSTRAINTS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "KEY_COLUMN_USAGE": ("TABLE_SCHEMA", "TABLE_NAME"),
    "REFERENTIAL_CONSTRAINTS": ("CONSTRAINT_SCHEMA", "TABLE_NAME"),
    "VIEWS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "GEOMETRY_COLUMNS": ("G_TABLE_SCHEMA", "G_TABLE_NAME"),
    "ST_GEOMETRY_COLUMNS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "CHECK_CONSTRAINTS": ("CONSTRAINT_SCHEMA", "TABLE_NAME"),
}
"""List -> the columns that say of what a row is."""
_OF_PROGRAMS = {
    "TRIGGERS": ("TRIGGER_SCHEMA", "TRIGGER_NAME"),
    "ROUTINES": ("ROUTINE_SCHEMA", "ROUTINE_NAME"),
    "PARAMETERS": ("SPECIFIC_SCHEMA", "SPECIFIC_NAME"),
    "EVENTS": ("EVENT_SCHEMA", "EVENT_NAME"),
}

_PASSING = frozenset(
    {
        "AVG_ROW_LENGTH",
        "CARDINALITY",
        "CHECKSUM",
        "CHECK_TIME",
        "CREATED",
        "CREATE_TIME",
        "DATA_FREE",
        "DATA_LENGTH",
        "INDEX_LENGTH",
        "LAST_ALTERED",
        "LAST_EXECUTED",
        "MAX_DATA_LENGTH",
        "MAX_INDEX_LENGTH",
        "ORIGINATOR",
        "TABLE_ROWS",
        "UPDATE_TIME",
    }
)
"""When something was made, where, and what a server guesses about its size."""


class Facts:
    """The rows of information_schema about one database."""

    def __init__(self, connection: Connection, database: str) -> None:
        self._connection = connection
        self._name = database
        self._known = self._known_columns()
        schemata = self._rows("SCHEMATA", "SCHEMA_NAME", "SCHEMA_NAME")
        self.database = "".join(_told(row) for row in schemata.get(database, []))
        """Empty: there is none of this name."""
        self._relations = {
            name: self._rows(name, *columns) for name, columns in _OF_RELATIONS.items()
        }
        self._programs = {
            name: self._rows(name, *columns) for name, columns in _OF_PROGRAMS.items()
        }
        self.relations = self._kinds()
        """Name -> kind of all tables, views and sequences."""

    def of_relation(self, name: str) -> str:
        """Of a table, view or sequence; a line for each row."""
        facts = _lines(self._relations, name)
        if self.relations[name] == "SEQUENCE":
            # It holds numbers only, and no statement gives it a collation.
            facts = re.sub("TABLE_COLLATION=[^;]*; ", "", facts)
        if "; ENGINE=Aria; " in facts:
            # It lists the options that were spelled out, also those that are the default's, which
            # SHOW CREATE spells out every time.
            facts = re.sub("CREATE_OPTIONS=[^;]*; ", "", facts)
        columns = self._relations["COLUMNS"].get(name, [])
        if not any(b"auto_increment" in (row["EXTRA"] or b"") for row in columns):
            # MySQL tells a number here for tables whose FULLTEXT index numbers the rows.
            facts = re.sub("AUTO_INCREMENT=[^;]*; ", "", facts)
        return facts

    def of_program(self, kind: str, name: str) -> str:
        """Of a routine, trigger or event."""
        if kind in ("TRIGGER", "EVENT"):
            return _lines({kind: self._programs[f"{kind}S"]}, name)
        facts = _lines({one: self._programs[one] for one in ("ROUTINES", "PARAMETERS")}, name)
        # A function and a procedure may have the same name.
        return "\n".join(line for line in facts.split("\n") if f"ROUTINE_TYPE={kind}; " in line)

    def columns(self, table: str) -> list[tuple[str, str]]:
        """(name, type) of a table's columns, in their order."""
        rows = self._relations["COLUMNS"].get(table, [])
        rows = sorted(rows, key=lambda row: int(row["ORDINAL_POSITION"] or 0))
        return [(_text(row["COLUMN_NAME"]), _text(row["DATA_TYPE"]).lower()) for row in rows]

    def untold_defaults(self, table: str) -> list[str]:
        """Columns with a default in which a character may read `?` that the catalogue lacks."""
        rows = self._relations["COLUMNS"].get(table, [])
        return [
            _text(row["COLUMN_NAME"])
            for row in rows
            if row["CHARACTER_SET_NAME"] and b"?" in (row["COLUMN_DEFAULT"] or b"")
        ]

    def names_period(self, table: str) -> bool:
        """Columns of a system-versioned table hold the start and the end of each version."""
        rows = self._relations["COLUMNS"].get(table, [])
        return any(_text(row["GENERATION_EXPRESSION"]) == "ROW START" for row in rows)

    def partitions(self, table: str) -> list[str]:
        """The parts that rows lie in: subpartitions where there are any."""
        rows = self._relations["PARTITIONS"].get(table, [])
        names = (row["SUBPARTITION_NAME"] or row["PARTITION_NAME"] for row in rows)
        return sorted(_text(name) for name in names if name is not None)

    def _kinds(self) -> dict[str, str]:
        tables = self._relations["TABLES"]
        # SHOW FULL TABLES would not tell a system-versioned table from another.
        return {name: _text(row["TABLE_TYPE"]) for name, (row,) in tables.items()}

    def _known_columns(self) -> set[tuple[str, str]]:
        rows = _query(
            self._connection,
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = 'information_schema'",
        )
        return {(_text(list_), _text(name)) for list_, name in (row.values() for row in rows)}

    def _rows(self, list_: str, schema: str, name: str) -> dict[str, list[Row]]:
        if (list_, schema) not in self._known or (list_, name) not in self._known:
            # The other vendor has it.
            return {}
        quoted = self._connection.escape(self._name)
        found: dict[str, list[Row]] = defaultdict(list)
        query = f"SELECT * FROM information_schema.{list_} WHERE {schema} = {quoted}"
        for row in _query(self._connection, query):
            # The server would take databases for equal that differ in case alone.
            if _text(row[schema]) == self._name:
                found[_text(row[name])].append(row)
        return found


def programs(connection: Connection, database: str) -> Iterator[tuple[str, str]]:
    """(kind, name) of all routines, triggers and events."""
    catalogue = "information_schema"
    queries = (
        f"SELECT ROUTINE_SCHEMA, ROUTINE_TYPE, ROUTINE_NAME FROM {catalogue}.ROUTINES",
        f"SELECT TRIGGER_SCHEMA, 'TRIGGER', TRIGGER_NAME FROM {catalogue}.TRIGGERS",
        f"SELECT EVENT_SCHEMA, 'EVENT', EVENT_NAME FROM {catalogue}.EVENTS",
    )
    for query in queries:
        for row in _query(connection, query):
            schema, kind, name = row.values()
            if _text(schema) == database:
                yield _text(kind), _text(name)


def shown(connection: Connection, statement: str) -> str:
    """All that a SHOW CREATE says."""
    (row,) = _query(connection, statement)
    return _told(row)


def _lines(lists: dict[str, dict[str, list[Row]]], name: str) -> str:
    return "\n".join(
        f"{list_}: {line}"
        for list_, rows in lists.items()
        for line in sorted(_told(row) for row in rows.get(name, []))
    )


def _told(row: Row) -> str:
    # A line is a row: what a difference names should be one.
    told = (f"{key}={_text(value)}" for key, value in row.items() if key.upper() not in _PASSING)
    return "; ".join(told).replace("\n", "\\n") + "; "


def _query(connection: Connection, statement: str) -> list[Row]:
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _text(value: bytes | None) -> str:
    return "NULL" if value is None else value.decode("utf-8", "backslashreplace")
