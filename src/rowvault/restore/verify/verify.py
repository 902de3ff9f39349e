"""Proves that a live server holds what a snapshot holds: reads it as a backup would.

Definitions are compared as the server writes them. Rows are read, cut and hashed by the ordinary
path of a backup, with the secret of the repository, and the trees are compared. Equal trees are
equal rows in equal order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from rowvault.core.model import ObjectDefinition, ObjectKind, ServerInfo, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.core.omission import texts_of
from rowvault.repository import Repository, TableRecord
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.account_problems import account_problems
from rowvault.restore.verify.definitions import additions, object_problems, table_problem
from rowvault.restore.verify.json_documents import document_columns, renumbered_rows
from rowvault.restore.verify.row_problems import row_problem, rows_are_equal
from rowvault.scan.sink import HashingSink
from rowvault.scan.table import ScannedTable
from rowvault.scan.workers import scan_tables
from rowvault.source.protocol import Catalogue, Selection, Source, SourceSnapshot, SourceTable
from rowvault.sqltext.mysql.account import is_account

Definition = TableDefinition | ObjectDefinition
TableName = tuple[str, str]
"""(database, table)"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a live server differs from what a snapshot holds; one message each, empty: not at all."""

    server: ServerInfo
    """The live server."""
    databases: tuple[str, ...]
    """Of the databases' own settings."""
    definitions: tuple[str, ...]
    """Of everything in them."""
    rows: tuple[str, ...]
    not_selected: tuple[str, ...] = ()
    """Labels of what the server has and the snapshot was not asked to hold; no difference."""

    @property
    def differences(self) -> tuple[str, ...]:
        """All messages, definitions first."""
        return self.databases + self.definitions + self.rows


def compare(
    repository: Repository,
    chosen: RestoreSelection,
    source: Source,
    worker_count: int,
    monitor: Monitor,
    *,
    asked_for: Callable[[Definition], bool] | None = None,
    with_users: bool = False,
    proven: frozenset[TableName] = frozenset(),
) -> Comparison:
    """Reads the server's definitions and all rows of the chosen tables, and compares.

    Of the tables in `proven` the definitions alone.
    With `asked_for` what the server has beyond the snapshot in the chosen databases is named, too:
    as a difference where the snapshot was to hold it;
    `with_users` compares users, roles and grants. Raises SourceError when the server cannot be
    read.
    """
    sink = HashingSink(repository)
    left = [one for one in chosen.tables if _name(one.definition) not in proven]
    monitor.phase("verifying", sum(record.root.sums.rows for record in left))
    selection = _selection(chosen, asked_for is not None)
    selection = msgspec.structs.replace(selection, users=with_users)
    with source.open_snapshot(worker_count, selection) as view:
        catalogue = view.catalogue(selection)
        accounts = [one for one in catalogue.objects if is_account(one)]
        catalogue.objects = [one for one in catalogue.objects if not is_account(one)]
        databases = [one for one in chosen.objects if one.kind is ObjectKind.DATABASE]
        others = [one for one in chosen.objects if one.kind is not ObjectKind.DATABASE]
        # A table by itself says nothing of its database.
        of_databases = () if selection.tables else object_problems(databases, catalogue.objects)
        definitions = list(object_problems(others, catalogue.objects))
        added, not_selected = _additions(chosen, catalogue, asked_for)
        definitions += added
        if with_users:
            definitions += account_problems(chosen.accounts, accounts, chosen.reach)
        same, rows = _readable(chosen, catalogue, definitions)
        same = [one for one in same if _name(one.definition) not in proven]
        scan = scan_tables(view, same, sink, repository, monitor)
        expected = {_name(record.definition): record for record in left}
        for scanned in scan.tables:
            record = expected[_name(scanned.definition)]
            if not _is_equal(repository, record, scanned, view, monitor):
                rows.append(row_problem(repository, record, scanned, sink, view.readers()[0]))
        view.confirm(catalogue)
        server = view.server
    return Comparison(
        server, tuple(of_databases), tuple(definitions), tuple(rows), tuple(not_selected)
    )


def _label(definition: Definition) -> str:
    return (
        f"table {definition.label}" if isinstance(definition, TableDefinition) else definition.label
    )


def equal_tables(
    repository: Repository,
    records: Sequence[TableRecord],
    source: Source,
    worker_count: int,
    monitor: Monitor,
) -> set[TableName]:
    """Those of these tables, all of which exist, whose definitions and rows are the snapshot's.

    Raises SourceError when the server cannot be read.
    """
    return _equal(repository, records, source, worker_count, monitor, _is_defined_alike)


def equal_rows(
    repository: Repository,
    records: Sequence[TableRecord],
    source: Source,
    worker_count: int,
    monitor: Monitor,
) -> set[TableName]:
    """Like `equal_tables`, but of the definitions only the columns and the key are compared."""
    return _equal(repository, records, source, worker_count, monitor, _is_shaped_alike)


