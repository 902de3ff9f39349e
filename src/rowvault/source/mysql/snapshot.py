"""One moment of a MySQL or MariaDB server."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rowvault.core.errors import SnapshotLostError, SourceError
from rowvault.core.model import Moment, ServerInfo, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.source.mysql import identity
from rowvault.source.mysql.catalogue import CatalogueReader
from rowvault.source.mysql.confirmation import changed_names
from rowvault.source.mysql.connection import Connection
from rowvault.source.mysql.keys import AccessPath, KeyChoice
from rowvault.source.mysql.moment import BINLOG_POSITION, ask_gtid, take_gtid
from rowvault.source.mysql.ranges import even_ranges
from rowvault.source.mysql.reader import MysqlRowReader, rows_of
from rowvault.source.mysql.tables import BASE, VERSIONED, TableFacts, TableShapes
from rowvault.source.protocol import Catalogue, RowRange, Selection, SourceTable
from rowvault.sqltext.quoting import identifier
from rowvault.sqltext.versioning import is_with_history


class MysqlSnapshot:
    """Several connections in transactions of one moment, and one outside of them.

    The one outside reads the catalogue, which no transaction holds still, and confirms it at the
    end. Shared by the reading threads: `_choices` only, which `catalogue` fills before they start.
    """

    def __init__(
        self,
        server: ServerInfo,
        moment: Moment,
        connections: Sequence[Connection],
        control: Connection,
        signs: identity.Signs,
        monitor: Monitor,
    ) -> None:
        self.server = server
        self.moment = moment
        self._control = control
        self._signs = signs
        self._monitor = monitor
        self._selection = Selection()
        self._gtid_is_due = False
        self._choices: dict[tuple[str, str], KeyChoice] = {}
        self._readers = [MysqlRowReader(one, self._path) for one in connections]

    def catalogue(self, selection: Selection) -> Catalogue:
        """Everything selected. Raises UnknownObjectError, AccessDeniedError."""
        self._settle_gtid()
        self._selection = selection
        reader = CatalogueReader(self._control, selection)
        reader.read()
        for opened in reader.tables:
            definition = opened.table.definition
            self._choices[definition.database, definition.name] = opened.choice
        tables = [opened.table for opened in reader.tables]
        omissions = reader.omissions
        if self._signs.ids is None and tables:
            omissions.append(
                "a table that is swapped for another by RENAME during the backup would not be "
                "noticed: the account lacks the right PROCESS."
            )
        if self.moment.method == BINLOG_POSITION and not self.moment.gtid:
            # The answer takes its time, and nobody needs this connection until `confirm`.
            ask_gtid(self._control, self.moment)
            self._gtid_is_due = True
        return Catalogue(reader.objects, tables, omissions)

    def plan(self, table: SourceTable, target_bytes: int) -> Sequence[RowRange]:
        """Row-chunks over an integer key that is spread evenly; else one open range."""
        wanted = table.estimated_bytes // max(1, target_bytes)
        connection = self._readers[0].connection
        choice = self._choice(table.definition, connection)
        if wanted < 2 or not choice.is_divisible:
            return [RowRange()]
        definition = table.definition
        column = identifier(definition.columns[definition.key[0]].name)
        # Inside the snapshot: the edges follow the rows that will be read.
        rows = connection.rows(
            f"SELECT MIN({column}), MAX({column}) "
            f"FROM {rows_of(definition)} AS `t` {choice.path.hint}",
            f"planning {definition.label}",
        )
        least, greatest = rows[0]
        if least is None or greatest is None:
            return [RowRange()]
        return even_ranges(int(least), int(greatest), wanted)

    def readers(self) -> Sequence[MysqlRowReader]:
        """One per connection that sees the moment."""
        return self._readers

    def confirm(self, catalogue: Catalogue) -> None:
        """Raises SnapshotLostError when the moment did not hold, or definitions changed.

        Tables without transactions that were written meanwhile are added to the omissions.
        """
        self._settle_gtid()
        for reader in self._readers:
            reader.check_alive()
        self._confirm_definitions(catalogue)
        self._confirm_ids(catalogue)
        self._name_moving_tables(catalogue)

    def close(self) -> None:
        """Ends all connections."""
        for reader in self._readers:
            reader.connection.close()
        self._control.close()

    def _settle_gtid(self) -> None:
        if self._gtid_is_due:
            self._gtid_is_due = False
            self.moment = take_gtid(self._control, self.moment)

    def _confirm_definitions(self, catalogue: Catalogue) -> None:
        again = CatalogueReader(self._control, self._selection)
        try:
            again.read()
        except SourceError as error:
            raise SnapshotLostError(f"The catalogue cannot be confirmed: {error}") from error
        changed = changed_names(
            catalogue.objects,
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

    def _confirm_ids(self, catalogue: Catalogue) -> None:
        before = self._signs.ids
        after = identity.table_ids(self._control) if before is not None else None
        if before is None or after is None:
            return
        swapped = [
            table.definition.label
            for table in catalogue.tables
            if (name := (table.definition.database, table.definition.name))
            and identity.innodb_names(before, *name) != identity.innodb_names(after, *name)
        ]
        if swapped:
            raise SnapshotLostError(
                "Tables were swapped, truncated or made anew during the backup: "
                + ", ".join(swapped)
                + ". Run it again when nobody does."
            )

    def _name_moving_tables(self, catalogue: Catalogue) -> None:
        before = self._signs.write_times
        after = identity.write_times(self._control, set(before)) if before else {}
        for table in catalogue.tables:
            definition = table.definition
            name = (definition.database, definition.name)
            if name not in before or (before[name] and before[name] == after.get(name)):
                continue
            message = (
                f"the rows of {definition.label} may be of another moment than all others: "
                f"{definition.engine} has no transactions, and "
                + ("it was written during the backup." if before[name] else "tells no times.")
            )
            catalogue.omissions.append(message)
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
