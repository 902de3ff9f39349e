"""Foreign keys between what is restored and what the target has beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rowvault.core.errors import RestoreError
from rowvault.core.model import ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.restore.plan.conflicts import slot
from rowvault.restore.plan.shadow_tables import leftover_names
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.source.protocol import ExistingObject, Target
from rowvault.sqltext.mysql.foreign_keys import ForeignKey, tables_referenced


class References:
    """What was chosen, the children that other tables are to it, the parents that it lacks."""

    def __init__(
        self, chosen: RestoreSelection, conflicts: Sequence[ExistingObject], target: Target
    ) -> None:
        self._target = target
        self._tables = {
            self._place(one.definition.database, one.definition.name): one.definition
            for one in chosen.tables
        }
        replaced = any(one.kind is ObjectKind.TABLE for one in conflicts)
        # Asking for all foreign keys opens every table of a server: only where it may matter.
        left = {self._place(*name) for name in leftover_names(chosen)}
        self.keys = [
            key
            for key in (target.foreign_keys(chosen.databases) if replaced else ())
            if self._place(key.database, key.table) not in left
        ]
        """All that refer to tables of these databases; asked for where tables are replaced."""
        self._children = list(self._find_children())

    def check(self) -> None:
        """Raises RestoreError where a table is to be replaced by one that its children cannot have.

        A server would refuse it only when the old one is gone.
        """
        for key in self._children:
            parent = self._tables[self._place(key.parent_database, key.parent_table)]
            wanted = {column.name.lower(): column.type for column in parent.columns}
            own = self._target.column_types(key.database, key.table)
            for column, theirs in zip(key.columns, key.parent_columns, strict=True):
                found = wanted.get(theirs.lower(), "")
                if _nature(found) != _nature(own[column]):
                    raise RestoreError(_misfit(key, theirs, found, own[column]))

    def warn(self, monitor: Monitor) -> None:
        """Names parents that are missing, and rows of children that have lost their parents."""
        for key in self._children:
            orphans = self._target.count_orphans(key)
            if orphans:
                monitor.warning(
                    f"{orphans} rows of {key.label}, which was not restored, refer by {key.name} "
                    f"to rows that {key.parent_label} does not hold as restored"
                )
        for definition in self._tables.values():
            for database, table in sorted(tables_referenced(definition)):
                if self._is_missing(database, table):
                    monitor.warning(
                        f"{definition.label} refers to {database}.{table} by a foreign key, and "
                        "that table is not on the target: rows can be added only when it is there"
                    )

    def _find_children(self) -> Iterator[ForeignKey]:
        for key in self.keys:
            is_inside = self._place(key.database, key.table) in self._tables
            if not is_inside and self._place(key.parent_database, key.parent_table) in self._tables:
                yield key

    def _is_missing(self, database: str, table: str) -> bool:
        if self._place(database, table) in self._tables:
            return False
        return not any(
            one.kind is ObjectKind.TABLE
            and self._place(one.database, one.name) == self._place(database, table)
            for one in self._target.existing([database])
        )

    def _place(self, database: str, table: str) -> tuple[str, str]:
        _, folded_database, folded_table = slot(self._target, ObjectKind.TABLE, database, table)
        return folded_database, folded_table


def _nature(column_type: str) -> tuple[str, bool]:
    """What columns bound by a foreign key share: `int(11) unsigned` without its width."""
    lowered = column_type.lower()
    return lowered.split("(")[0].split(" ")[0], "unsigned" in lowered


def _misfit(key: ForeignKey, column: str, found: str, own: str) -> str:
    return (
        f"{key.label} refers to {key.parent_label} by the foreign key {key.name}, whose column "
        f"{column} the snapshot holds as {found or 'nothing'} and not as {own}; nothing was "
        "changed. Restore both tables, --rename, or drop the foreign key first"
    )
