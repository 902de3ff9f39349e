"""Tables that are loaded beside those that they replace, and exchanged with them all at once.

Until the exchange, which is one statement, nothing of the target's own is touched. What a run that
was killed has left carries names that tell it from all else, and the next run of the same restore
clears it away; where a server without an atomic RENAME died in its middle, an old table is given
its name back first.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence

import msgspec

from rowvault.core.errors import ConnectionLostError, RestoreError, RowvaultError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.repository import TableRecord
from rowvault.restore.plan.conflicts import RELATIONS, slot
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import ExistingObject, Move, Target
from rowvault.sqltext.mysql.shadow_table import NEW, OLD, ShadowTable, shadow_name, shadow_sequence

_NAMED = 5
_log = logging.getLogger(__name__)


def heal(target: Target, chosen: RestoreSelection, monitor: Monitor) -> None:
    """Gives old tables their names back that lost them in the middle of an exchange.

    Raises RestoreError.
    """
    there = {(one.database, one.name) for one in target.existing(chosen.databases)}
    for database, name in _relations(chosen):
        old = shadow_name(OLD, database, name)
        if (database, old) in there and (database, name) not in there:
            target.move([(database, old, name)])
            monitor.warning(
                f"{database}.{name} stood as {old}, where a restore that did not end has left it, "
                "and has its name again"
            )


def clear_leftovers(target: Target, chosen: RestoreSelection) -> None:
    """Drops what an earlier run of this restore has left under the names of its own.

    Raises RestoreError.
    """
    names = leftover_names(chosen)
    for one in sorted(target.existing(chosen.databases)):
        if one.kind in RELATIONS and (one.database, one.name) in names:
            target.drop(one)


def leftover_names(chosen: RestoreSelection) -> frozenset[TableName]:
    """What an earlier run of this restore may have left, and this one drops."""
    return frozenset(
        (database, shadow_name(prefix, database, name))
        for database, name in _relations(chosen)
        for prefix in (NEW, OLD)
    )


class ShadowTables:
    """The tables and sequences of one exchange."""

    def __init__(
        self,
        chosen: RestoreSelection,
        names: frozenset[TableName],
        late: frozenset[TableName],
        sequences: Sequence[ObjectDefinition],
        conflicts: Sequence[ExistingObject],
        target: Target,
    ) -> None:
        """`names`: which of the chosen tables; `late`: those that are made behind the exchange;
        `sequences`: those that are exchanged with the tables.
        """
        self._target = target
        self._conflicts = [one for one in conflicts if one.kind in RELATIONS]
        self._records = [one for one in chosen.tables if _name(one.definition) in names]
        self._sequences = sequences

        def new_name(database: str, table: str) -> TableName:
            if (database, table) in names:
                return database, shadow_name(NEW, database, table)
            return database, table

        token = f"_{secrets.token_hex(2)}"
        made = [
            ShadowTable.of(
                one.definition, new_name, late, token=token,
                renames_checks=target.server.vendor == "mysql",
            )
            for one in self._records
        ]  # fmt: skip
        self._tables = [one for one in made if one is not None]
        self._made: list[ExistingObject] = []
        self._is_known = True
        self._is_exchanged = self._is_settled = False
        self._aside: list[ExistingObject] = []

    @property
    def records(self) -> list[TableRecord]:
        """The records, with the definitions under which they are loaded."""
        return [
            msgspec.structs.replace(record, definition=table.loading)
            for record, table in zip(self._records, self._tables, strict=True)
        ]

    def make(self, create_table: Callable[[TableRecord], bool]) -> list[TableDefinition]:
        """Makes all of them empty; gives those that get their keys later. Raises RestoreError."""
        for sequence in self._sequences:
            other = shadow_sequence(sequence)
            self._made.append(ExistingObject(ObjectKind.SEQUENCE, other.database, other.name))
            self._target.create(other)
        deferred = []
        for record in self.records:
            database, name = _name(record.definition)
            self._made.append(ExistingObject(ObjectKind.TABLE, database, name))
            if create_table(record):
                deferred.append(record.definition)
        return deferred

    def exchange(self) -> list[TableDefinition]:
        """Exchanges all at once; gives the tables that stand. Raises RestoreError."""
        for table in self._tables:
            if table.add_references:
                self._target.alter(table.loading, table.add_references)
        moves: list[Move] = []
        finals = [_name(table.final) for table in self._tables]
        finals += [(one.database, one.name) for one in self._sequences]
        for database, name in finals:
            old = self._found(database, name)
            if old is not None:
                other = shadow_name(OLD, database, name)
                moves.append((old.database, old.name, other))
                self._aside.append(ExistingObject(old.kind, old.database, other))
            moves.append((database, shadow_name(NEW, database, name), name))
        self._move(moves)
        self._made = []
        return [table.final for table in self._tables]

    def settle(self) -> None:
        """Drops the old ones, and gives constraints their names. Raises RestoreError."""
        while self._aside:
            self._target.drop(self._aside[0])
            del self._aside[0]
        for table in self._tables:
            if table.settle:
                self._target.alter(table.final, table.settle)
        self._is_settled = True

    def _move(self, moves: Sequence[Move]) -> None:
        self._is_known = False
        try:
            self._target.move(moves)
        except RestoreError as error:
            self._is_known = not isinstance(error.__cause__, ConnectionLostError)
            raise
        self._is_known = self._is_exchanged = True

    def fate(self) -> str:
        """What became of the old tables, as a sentence for a restore that did not end."""
        if not self._is_known:
            return (
                "The connection ended while tables were exchanged: either all of them are the "
                "snapshot's or none is, and `rowvault verify` says which."
            )
        if self._is_exchanged:
            told = "The tables that were loaded beside the old ones have taken their places."
            if self._aside:
                left = ", ".join(f"{one.database}.{one.name}" for one in self._aside[:_NAMED])
                more = len(self._aside) - _NAMED
                told += f" Old ones are left as {left}{f' and {more} more' if more > 0 else ''}."
            if not self._is_settled:
                told += (
                    f" Some foreign keys may be called {NEW}..., which the next run of this "
                    "restore mends."
                )
            return told
        return "The tables that were to be replaced are as they were."

    def add_late_references(self) -> None:
        """Adds the foreign keys to tables that were made behind the exchange.

        Raises RestoreError.
        """
        for table in self._tables:
            if table.add_late:
                self._target.alter(table.final, table.add_late)

    def clear(self) -> str:
        """After a failure: drops what was made so far; what it could not drop, as a sentence."""
        if not self._made:
            return ""
        try:
            self._target.clear(self._made)
        except RowvaultError as error:
            _log.info("clearing up failed: %s", error)
            first = self._made[0]
            return (
                f"Tables that were made beside the old ones are left, such as {first.label}: the "
                "next run of this restore drops them, or drop all that are called "
                f"{NEW}... yourself."
            )
        return ""

    def _found(self, database: str, name: str) -> ExistingObject | None:
        place = slot(self._target, ObjectKind.TABLE, database, name)
        for one in self._conflicts:
            if slot(self._target, one.kind, one.database, one.name) == place:
                return one
        return None


def rehearse(target: Target, records: Sequence[TableRecord]) -> None:
    """Makes each table once under another name and drops it: the target can have it.

    Raises RestoreError, and then nothing has changed.
    """
    for record in records:
        table = ShadowTable.of(
            record.definition, lambda *name: name, frozenset(),
            renames_checks=target.server.vendor == "mysql", is_trial=True,
        )  # fmt: skip
        if table is None:
            continue
        made = ExistingObject(ObjectKind.TABLE, table.loading.database, table.loading.name)
        try:
            target.create(table.loading)
        finally:
            target.drop(made)


def _relations(chosen: RestoreSelection) -> list[TableName]:
    """All that is to have a name among tables."""
    names = [_name(record.definition) for record in chosen.tables]
    return names + [(one.database, one.name) for one in chosen.objects if one.kind in RELATIONS]


def _name(table: TableDefinition) -> TableName:
    return table.database, table.name
