"""From sqlite_schema to a catalogue: which tables, which statements, what is left out."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from rowvault.core.errors import UnknownObjectError, UsageError
from rowvault.core.model import (
    Column,
    ObjectDefinition,
    ObjectKind,
    TableDefinition,
    ValueKind,
)
from rowvault.core.omission import missing, not_carried
from rowvault.source.protocol import Catalogue, Selection, SourceTable
from rowvault.source.sqlite.connection import DATABASE, Text, number, quoted, word
from rowvault.source.sqlite.settings import ENCODING, database_definition, read_settings
from rowvault.source.sqlite.shape import TableShape, read_shape

SEQUENCE_TABLE = "sqlite_sequence"
STATISTICS_TABLE = "sqlite_stat1"
CARRIED_SYSTEM_TABLES = (SEQUENCE_TABLE, STATISTICS_TABLE)
"""SQLite's own tables that hold more than can be computed: AUTOINCREMENT, ANALYZE."""

SYSTEM_PREFIX = "sqlite_"

_OBJECT_KINDS = {
    "index": ObjectKind.INDEX,
    "view": ObjectKind.VIEW,
    "trigger": ObjectKind.TRIGGER,
}
_EXTERNAL_CONTENT = re.compile(r"content\s*=\s*[\"'\[`]?([^\"'\]`,)\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SchemaEntry:
    """One row of sqlite_schema."""

    type: str
    name: str
    table: str
    """The table that it belongs to; of a table and a view its own name."""
    statement: bytes
    is_virtual: bool
    ordinal: int


def is_virtual_table(statement: bytes) -> bool:
    """SQLite writes the first words of a stored statement itself."""
    return statement.upper().startswith(b"CREATE VIRTUAL TABLE")


def read_catalogue(connection: sqlite3.Connection, selection: Selection) -> Catalogue:
    """All that is selected, under the connection's transaction.

    Raises UnknownObjectError, UsageError, sqlite3.Error.
    """
    _check_databases(selection)
    catalogue = Catalogue()
    entries = _schema(connection, catalogue)
    wanted = _Filter(selection, entries)
    if not selection.tables:
        catalogue.objects.append(database_definition(read_settings(connection)))
    tables = [entry for entry in entries if entry.type == "table" and not entry.is_virtual]
    chosen = [entry for entry in tables if wanted.table(entry.name)]
    _add_tables(connection, chosen, catalogue)
    _add_objects([entry for entry in entries if wanted.object(entry)], catalogue)
    if not selection.tables:
        _name_external_content(catalogue)
    return catalogue


class _Filter:
    """Decides what of a schema is selected; names match as SQLite matches them."""

    def __init__(self, selection: Selection, entries: Sequence[SchemaEntry]) -> None:
        self._excludes = selection.excludes
        self._everything = not selection.tables
        tables = {entry.name for entry in entries if entry.type == "table"}
        named = [name for _, name in selection.tables]
        if selection.may_be_absent:
            folded = {name.lower() for name in tables}
            named = [name for name in named if name.lower() in folded]
        self._chosen = {_table_named(name, tables) for name in named}

    def table(self, name: str) -> bool:
        """A table's rows and definition are wanted."""
        return (self._everything or name in self._chosen) and not self._excluded(name)

    def object(self, entry: SchemaEntry) -> bool:
        """An index follows its table; the others come only when no table was chosen."""
        if entry.type == "table":
            return entry.is_virtual and self.table(entry.name)
        if self._excluded(entry.name) or self._excluded(entry.table):
            return False
        return self._everything or (entry.type == "index" and entry.table in self._chosen)

    def _excluded(self, name: str) -> bool:
        return any(
            fnmatchcase(f"{DATABASE}.{name}", pattern) or fnmatchcase(DATABASE, pattern)
            for pattern in self._excludes
        )


def _check_databases(selection: Selection) -> None:
    if selection.users:
        raise UsageError("an SQLite file has no users; leave out --users")
    named = [*selection.databases, *(database for database, _ in selection.tables)]
    for name in named:
        if name != DATABASE:
            raise UnknownObjectError(
                f"no database {name!r}: the one database of an SQLite file is called {DATABASE!r}"
            )


def _table_named(name: str, tables: set[str]) -> str:
    if name in tables:
        return name
    folded = {table.lower(): table for table in tables}
    if name.lower() in folded:
        return folded[name.lower()]
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    hint = f"; is {DATABASE}.{folded[near[0]]} meant?" if near else ""
    raise UnknownObjectError(f"no table {DATABASE}.{name}{hint}")


def _schema(connection: sqlite3.Connection, catalogue: Catalogue) -> list[SchemaEntry]:
    """The rows of sqlite_schema that can be carried; the others become omissions."""
    entries: list[SchemaEntry] = []
    rows = connection.execute(
        "SELECT rowid, type, name, tbl_name, sql, rootpage FROM sqlite_master ORDER BY rowid"
    )
    for ordinal, kind, name, table, statement, root_page in rows:
        if statement is None:
            # An index that a PRIMARY KEY or UNIQUE makes by itself.
            continue
        entry = _entry(ordinal, kind, name, table, statement, root_page)
        if entry is None:
            shown = bytes(name).decode(errors="replace")
            catalogue.omissions.append(
                missing(
                    f"{kind.decode()} {DATABASE}.{shown}: its name or statement is not valid UTF-8;"
                    " it is left out"
                )
            )
        elif _is_lost(entry):
            catalogue.omissions.append(
                not_carried(
                    f"table {DATABASE}.{entry.name}: a table of SQLite's own that cannot be carried"
                    " over; run ANALYZE after a restore"
                )
            )
        else:
            entries.append(entry)
    return entries


def _entry(
    ordinal: int, kind: Text, name: Text, table: Text, statement: Text, root_page: int | None
) -> SchemaEntry | None:
    """None where Python cannot hand the name or the statement back to SQLite."""
    try:
        statement.decode()
        return SchemaEntry(
            type=kind.decode(),
            name=name.decode(),
            table=table.decode(),
            statement=bytes(statement),
            is_virtual=kind == b"table" and not root_page,
            ordinal=ordinal,
        )
    except UnicodeDecodeError:
        return None


def _is_lost(entry: SchemaEntry) -> bool:
    return (
        entry.type == "table"
        and entry.name.lower().startswith(SYSTEM_PREFIX)
        and entry.name not in CARRIED_SYSTEM_TABLES
    )


def _add_tables(
    connection: sqlite3.Connection, entries: Sequence[SchemaEntry], catalogue: Catalogue
) -> None:
    encoding = word(connection, f"PRAGMA {ENCODING}")
    estimates: list[tuple[TableDefinition, int]] = []
    for entry in entries:
        shape = read_shape(connection, entry.name)
        estimates.append((_definition(entry, shape, encoding), _estimate(connection, entry, shape)))
        if foreign := shape.foreign_collations:
            catalogue.omissions.append(
                not_carried(
                    f"table {DATABASE}.{entry.name}: collation {', '.join(foreign)}"
                    " is a program's own; the rows are kept, but a restore needs that collation"
                )
            )
    file_bytes = number(connection, "PRAGMA page_count") * number(connection, "PRAGMA page_size")
    all_rows = sum(rows for _, rows in estimates) or 1
    catalogue.tables += [
        SourceTable(definition, rows, file_bytes * rows // all_rows)
        for definition, rows in estimates
    ]


def _definition(entry: SchemaEntry, shape: TableShape, encoding: str) -> TableDefinition:
    return TableDefinition(
        database=DATABASE,
        name=entry.name,
        columns=tuple(
            Column(name=column.name, type=column.type, kind=ValueKind.DYNAMIC)
            for column in shape.columns
        ),
        key=shape.key,
        key_is_ordered=bool(shape.rowid_alias),
        statement=entry.statement,
        session=((ENCODING, encoding),),
        engine="sqlite",
    )


def _estimate(connection: sqlite3.Connection, entry: SchemaEntry, shape: TableShape) -> int:
    """Rows, as far as they can be guessed without a scan: from the span of the rowids."""
    if len(shape.order) != 1 or " COLLATE " in shape.order[0]:
        return 1000
    rowid, table = shape.order[0], quoted(entry.name)
    # Two statements: SQLite answers min and max from the ends of the tree only one at a time.
    high = number(connection, f"SELECT max({rowid}) FROM {table} NOT INDEXED")
    low = number(connection, f"SELECT min({rowid}) FROM {table} NOT INDEXED")
    return max(0, high - low + 1)


def _add_objects(entries: Sequence[SchemaEntry], catalogue: Catalogue) -> None:
    """Indexes, views (virtual tables among them) and triggers, each kind in schema order."""
    objects = [
        ObjectDefinition(
            kind=_OBJECT_KINDS.get(entry.type, ObjectKind.VIEW),
            database=DATABASE,
            name=entry.name,
            statement=entry.statement,
            parent=entry.table if entry.type in ("index", "trigger") else "",
            order=entry.ordinal if entry.type == "trigger" else 0,
        )
        for entry in entries
    ]
    creation_order = list(ObjectKind)
    catalogue.objects += sorted(objects, key=lambda made: creation_order.index(made.kind))


def _name_external_content(catalogue: Catalogue) -> None:
    """A full-text index over another table's rowids is only right where these are kept."""
    keyed_by_rowid = {
        table.definition.name.lower()
        for table in catalogue.tables
        if table.definition.key_is_ordered
    }
    tables = {table.definition.name.lower() for table in catalogue.tables}
    for definition in catalogue.objects:
        if not is_virtual_table(definition.statement):
            continue
        match = _EXTERNAL_CONTENT.search(definition.statement.decode())
        content = match.group(1).lower() if match else ""
        if content in tables - keyed_by_rowid:
            catalogue.omissions.append(
                not_carried(
                    f"virtual table {DATABASE}.{definition.name}: it points into {content} by"
                    " rowids that no column holds, and they may change; rebuild it after a restore:"
                    f" INSERT INTO {quoted(definition.name)}({quoted(definition.name)})"
                    " VALUES('rebuild')"
                )
            )
