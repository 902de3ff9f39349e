"""A snapshot, a database or a table as one script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.render.table import TableText
from rowvault.repository.manifest import Manifest, TableRecord
from rowvault.repository.repository import Repository
from rowvault.repository.snapshot import Snapshot
from rowvault.sqltext.account import before_objects, behind_objects
from rowvault.sqltext.grant import right_of
from rowvault.sqltext.order import before_rows, behind_rows
from rowvault.sqltext.script import Script, script_for

_SERVERS_OWN = ("information_schema", "mysql", "performance_schema", "sys")
"""Databases that every server has."""


@dataclass(frozen=True, slots=True)
class DumpResult:
    """What was written."""

    tables: int
    rows: int
    bytes: int


def dump_snapshot(
    repository: Repository,
    snapshot: Snapshot,
    database: str | None,
    table: str | None,
    write: Callable[[bytes], object],
    monitor: Monitor,
) -> DumpResult:
    """Writes a script that makes it all anew; a table alone names no database.

    Raises UsageError where the snapshot does not hold it, DamageError, and what `write` raises.
    """
    manifest = repository.manifest(snapshot)
    script = script_for(snapshot.server.vendor)
    records = _records(manifest, database, table)
    monitor.phase("dumping", sum(record.root.sums.rows for record in records))
    if table is not None:
        pieces = _table_alone(repository, records[0], script, monitor)
    else:
        objects = [
            one for one in manifest.objects() if database is None or one.database == database
        ]
        if database is not None and not records and not objects:
            raise UsageError(f"the snapshot holds no database {database}; `rowvault ls` lists them")
        pieces = _everything(repository, objects, records, script, monitor)
    written = 0
    for piece in pieces:
        write(piece)
        written += len(piece)
    return DumpResult(len(records), sum(record.root.sums.rows for record in records), written)


def _records(manifest: Manifest, database: str | None, table: str | None) -> list[TableRecord]:
    if database is None or table is None:
        return [
            record
            for record in manifest.tables()
            if database is None or record.definition.database == database
        ]
    found = manifest.table(database, table)
    if found is None:
        raise UsageError(
            f"the snapshot holds no table {database}.{table}; `rowvault ls` lists them"
        )
    return [found]


def _table_alone(
    repository: Repository, record: TableRecord, script: Script, monitor: Monitor
) -> Iterator[bytes]:
    yield script.prologue()
    yield from _table(repository, record, script, monitor)
    yield script.epilogue()


def _everything(
    repository: Repository,
    objects: Iterable[ObjectDefinition],
    records: Iterable[TableRecord],
    script: Script,
    monitor: Monitor,
) -> Iterator[bytes]:
    kept = list(objects)
    tables = list(records)
    yield script.prologue()
    # Programs name users as their definers; grants name tables and programs.
    yield from map(script.definition, before_objects(kept))
    yield from _definitions(before_rows(kept), script)
    in_use = None
    for record in sorted(tables, key=lambda record: script.comes_last(record.definition)):
        if record.definition.database != in_use:
            in_use = record.definition.database
            yield script.use(in_use)
        yield from _table(repository, record, script, monitor)
    yield from _definitions(behind_rows(kept), script)
    yield from map(script.definition, _grants(kept, tables, monitor))
    yield script.epilogue()


def _grants(
    objects: Sequence[ObjectDefinition], tables: Sequence[TableRecord], monitor: Monitor
) -> Iterator[ObjectDefinition]:
    """The grants on what the script makes: any other would end it half-way."""
    made = {(record.definition.database, record.definition.name) for record in tables}
    made |= {(one.database, one.name) for one in objects}
    for one in behind_objects(objects):
        grant = right_of(one)
        if (
            grant is None
            or grant.name is None
            or grant.database in _SERVERS_OWN
            or (grant.database, grant.name) in made
        ):
            yield one
        else:
            monitor.warning(f"{one.label} is left out: the snapshot does not hold what it is on")


def _table(
    repository: Repository, record: TableRecord, script: Script, monitor: Monitor
) -> Iterator[bytes]:
    monitor.item(record.definition.label)
    text = TableText(repository, record, script)
    yield from text.pieces()
    advice = script.advice(record.definition, text.largest_statement_bytes)
    if advice:
        monitor.warning(advice)
    monitor.advance(record.root.sums.rows, record.root.sums.raw_bytes)


def _definitions(objects: Iterable[ObjectDefinition], script: Script) -> Iterator[bytes]:
    in_use = None
    for one in objects:
        if one.kind is not ObjectKind.DATABASE and one.database != in_use:
            in_use = one.database
            yield script.use(in_use)
        yield script.definition(one)
