"""One moment of a MySQL or MariaDB server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from rowvault.core.errors import SnapshotLostError, SourceError
from rowvault.core.model import ACCOUNT_KINDS, Column, ConsistencyPoint, ServerInfo, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.core.omission import not_carried
from rowvault.source.mysql.accounts.accounts import Accounts, read_accounts
from rowvault.source.mysql.consistency.ddl_guard import UNGUARDED
from rowvault.source.mysql.consistency.gtid import GtidQuestion, gtid_at_end
from rowvault.source.mysql.consistency.held_locks import HeldLocks
from rowvault.source.mysql.consistency.swap_watch import SwapWatch
from rowvault.source.mysql.keys.bounds import CHARACTERS, TextKind
from rowvault.source.mysql.keys.columns import base_type
from rowvault.source.mysql.keys.keys import AccessPath, KeyChoice
from rowvault.source.mysql.keys.padding import ignores_trailing_spaces, text_kinds
from rowvault.source.mysql.reading.division import MysqlDivision
from rowvault.source.mysql.reading.json_documents import DocumentInspector
from rowvault.source.mysql.reading.reader import MysqlRowReader
from rowvault.source.mysql.schema import table_ids
from rowvault.source.mysql.schema.catalogue import CatalogueReader
from rowvault.source.mysql.schema.confirmation import changed_names
from rowvault.source.mysql.schema.tables import BASE, VERSIONED, TableFacts, TableShapes
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.status import StatusQuestion
from rowvault.source.protocol import (
    Catalogue,
    Division,
    KnownDivision,
    RowRange,
    Selection,
    SourceTable,
)
from rowvault.sqltext.mysql.versioning import is_with_history

_log = logging.getLogger(__name__)

_ORDERED_ENGINE = "INNODB"
"""Of which it is known that an index lies in the order in which its columns compare."""

_FILLED = "char"
"""The type whose values InnoDB keeps with the spaces that fill them."""


class MysqlSnapshot:
    """Several connections in transactions of one moment, and one outside of them.

    The one outside reads the catalogue, which no transaction holds still, and confirms it at the
    end. Shared by the reading threads: `_choices`, which `catalogue` fills before they start, and
    the locks on tables without transactions, which guard themselves.
    """

    def __init__(
        self,
        server: ServerInfo,
        moment: ConsistencyPoint,
        connections: Sequence[Connection],
        held: HeldLocks,
        monitor: Monitor,
    ) -> None:
        self.server = server
        self._held = held
        self.moment = self._with_guard(moment)
        self._monitor = monitor
        self._selection = Selection()
        self._gtid: GtidQuestion | None = None
        self._questions: list[StatusQuestion] = []
        self._inspector: DocumentInspector | None = None
        self._choices: dict[tuple[str, str], KeyChoice] = {}
        self._padding: dict[TextKind, bool] = {}
        self._watch = SwapWatch(held.control, held.table_ids)
        self._readers = [
            MysqlRowReader(one, self._path, self._has_read, self._check_same) for one in connections
        ]

    def catalogue(self, selection: Selection) -> Catalogue:
        """Everything selected. Raises UnknownObjectError, AccessDeniedError."""
        self._selection = selection
        with self._held.guard.reading() as connection:
            accounts = read_accounts(connection) if selection.users else Accounts()
            reader = CatalogueReader(connection, selection)
            reader.read()
        for opened in reader.tables:
            definition = opened.table.definition
            self._choices[definition.database, definition.name] = opened.choice
        frozen = self._held.frozen_tables.names
        tables = [
            msgspec.structs.replace(
                table, is_urgent=(table.definition.database, table.definition.name) in frozen
            )
            for table in (opened.table for opened in reader.tables)
        ]
        self._ask_gtid()
        objects = [*accounts.objects, *reader.objects]
        omissions = [*accounts.omissions, *reader.omissions]
        rights = reader.rights
        return Catalogue(objects, tables, omissions, rights.texts(), rights.sees)

    def divide(self, table: SourceTable, target_bytes: int) -> Division:
        """Row-chunks whose edges are keys of rows; one open range where keys cannot be bounds."""
        connection = self._readers[0].connection
        choice = self._choice(table.definition, connection)
        refusal = self._why_not_divided(table, choice)
        if not refusal:
            texts: Mapping[str, TextKind] = {}
            if any(base_type(one) in CHARACTERS for one in _key_columns(table.definition, choice)):
                texts = text_kinds(connection, table.definition.database, table.definition.name)
            refusal = self._why_unordered(table.definition, choice, texts)
        if not refusal:
            return MysqlDivision(table, choice.path, target_bytes, self._readers, texts)
        _log.info("%s is read by one connection: %s.", table.definition.label, refusal)
        return KnownDivision([RowRange()])

    def _why_not_divided(self, table: SourceTable, choice: KeyChoice) -> str:
        if table.is_urgent:
            return "others wait for it"
        if not choice.is_divisible:
            return "it has no key that ranges can be made of"
        if table.definition.engine.upper() != _ORDERED_ENGINE:
            return f"how {table.definition.engine or 'its engine'} orders an index is not known"
        return ""

    def _why_unordered(
        self, table: TableDefinition, choice: KeyChoice, texts: Mapping[str, TextKind]
    ) -> str:
        for column in _key_columns(table, choice):
            base = base_type(column)
            if base in CHARACTERS and column.name not in texts:
                return f"the collation of column {column.name} is not known"
            if base == _FILLED and not self._pads(texts[column.name]):
                return (
                    f"column {column.name} is a CHAR under {texts[column.name].collation}, which "
                    "compares trailing spaces"
                )
        return ""

    def _pads(self, kind: TextKind) -> bool:
        if kind not in self._padding:
            connection = self._readers[0].connection
            self._padding[kind] = ignores_trailing_spaces(connection, kind)
        return self._padding[kind]

    def readers(self) -> Sequence[MysqlRowReader]:
        """One per connection that sees the moment."""
        return self._readers

    def load(self, variable: str) -> Callable[[], float]:
        """Asks for a global status variable over one more connection."""
        question = StatusQuestion(self._held.connect(), variable)
        self._questions.append(question)
        return question.ask

    def inspect_values(self) -> None:
        """From here on, values that their text does not tell are looked for where rows are read.

        `confirm` adds what was found to the omissions.
        """
        self._inspector = DocumentInspector()
        for reader in self._readers:
            reader.inspector = self._inspector

    def confirm(self, catalogue: Catalogue) -> None:
        """Raises SnapshotLostError when the moment did not hold, or definitions changed.

        Tables without transactions that were written meanwhile are added to the omissions, and
        values that their text does not tell.
        """
        for reader in self._readers:
            reader.check_alive()
        self._held.check_held()
        with self._held.guard.reading() as connection:
            self._confirm_definitions(catalogue, connection)
            self._confirm_ids(catalogue, connection)
            self._name_moving_tables(catalogue, connection)
            # Asked under the same guard, so that it is true of all that was read.
            self.moment = self._with_guard(self.moment)
        self._name_unguarded(catalogue)
        if self._gtid is not None:
            self.moment = msgspec.structs.replace(self.moment, gtid=self._gtid.answer())
            self._gtid = None
        if self._inspector is not None:
            self._name(catalogue, self._inspector.omissions())

    def close(self) -> None:
        """Ends all connections."""
        for reader in self._readers:
            reader.connection.close()
        for question in self._questions:
            question.close()
        if self._gtid is not None:
            self._gtid.close()
        self._held.close()

    def _with_guard(self, moment: ConsistencyPoint) -> ConsistencyPoint:
        guard = self._held.guard
        kind = guard.kind(self._held.table_ids.ids is not None)
        return msgspec.structs.replace(moment, definitions=kind, definitions_reason=guard.reason)

    def _ask_gtid(self) -> None:
        moment = self.moment
        if not moment.binlog_file or moment.gtid or self._gtid is not None:
            return  # other ways to the moment have told it already, where there is one
        position = (moment.binlog_file, moment.binlog_position)
        gtid = gtid_at_end(self._held.control, position)
        if gtid:
            self.moment = msgspec.structs.replace(moment, gtid=gtid)
        else:
            self._gtid = GtidQuestion(self._held.connect, position)

    def _has_read(self, table: TableDefinition) -> None:
        self._held.frozen_tables.has_read((table.database, table.name))

    def _check_same(self, table: TableDefinition) -> None:
        is_frozen = (table.database, table.name) in self._held.frozen_tables.names
        if not self._held.guard.holds and not is_frozen:
            self._watch.check(table)

    def _confirm_definitions(self, catalogue: Catalogue, connection: Connection) -> None:
        # Nothing that it would leave out is asked for here.
        again = CatalogueReader(connection, self._selection, names_strangers=False)
        try:
            again.read()
        except SourceError as error:
            raise SnapshotLostError(f"The catalogue cannot be confirmed: {error}") from error
        changed = changed_names(
            # Users and grants may change: the snapshot has them as they were when it began.
            [one for one in catalogue.objects if one.kind not in ACCOUNT_KINDS],
            [table.definition for table in catalogue.tables],
            again.objects,
            [opened.table.definition for opened in again.tables],
        )
        if changed:
            raise SnapshotLostError(
                "Definitions changed during the backup: "
                + ", ".join(changed)
                + ". Run it again when nobody alters them."
            )

    def _confirm_ids(self, catalogue: Catalogue, connection: Connection) -> None:
        before = self._held.table_ids.ids
        if before is None:
            return
        after = table_ids.table_ids(connection)
        if after is None:
            raise SnapshotLostError("Table ids cannot be read any more; run the backup again.")
        swapped = [
            table.definition.label
            for table in catalogue.tables
            if (name := (table.definition.database, table.definition.name))
            and table_ids.innodb_names(before, *name) != table_ids.innodb_names(after, *name)
        ]
        if swapped:
            raise SnapshotLostError(
                "Tables were swapped, truncated or made anew during the backup: "
                + ", ".join(swapped)
                + ". Run it again when nobody does."
            )

    def _name_unguarded(self, catalogue: Catalogue) -> None:
        if self.moment.definitions == UNGUARDED and catalogue.tables:
            message = (
                "a table that was swapped for another by RENAME during the backup would not be "
                "noticed: the account may neither lock definitions nor, without the right PROCESS, "
                "compare them. `rowvault doctor` tells what to grant."
            )
            self._name(catalogue, [message])

    def _name_moving_tables(self, catalogue: Catalogue, connection: Connection) -> None:
        before = self._held.table_ids.write_times
        after = table_ids.write_times(connection, set(before)) if before else {}
        for table in catalogue.tables:
            definition = table.definition
            name = (definition.database, definition.name)
            if name in self._held.frozen_tables.names or name not in before:
                continue
            is_as_before = before[name] and before[name] == after.get(name)
            if is_as_before and not self._watch.has_moved(name):
                continue
            message = (
                f"the rows of {definition.label} may be of another moment than all others: "
                f"{definition.engine} has no transactions, and "
                + (
                    "it was written during the backup, or another table had its name."
                    if before[name]
                    else "tells no times."
                )
            )
            self._name(catalogue, [message])

    def _name(self, catalogue: Catalogue, messages: Iterable[str]) -> None:
        for message in messages:
            catalogue.omissions.append(not_carried(message))
            self._monitor.warning(message)

    def _path(self, table: TableDefinition, connection: Connection) -> AccessPath:
        return self._choice(table, connection).path

    def _choice(self, table: TableDefinition, connection: Connection) -> KeyChoice:
        name = (table.database, table.name)
        if name not in self._choices:
            kind = VERSIONED if is_with_history(table) else BASE
            facts = TableFacts(*name, kind, table.engine, 0, 0, "")
            self._choices[name] = TableShapes(connection, *name).open(facts).choice
        return self._choices[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _key_columns(table: TableDefinition, choice: KeyChoice) -> Iterator[Column]:
    return (table.columns[index] for index in choice.key)
