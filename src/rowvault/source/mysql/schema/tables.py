"""Tables of one database: definitions, keys, sizes."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.core.omission import Omission, missing, not_carried
from rowvault.source.mysql.keys.columns import ColumnFacts, UnknownTypeError, column_of, is_spatial
from rowvault.source.mysql.keys.keys import PRIMARY, IndexFacts, KeyChoice, choose_key
from rowvault.source.mysql.schema import history
from rowvault.source.mysql.schema.create_statement import kept_statement, tablespaces_of
from rowvault.source.mysql.schema.defaults import tell_defaults
from rowvault.source.mysql.schema.definition import (
    read_definition,
    with_reference_systems,
    without_unknown_options,
)
from rowvault.source.mysql.schema.enum_members import tell_members
from rowvault.source.mysql.schema.table_list import FOREIGN_ENGINES
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import SourceTable
from rowvault.sqltext.mysql.versioning import is_with_history
from rowvault.sqltext.quoting import mysql_string, qualified

BASE, VERSIONED = "BASE TABLE", "SYSTEM VERSIONED"
ROW_TABLES = (BASE, VERSIONED)


class TableFacts(msgspec.Struct, frozen=True):
    """One row of information_schema.tables."""

    database: str
    name: str
    kind: str
    """`BASE TABLE`, `SYSTEM VERSIONED`, `VIEW`, `SEQUENCE`, ..."""
    engine: str
    rows: int
    data_bytes: int
    comment: str


class OpenTable(msgspec.Struct, frozen=True):
    """A table to read, and the key that was chosen for it."""

    table: SourceTable
    choice: KeyChoice
    omissions: tuple[Omission, ...] = ()
    """What of its definition cannot be carried."""


def list_tables(connection: Connection, database: str) -> list[TableFacts]:
    """All tables, views and sequences of a database, by name."""
    rows = connection.rows(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, "
        "TABLE_COMMENT FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = {mysql_string(database)}",
        f"listing the tables of {database}",
    )
    listed = [
        TableFacts(
            text(row[0]),
            text(row[1]),
            text(row[2]),
            text(row[3]),
            int(row[4] or 0),
            int(row[5] or 0),
            text(row[6]),
        )
        for row in rows
    ]
    # The comparison above follows a collation that takes some different names for equal.
    return sorted((one for one in listed if one.database == database), key=lambda entry: entry.name)


class TableShapes:
    """Columns and indexes of all tables of one database, read at once."""

    def __init__(self, connection: Connection, database: str, table: str | None = None) -> None:
        """Reads them; of one table only where it is named."""
        self._connection = connection
        self._default_collations: dict[str, str] = {}
        self.database = database
        where = f"TABLE_SCHEMA = {mysql_string(database)}"
        if table is not None:
            where += f" AND TABLE_NAME = {mysql_string(table)}"
        self._columns = self._read_columns(where)
        self._indexes = self._read_indexes(where)
        self._systems = self._read_systems()

    @contextlib.contextmanager
    def unconverted(self) -> Iterator[None]:
        """Statements come as the bytes that they mean.

        A literal in an expression stands there in its own charset behind an introducer, and no
        conversion of the whole statement leaves it as it is.
        """
        task = "reading definitions"
        self._connection.execute("SET character_set_results = NULL", task)
        yield
        self._connection.execute("SET character_set_results = utf8mb4", task)

    def _default_collation(self, charset: bytes) -> bytes:
        if not self._default_collations:
            rows = self._connection.rows(
                "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM "
                "information_schema.CHARACTER_SETS",
                "reading the charsets",
            )
            self._default_collations = {text(row[0]): text(row[1]) for row in rows}
        return self._default_collations[charset.decode()].encode()

    def _read_columns(self, where: str) -> dict[str, list[ColumnFacts]]:
        rows = self._connection.rows(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, "
            "CHARACTER_SET_NAME, EXTRA, GENERATION_EXPRESSION, IS_NULLABLE "
            f"FROM information_schema.COLUMNS WHERE {where} ORDER BY ORDINAL_POSITION",
            f"reading the columns of {self.database}",
        )
        columns: dict[str, list[ColumnFacts]] = defaultdict(list)
        for schema, table, name, data_type, column_type, charset, extra, expression, null in rows:
            if text(schema) == self.database:
                columns[text(table)].append(
                    ColumnFacts(
                        text(name),
                        text(data_type),
                        text(column_type),
                        text(charset),
                        text(extra),
                        text(expression),
                        null == b"YES",
                    )
                )
        return columns

    def _read_systems(self) -> dict[str, dict[str, str]]:
        """Table -> column -> its reference system, which MariaDB lists here alone."""
        columns = (one for listed in self._columns.values() for one in listed)
        if not any(is_spatial(one) for one in columns) or not self._connection.rows(
            "SHOW TABLES FROM information_schema LIKE 'GEOMETRY\\_COLUMNS'"
        ):
            return {}
        rows = self._connection.rows(
            "SELECT G_TABLE_SCHEMA, G_TABLE_NAME, G_GEOMETRY_COLUMN, SRID "
            "FROM information_schema.GEOMETRY_COLUMNS "
            f"WHERE SRID <> 0 AND G_TABLE_SCHEMA = {mysql_string(self.database)}",
            f"reading the spatial columns of {self.database}",
        )
        systems: dict[str, dict[str, str]] = defaultdict(dict)
        for schema, table, column, system in rows:
            if text(schema) == self.database:
                systems[text(table)][text(column)] = text(system)
        return systems

    def _read_indexes(self, where: str) -> dict[str, list[IndexFacts]]:
        rows = self._connection.rows(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, "
            "INDEX_TYPE, COLLATION, SEQ_IN_INDEX "
            f"FROM information_schema.STATISTICS WHERE {where}",
            f"reading the indexes of {self.database}",
        )
        indexes: dict[str, dict[str, IndexFacts]] = defaultdict(dict)
        for schema, table, name, non_unique, column, prefix, kind, order, _ in sorted(
            rows, key=lambda row: int(row[8] or 0)
        ):
            if text(schema) != self.database:
                continue
            index = indexes[text(table)].setdefault(
                text(name), IndexFacts(text(name), non_unique == b"0", text(kind))
            )
            index.columns.append(text(column))
            if order == b"D":
                index.descending.append(text(column))
            index.has_prefix |= prefix is not None
        return {
            table: sorted(named.values(), key=lambda entry: (entry.name != PRIMARY, entry.name))
            for table, named in indexes.items()
        }

    def open(self, facts: TableFacts) -> OpenTable:
        """One table's definition. Raises StatementError, UnknownTypeError, AccessDeniedError."""
        label = f"{facts.database}.{facts.name}"
        shown = read_definition(self._connection, facts.database, facts.name)
        statement, ignored = without_unknown_options(kept_statement(shown, self._default_collation))
        statement = with_reference_systems(statement, self._systems.get(facts.name, {}))
        told = tell_members(
            self._connection,
            facts.database,
            facts.name,
            statement,
            self._columns.get(facts.name, []),
        )
        all_columns = told.columns
        statement = tell_defaults(
            self._connection, facts.database, facts.name, told.statement, all_columns
        )
        session: tuple[tuple[str, str], ...] = ()
        stored = [one for one in all_columns if not one.is_generated]
        if facts.kind == VERSIONED and history.is_carried(self._connection, all_columns):
            all_columns = history.with_period(all_columns)
            stored = [one for one in all_columns if not one.is_generated or one.is_period]
            session = history.SESSION
        columns = tuple(column_of(one) for one in stored)
        if not columns:
            raise SourceError(f"{label} has no column that can be read.")
        choice = choose_key(columns, all_columns, self._indexes.get(facts.name, []))
        definition = TableDefinition(
            database=facts.database,
            name=facts.name,
            columns=columns,
            key=choice.key,
            key_is_ordered=choice.is_ordered,
            statement=statement,
            session=session,
            engine=facts.engine,
        )
        table = SourceTable(definition, facts.rows, facts.data_bytes)
        omissions = told.omissions + _in_tablespaces(label, shown)
        quoted_name = qualified(facts.database, facts.name)
        if session and history.is_scattered(self._connection, quoted_name, statement):
            omissions = (*omissions, not_carried(_scattered(label)))
        if ignored:
            omissions = (*omissions, not_carried(_ignored(label, ignored)))
        return OpenTable(table, choice, omissions)


