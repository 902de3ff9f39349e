"""A snapshot, a database or a table as one script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rowvault.core.errors import UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.render.document import Fixed
from rowvault.render.large_row import FragmentText
from rowvault.render.rows import RowFormat, rows_text
from rowvault.render.table import Group, TableText, grouped
from rowvault.repository import Manifest, Repository, Snapshot, TableRecord
from rowvault.sqltext.mysql.account import before_objects, behind_objects
from rowvault.sqltext.mysql.grant import right_of
from rowvault.sqltext.order import post_data, pre_data
from rowvault.sqltext.script import Script, script_for

_GROUP_BYTES = 1 << 20
"""Of text whose blocks are read in one go."""
_SERVERS_OWN = ("information_schema", "mysql", "performance_schema", "sys")
"""Databases that every server has."""


@dataclass(frozen=True, slots=True)
class DumpResult:
    """What was written."""

    tables: int
    rows: int
    bytes: int
    omissions: tuple[str, ...] = ()
    """What a client that loads it will not make, or not exactly."""


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
    parts = snapshot_parts(repository, snapshot, database, table)
    records = [part.record for part in parts if isinstance(part, TableText)]
    monitor.phase("dumping", sum(record.root.sums.rows for record in records))
    script = script_for(snapshot.server.vendor)
    omissions: list[str] = [*snapshot.losses]
    for record in records:
        omissions += [f"{record.definition.label}: {note}" for note in record.notes]
    for part in parts:
        if isinstance(part, TableText):
            _write_table(part, script, write, monitor)
        else:
            write(part.content)
            omissions += part.omissions
    for omission in omissions:
        monitor.warning(omission)
    return DumpResult(
        len(records),
        sum(record.root.sums.rows for record in records),
        sum(part.length for part in parts),
        tuple(omissions),
    )


def dump_rows(
    repository: Repository,
    snapshot: Snapshot,
    name: tuple[str, str],
    row_format: RowFormat,
    write: Callable[[bytes], object],
    monitor: Monitor,
) -> DumpResult:
    """Writes the rows of one table, `name` its database and its own name, and nothing else.

    Raises UsageError where the snapshot does not hold it, DamageError, and what `write` raises.
    """
    (record,) = _records(repository.manifest(snapshot), *name)
    total = record.root.sums.rows
    monitor.phase("dumping", total)
    monitor.item(record.definition.label)
    length = 0
    for rows, text in rows_text(repository, record, row_format):
        write(text)
        length += len(text)
        monitor.advance(rows, len(text))
    omissions = tuple(f"{record.definition.label}: {note}" for note in record.notes)
    for omission in omissions:
        monitor.warning(omission)
    return DumpResult(1, total, length, omissions)


def snapshot_parts(
    repository: Repository, snapshot: Snapshot, database: str | None, table: str | None
) -> list[Fixed | TableText]:
    """The parts of that script, of which no row has been read.

    Raises UsageError where the snapshot does not hold it, DamageError.
    """
    manifest = repository.manifest(snapshot)
    script = script_for(snapshot.server.vendor)
    records = _records(manifest, database, table)
    if table is not None:
        return [
            Fixed(script.prologue()),
            TableText(repository, records[0], script),
            Fixed(script.epilogue()),
        ]
    objects = [one for one in manifest.objects() if database is None or one.database == database]
    if database is not None and not records and not objects:
        raise UsageError(f"the snapshot holds no database {database}; `rowvault ls` lists them")
    return list(_everything(repository, objects, records, script))


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


def _everything(
    repository: Repository,
    objects: Iterable[ObjectDefinition],
    records: Iterable[TableRecord],
    script: Script,
) -> Iterator[Fixed | TableText]:
    kept = list(objects)
    tables = list(records)
    yield Fixed(script.prologue())
    # Programs name users as their definers; grants name tables and programs.
    yield _joined(map(script.definition, before_objects(kept)))
    yield _joined(_definitions(pre_data(kept), script))
    in_use = None
    for record in sorted(tables, key=lambda record: script.comes_last(record.definition)):
        if record.definition.database != in_use:
            in_use = record.definition.database
            yield Fixed(script.use(in_use))
        yield TableText(repository, record, script)
    omissions = tuple(told for one in kept if (told := script.shortcoming(one)))
    yield Fixed(_joined(_definitions(post_data(kept), script)).content, omissions)
    yield _grants(kept, tables, script)
    yield Fixed(script.epilogue())


def objects_part(objects: Sequence[ObjectDefinition], script: Script) -> Fixed:
    """A script of what is not a table, to be loaded when the tables are there."""
    return _joined(
        [
            script.prologue(),
            *_definitions(pre_data(objects), script),
            *_definitions(post_data(objects), script),
            script.epilogue(),
        ]
    )


def _joined(statements: Iterable[bytes]) -> Fixed:
    return Fixed(b"".join(statements))


def _grants(
    objects: Sequence[ObjectDefinition], tables: Sequence[TableRecord], script: Script
) -> Fixed:
    """The grants on what the script makes: any other would end it half-way."""
    made = {(record.definition.database, record.definition.name) for record in tables}
    made |= {(one.database, one.name) for one in objects}
    statements: list[bytes] = []
    omissions: list[str] = []
    for one in behind_objects(objects):
        grant = right_of(one)
        if (
            grant is None
            or grant.name is None
            or grant.database in _SERVERS_OWN
            or (grant.database, grant.name) in made
        ):
            statements.append(script.definition(one))
        else:
            omissions.append(f"{one.label} is left out: the snapshot does not hold what it is on")
    return Fixed(b"".join(statements), tuple(omissions))


def _write_table(
    text: TableText, script: Script, write: Callable[[bytes], object], monitor: Monitor
) -> None:
    record = text.record
    monitor.item(record.definition.label)
    largest = 0
    for chunk in grouped((chunk for _, chunk in text.chunks(0)), _GROUP_BYTES):
        if isinstance(chunk, Group):
            for statement in chunk.statements():
                write(statement)
            largest = max(largest, max(one.length for one in chunk.chunks))
            continue
        write(chunk.text())
        if isinstance(chunk, FragmentText):
            largest = max(largest, chunk.statement_length)
    advice = script.advice(record.definition, largest)
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
