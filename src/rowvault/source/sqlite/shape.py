"""What SQLite says of one table: its stored columns, its key, and the order it lies in."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from rowvault.source.sqlite.connection import quoted

# `PRAGMA collation_list` also names what a schema mentions and nobody provides.
_BUILT_IN_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")

_ROWID_NAMES = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column whose values lie in the file; generated columns are computed."""

    name: str
    type: str
    is_not_null: bool


@dataclass(frozen=True, slots=True)
class TableShape:
    """The columns, the key and the reading order of one table."""

    columns: tuple[StoredColumn, ...]
    key: tuple[int, ...]
    """Indices into `columns`; empty where no key is both unique and not null."""
    rowid_alias: str
    """The INTEGER PRIMARY KEY column, or empty."""
    order: tuple[str, ...]
    """SQL expressions in whose order the rows lie; empty where it cannot be named."""
    foreign_collations: tuple[str, ...]
    """Collations that indexes or the key use and that are not SQLite's own."""


@dataclass(frozen=True, slots=True)
class _IndexShape:
    """An index that keeps rows unique: PRIMARY KEY, UNIQUE, or CREATE UNIQUE INDEX."""

    is_primary: bool
    is_usable_as_key: bool
    has_rowid: bool
    key_columns: tuple[str, ...]
    collations: tuple[str, ...]
    order: tuple[str, ...]
    """The key's columns as ORDER BY terms."""


def read_shape(connection: sqlite3.Connection, table: str) -> TableShape:
    """The shape of a table that is not virtual. Raises sqlite3.Error."""
    columns, primary = _columns(connection, table)
    indexes = _indexes(connection, table)
    primary_index = next((index for index in indexes if index.is_primary), None)
    is_without_rowid = primary_index is not None and not primary_index.has_rowid
    alias = primary[0] if len(primary) == 1 and primary_index is None else ""
    foreign = {
        collation
        for index in indexes
        for collation in index.collations
        if collation.upper() not in _BUILT_IN_COLLATIONS
    }
    if is_without_rowid:
        assert primary_index is not None
        # Without ORDER BY the rows come as they lie, and no comparison is needed.
        order = () if foreign else primary_index.order
    else:
        order = _rowid_order(connection, table, alias)
    return TableShape(
        columns=columns,
        key=_key(columns, alias, is_without_rowid, indexes),
        rowid_alias=alias,
        order=order,
        foreign_collations=tuple(sorted(foreign)),
    )


def _columns(
    connection: sqlite3.Connection, table: str
) -> tuple[tuple[StoredColumn, ...], tuple[str, ...]]:
    """(stored columns in ordinal order, names of the primary key's columns in key order)."""
    stored: list[StoredColumn] = []
    primary: list[tuple[int, str]] = []
    rows = connection.execute(
        'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid',
        (table,),
    )
    for raw_name, raw_type, is_not_null, primary_ordinal, hidden in rows:
        name = raw_name.decode()
        if hidden == 0:
            stored.append(StoredColumn(name, raw_type.decode(), bool(is_not_null)))
        if primary_ordinal:
            primary.append((primary_ordinal, name))
    return tuple(stored), tuple(name for _, name in sorted(primary))


def _indexes(connection: sqlite3.Connection, table: str) -> list[_IndexShape]:
    """All indexes of a table, those that the table was made with first."""
    listed = connection.execute(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?) ORDER BY seq DESC',
        (table,),
    ).fetchall()
    return [
        _index(connection, name.decode(), origin == b"pk", bool(unique) and not partial)
        for name, unique, origin, partial in listed
    ]


def _index(
    connection: sqlite3.Connection, name: str, is_primary: bool, is_whole_and_unique: bool
) -> _IndexShape:
    rows = connection.execute(
        'SELECT cid, name, coll, "desc", "key" FROM pragma_index_xinfo(?) ORDER BY seqno', (name,)
    ).fetchall()
    keys = [row for row in rows if row[4]]
    named = [
        (column.decode(), collation.decode(), is_descending)
        for cid, column, collation, is_descending, _ in keys
        if cid >= 0
    ]
    return _IndexShape(
        is_primary=is_primary,
        # cid -2 is an expression: no column holds its value.
        is_usable_as_key=is_whole_and_unique and len(named) == len(keys),
        has_rowid=any(row[0] == -1 for row in rows),
        key_columns=tuple(column for column, _, _ in named),
        collations=tuple(row[2].decode() for row in keys),
        order=tuple(
            f"{quoted(column)} COLLATE {quoted(collation)}{' DESC' if is_descending else ''}"
            for column, collation, is_descending in named
        ),
    )


def _key(
    columns: tuple[StoredColumn, ...],
    alias: str,
    is_without_rowid: bool,
    indexes: list[_IndexShape],
) -> tuple[int, ...]:
    ordinals = {column.name: ordinal for ordinal, column in enumerate(columns)}
    if alias:
        return (ordinals[alias],)
    for index in sorted(indexes, key=lambda index: not index.is_primary):
        if not index.is_usable_as_key or not all(name in ordinals for name in index.key_columns):
            continue
        key = tuple(ordinals[name] for name in index.key_columns)
        # A primary key of a table with rowids takes NULLs unless its columns say NOT NULL.
        if (index.is_primary and is_without_rowid) or all(columns[at].is_not_null for at in key):
            return key
    return ()


def _rowid_order(connection: sqlite3.Connection, table: str, alias: str) -> tuple[str, ...]:
    """The name that means the rowid: a column of that name hides it."""
    if alias:
        return (quoted(alias),)
    taken = {
        row[0].decode().lower()
        for row in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))
    }
    free = [name for name in _ROWID_NAMES if name not in taken]
    return (free[0],) if free else ()