def _ignored(label: str, options: Iterable[str]) -> str:
    return (
        f"{label} has options that no engine of this server knows, and they are left out: "
        f"{', '.join(options)}."
    )


def open_tables(
    shapes: TableShapes, listed: Iterable[TableFacts], omissions: list[Omission]
) -> list[OpenTable]:
    """Those of the listed that hold rows of their own; what cannot be carried is named."""
    with shapes.unconverted():
        return _open_all(shapes, listed, omissions)


def _open_all(
    shapes: TableShapes, listed: Iterable[TableFacts], omissions: list[Omission]
) -> list[OpenTable]:
    opened: list[OpenTable] = []
    for facts in listed:
        label = f"{facts.database}.{facts.name}"
        if facts.engine.upper() in FOREIGN_ENGINES:
            omissions.append(
                missing(f"{label} is left out: the rows of a {facts.engine} table lie elsewhere.")
            )
            continue
        try:
            opened.append(shapes.open(facts))
        except UnknownTypeError as error:
            omissions.append(
                missing(f"{label} is left out: this version cannot read the type {error} exactly.")
            )
            continue
        except faults.StatementError as error:
            if not faults.is_broken_table(error):
                raise
            omissions.append(
                missing(
                    f"{label} is left out, because the server cannot open it: {error}. Repair it, "
                    "or drop it."
                )
            )
            continue
        omissions += opened[-1].omissions
        if facts.kind == VERSIONED and not is_with_history(opened[-1].table.definition):
            omissions.append(
                missing(
                    f"{label} is system-versioned: its current rows are kept, its history is left "
                    "out, because it counts transactions instead of times, or the server lacks "
                    "system_versioning_insert_history (MariaDB 10.11)."
                )
            )
    return opened


def _scattered(label: str) -> str:
    return (
        f"{label} has its history in several partitions of bounded size: all of it is kept, but a "
        "restore puts it into the first of them."
    )


def _in_tablespaces(label: str, shown: bytes) -> tuple[Omission, ...]:
    return tuple(
        not_carried(
            f"{label} lies in the general tablespace {name}, which is not carried: it is "
            "restored into a file of its own."
        )
        for name in tablespaces_of(shown)
    )
