"""`ls`: the databases, tables, objects and columns of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_part
from rowvault.core.errors import UsageError
from rowvault.core.model import ACCOUNT_KINDS, Column, ObjectDefinition, ObjectKind
from rowvault.repository import Manifest, TableRecord
from rowvault.sqltext.mysql.account import counted


@dataclass(frozen=True, slots=True)
class ListedTable:
    """A table and its size."""

    database: str
    name: str
    rows: int
    raw_bytes: int
    blocks: int


@dataclass(slots=True)
class ListedDatabase:
    """A database and the sum of its tables."""

    name: str
    tables: int = 0
    objects: int = 0
    rows: int = 0
    raw_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ListedObject:
    """A view, trigger, routine, event, index, user, role or grant."""

    kind: str
    name: str
    parent: str
    """The table that it belongs to, or the user or role; empty: none."""


@dataclass(frozen=True, slots=True)
class DatabaseList:
    """All databases of a snapshot."""

    snapshot: str
    databases: list[ListedDatabase]
    accounts: str = ""
    """How many users, roles and grants it holds, in words; empty: none."""
    is_whole: bool = True
    """No rows or objects are missing that it was to hold."""


@dataclass(frozen=True, slots=True)
class AccountList:
    """The users, roles and grants of a snapshot."""

    snapshot: str
    objects: list[ListedObject]


@dataclass(frozen=True, slots=True)
class TableList:
    """What one database holds."""

    snapshot: str
    database: str
    tables: list[ListedTable] = field(default_factory=list)
    objects: list[ListedObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableDetails:
    """One table."""

    snapshot: str
    table: ListedTable
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    statement: str
    """CREATE TABLE, as the server gave it."""


@dataclass(frozen=True, slots=True)
class LsOptions:
    """What to list; both None: the databases."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice
    database: str | None
    table: str | None
    users: bool = False
    """Users, roles and grants instead."""


Listing = DatabaseList | TableList | TableDetails | AccountList


def ls(options: LsOptions) -> Listing:
    """Lists a part of a snapshot.

    Raises SnapshotNotFoundError, DamageError; UsageError for a name that it does not hold.
    """
    with options.repository.open() as repository:
        wanted = wanted_part(options.database, options.table)
        snapshot = options.snapshot.of(repository, wanted).snapshot
        manifest = repository.manifest(snapshot)
        if options.users:
            return AccountList(snapshot.id, [_listed_object(one) for one in _accounts(manifest)])
        if options.database is None:
            held = counted(_accounts(manifest))
            return DatabaseList(snapshot.id, _databases(manifest), held, snapshot.is_whole)
        if options.table is None:
            return _tables(snapshot.id, manifest, options.database)
        record = manifest.table(options.database, options.table)
        if record is None:
            raise UsageError(
                f"snapshot {snapshot.id} has no table {options.database}.{options.table}; "
                f"`rowvault ls {snapshot.id} {options.database}` lists them"
            )
        return _details(snapshot.id, record)


def _accounts(manifest: Manifest) -> list[ObjectDefinition]:
    return [one for one in manifest.objects("") if one.kind in ACCOUNT_KINDS]


def _databases(manifest: Manifest) -> list[ListedDatabase]:
    found: dict[str, ListedDatabase] = {name: ListedDatabase(name) for name in manifest.databases()}
    for record in manifest.tables():
        entry = found.setdefault(
            record.definition.database, ListedDatabase(record.definition.database)
        )
        entry.tables += 1
        entry.rows += record.root.sums.rows
        entry.raw_bytes += record.root.sums.raw_bytes
    for definition in manifest.objects():
        if _is_listed(definition):
            found.setdefault(definition.database, ListedDatabase(definition.database)).objects += 1
    return list(found.values())


def _tables(snapshot: str, manifest: Manifest, database: str) -> TableList:
    found = TableList(snapshot, database)
    found.tables.extend(_listed(record) for record in manifest.tables(database))
    definitions = list(manifest.objects(database))
    if not found.tables and not definitions:
        raise UsageError(
            f"snapshot {snapshot} has no database {database}; `rowvault ls {snapshot}` lists them"
        )
    found.objects.extend(_listed_object(one) for one in definitions if _is_listed(one))
    return found


def _listed_object(definition: ObjectDefinition) -> ListedObject:
    return ListedObject(str(definition.kind), definition.name, definition.parent)


def _details(snapshot: str, record: TableRecord) -> TableDetails:
    definition = record.definition
    return TableDetails(
        snapshot=snapshot,
        table=_listed(record),
        columns=definition.columns,
        key=tuple(definition.columns[index].name for index in definition.key),
        statement=definition.statement.decode("utf-8", "replace"),
    )


def _listed(record: TableRecord) -> ListedTable:
    sums = record.root.sums
    return ListedTable(
        database=record.definition.database,
        name=record.definition.name,
        rows=sums.rows,
        raw_bytes=sums.raw_bytes,
        blocks=sums.entries,
    )


def _is_listed(definition: ObjectDefinition) -> bool:
    """Databases are listed as such, not as objects inside themselves; users have no database."""
    return definition.kind is not ObjectKind.DATABASE and definition.kind not in ACCOUNT_KINDS