def _equal(
    repository: Repository,
    records: Sequence[TableRecord],
    source: Source,
    worker_count: int,
    monitor: Monitor,
    is_alike: Callable[[TableDefinition, TableDefinition], bool],
) -> set[TableName]:
    sink = HashingSink(repository)
    expected = {_name(record.definition): record for record in records}
    selection = Selection(tables=tuple(expected))
    with source.open_snapshot(worker_count, selection) as view:
        catalogue = view.catalogue(selection)
        alike = [
            table
            for table in catalogue.tables
            if is_alike(expected[_name(table.definition)].definition, table.definition)
        ]
        scan = scan_tables(view, alike, sink, repository, monitor)
        view.confirm(catalogue)
    return {
        name
        for scanned in scan.tables
        if rows_are_equal(expected[name := _name(scanned.definition)], scanned)
    }


def _is_shaped_alike(expected: TableDefinition, found: TableDefinition) -> bool:
    return _shape_problem(expected, found) is None


def _is_defined_alike(expected: TableDefinition, found: TableDefinition) -> bool:
    return table_problem(expected, found) is None and _is_shaped_alike(expected, found)


def _selection(chosen: RestoreSelection, with_additions: bool) -> Selection:
    """What to read of the server: whole databases only where more than their tables is asked."""
    names = tuple(_name(record.definition) for record in chosen.tables)
    has_objects = any(one.kind is not ObjectKind.DATABASE for one in chosen.objects)
    if with_additions or has_objects or not names:
        return Selection(databases=tuple(chosen.databases), may_be_absent=True)
    return Selection(tables=names, may_be_absent=True)


def _readable(
    chosen: RestoreSelection, catalogue: Catalogue, definitions: list[str]
) -> tuple[list[SourceTable], list[str]]:
    """The tables whose rows can be compared, and messages for the others.

    Adds to `definitions` what the CREATE TABLE statements do not agree in.
    """
    found = {_name(one.definition): one for one in catalogue.tables}
    same: list[SourceTable] = []
    problems: list[str] = []
    for record in chosen.tables:
        table = found.get(_name(record.definition))
        if table is None:
            problems.append(_absence(record.definition, catalogue))
            continue
        is_renamed = _name(record.definition) in chosen.renamed
        difference = table_problem(record.definition, table.definition, is_renamed=is_renamed)
        if difference:
            definitions.append(difference)
        problem = _shape_problem(record.definition, table.definition)
        if problem:
            problems.append(problem)
        else:
            same.append(table)
    return same, problems


def _absence(definition: TableDefinition, catalogue: Catalogue) -> str:
    reasons = [
        one for one in texts_of(catalogue.omissions) if one.startswith(f"{definition.label} ")
    ]
    return f"table {definition.label}: {reasons[0] if reasons else 'not on the target'}"


def _name(definition: TableDefinition) -> TableName:
    return definition.database, definition.name


def _shape_problem(expected: TableDefinition, found: TableDefinition) -> str | None:
    """Trees compare only between tables whose rows are written alike."""
    for old, new in zip(expected.columns, found.columns, strict=False):
        # The introducer matters to statements alone: which charset it is, the definitions tell.
        if (old.name, old.kind, bool(old.introducer)) != (
            new.name,
            new.kind,
            bool(new.introducer),
        ):
            return (
                f"{expected.label}: column {old.name} {old.type} is {new.name} {new.type} "
                "on the target"
            )
    if len(expected.columns) != len(found.columns):
        return (
            f"{expected.label}: {len(found.columns)} columns on the target, "
            f"{len(expected.columns)} in the snapshot"
        )
    if expected.key != found.key:
        return f"{expected.label}: the key is another one on the target"
    return None


def _additions(
    chosen: RestoreSelection, catalogue: Catalogue, asked_for: Callable[[Definition], bool] | None
) -> tuple[list[str], list[str]]:
    """(differences, labels of what was not asked for) of what the server has beyond `chosen`."""
    added: list[str] = []
    not_selected: list[str] = []
    if asked_for is None:
        return added, not_selected
    for definition in additions(chosen, catalogue):
        if asked_for(definition):
            added.append(f"{_label(definition)}: not in the snapshot")
        else:
            not_selected.append(_label(definition))
    return added, not_selected


def _is_equal(
    repository: Repository,
    record: TableRecord,
    scanned: ScannedTable,
    view: SourceSnapshot,
    monitor: Monitor,
) -> bool:
    """Whether the rows are equal, or only numbers in JSON documents are written otherwise."""
    return rows_are_equal(record, scanned) or _is_same_but_for_numbers(
        repository, record, scanned, view, monitor
    )


def _is_same_but_for_numbers(
    repository: Repository,
    record: TableRecord,
    scanned: ScannedTable,
    view: SourceSnapshot,
    monitor: Monitor,
) -> bool:
    """Whether only numbers in JSON documents are written otherwise; a warning says so."""
    documents = document_columns(record.definition, view.server)
    counts = record.root.sums.rows, scanned.root.sums.rows
    if not documents or counts[0] != counts[1]:
        return False
    changed = renumbered_rows(repository, record, view.readers()[0], documents)
    if changed:
        monitor.warning(
            f"{record.definition.label}: numbers in JSON documents of {changed} rows are doubles "
            "now, as their text reads; they were DECIMAL, which no text says"
        )
    return changed is not None
