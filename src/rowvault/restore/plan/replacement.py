"""How each table that is in the way is replaced: beside and exchanged, or dropped first.

Exchanged by renaming, the old table stands until the new one has been loaded and proven. But a
foreign key follows the table that is renamed, not its name: so a table to which another one refers
that is not exchanged with it has to be dropped, once all of its rows have been read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.restore.plan.conflicts import RELATIONS, Slot, slot
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import ExistingObject, Target
from rowvault.sqltext.mysql.create_table import CreateTable, ElementKind
from rowvault.sqltext.mysql.foreign_keys import ForeignKey
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.mysql.shadow_table import ShadowTable, constraint_name, is_given_by_server
from rowvault.sqltext.order import tables_read

_ENGINES = frozenset({"INNODB", "MYISAM", "ARIA", "MEMORY", "ARCHIVE", "CSV", "ROCKSDB"})
"""Engines that keep the rows of a table under its name; others may tie them to something else."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """Names of tables that are in the way, as they are in the target."""

    beside: frozenset[TableName] = frozenset()
    """Loaded beside the old one, then exchanged with it."""
    dropped: Mapping[TableName, str] = field(default_factory=dict)
    """Dropped before the new one is made, and why."""
    can_move: bool = False
    """The account can rename what is in the way."""
    exchanges: bool = False
    """Sequences are exchanged with the tables."""
    keeps_changes: bool = True
    """What is dropped is gone at once; else only when the whole restore is done."""

    def told(self) -> Iterator[str]:
        """One sentence for each way and reason."""
        if self.beside:
            yield (
                f"loaded beside the old ones, and exchanged with them when proven: "
                f"{_listed(self.beside)}"
            )
        by_reason: dict[str, list[TableName]] = {}
        for name, reason in self.dropped.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in sorted(by_reason.items()):
            when = "when all of it has been read" if self.keeps_changes else "and back if it fails"
            yield f"dropped first, {when}: {_listed(names)} ({reason})"


class Decision:
    """Takes reasons against renaming together, table by table."""

    def __init__(
        self, target: Target, chosen: RestoreSelection, conflicts: Sequence[ExistingObject]
    ) -> None:
        self._target = target
        self._chosen = chosen
        self._has_conflicts = bool(conflicts)
        there = {
            slot(target, one.kind, one.database, one.name): one
            for one in conflicts
            if one.kind in RELATIONS
        }
        self._tables: dict[Slot, TableDefinition] = {}
        self._found: dict[Slot, ExistingObject] = {}
        for record in chosen.tables:
            place = self._place(record.definition.database, record.definition.name)
            if place in there:
                self._tables[place] = record.definition
                self._found[place] = there[place]

    def ways(self, drop_first: bool, foreign_keys: Iterable[ForeignKey]) -> ReplacementPlan:
        """The way of each chosen table that is in the way."""
        if not self._has_conflicts:
            return ReplacementPlan()
        reasons: dict[Slot, str] = {}
        hindrance = self._target.hindrance_to_move(self._chosen.databases)
        general = "--drop-first" if drop_first else hindrance
        for place, table in self._tables.items():
            reason = general or self._reason(table)
            if reason:
                reasons[place] = reason
        self._follow(foreign_keys, reasons)
        return ReplacementPlan(
            frozenset(_name(one) for at, one in self._tables.items() if at not in reasons),
            {_name(self._tables[at]): reason for at, reason in reasons.items()},
            can_move=not hindrance,
            exchanges=not general,
            keeps_changes=self._target.keeps_changes,
        )

    def _reason(self, table: TableDefinition) -> str:
        if table.engine.upper() not in _ENGINES:
            return f"of the engine {table.engine or 'that is not known'}"
        if ShadowTable.of(table, lambda *name: name, frozenset()) is None:
            return "its definition is not one that can be made under another name"
        if _computes_beside_references(table):
            return "no server adds foreign keys to computed columns as it makes them"
        for view in self._chosen.objects:
            if view.kind is ObjectKind.VIEW and is_broken(view) and self._reads(view, table):
                return f"{view.label}, which is broken, can be made only while it is not there"
        return self._taken_check(table)

    def _reads(self, view: ObjectDefinition, table: TableDefinition) -> bool:
        place = self._place(table.database, table.name)
        return any(self._place(*name) == place for name in tables_read(view))

    def _taken_check(self, table: TableDefinition) -> str:
        """MySQL renames no CHECK constraint but those that it has named itself."""
        if self._target.server.vendor != "mysql":
            return ""
        parsed = CreateTable.parse(table.statement)
        named = [
            one
            for one in (parsed.elements if parsed else ())
            if one.kind is ElementKind.CHECK and not is_given_by_server(table, one)
        ]
        if not named:
            return ""
        taken = {
            one.name.lower() for one in self._target.taken_names([table.database]) if one.is_check
        }
        for one in named:
            if constraint_name(one).lower() in taken:
                return f"no other table can have its CHECK constraint {constraint_name(one)}"
        return ""

    def _follow(self, foreign_keys: Iterable[ForeignKey], reasons: dict[Slot, str]) -> None:
        """A table stays with the children that it has on the target."""
        pairs = [
            (
                self._place(one.parent_database, one.parent_table),
                self._place(one.database, one.table),
                one,
            )
            for one in foreign_keys
        ]
        pairs = [one for one in pairs if one[0] in self._tables]
        is_changed = True
        while is_changed:
            is_changed = False
            for parent, child, key in pairs:
                if parent not in reasons and (child not in self._tables or child in reasons):
                    reasons[parent] = f"{key.label} refers to it by the foreign key {key.name}"
                    is_changed = True

    def _place(self, database: str, name: str) -> Slot:
        return slot(self._target, ObjectKind.TABLE, database, name)


def _computes_beside_references(table: TableDefinition) -> bool:
    """MariaDB makes foreign keys on what a stored column is computed from, but adds none."""
    parsed = CreateTable.parse(table.statement)
    elements = parsed.elements if parsed else ()
    references = [one for one in elements if one.kind is ElementKind.FOREIGN_KEY]
    columns = {token for one in references for token in one.tokens if token.startswith(b"`")}
    return any(
        one.kind is ElementKind.COLUMN
        and {b"AS", b"GENERATED"} & set(one.tokens)
        and columns & set(one.tokens)
        for one in elements
    )


def _name(table: TableDefinition) -> TableName:
    return table.database, table.name


def _listed(names: Collection[TableName]) -> str:
    more = len(names) - _NAMED
    listed = ", ".join(".".join(name) for name in sorted(names)[:_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed
