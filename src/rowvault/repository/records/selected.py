"""What a snapshot was asked to hold: the rule by which a source chooses what it reads."""

from __future__ import annotations

from fnmatch import fnmatchcase

from rowvault.core.model import ACCOUNT_KINDS, SYSTEM_DATABASES, ObjectDefinition, ObjectKind
from rowvault.repository.records.snapshot import SnapshotDraft, SnapshotSelection


class Selected:
    """Which tables and objects one snapshot was to hold if they were there."""

    def __init__(self, selection: SnapshotSelection, vendor: str) -> None:
        self._selection = selection
        # SQLite takes names for the same that differ in the case of ASCII letters alone.
        self._folds = vendor == "sqlite"
        self._tables = {self._folded(name) for name in selection.tables}
        self._excludes = selection.excludes

    @classmethod
    def of(cls, snapshot: SnapshotDraft) -> Selected:
        """Of a snapshot."""
        return cls(snapshot.selection, snapshot.server.vendor)

    def database(self, name: str) -> bool:
        """Something of a database, perhaps only a table."""
        if self._tables:
            return name in {database for database, _ in self._tables}
        return self._whole_database(name)

    def table(self, database: str, name: str) -> bool:
        """A table, its definition and its rows."""
        if self._tables:
            chosen = self._folded((database, name)) in self._tables
        else:
            chosen = self._whole_database(database)
        return chosen and not self._excluded(database, name)

    def object(self, definition: ObjectDefinition) -> bool:
        """Something else than a table.

        Where tables were chosen a sequence is there only if one of them calls it, so none was asked
        for.
        """
        if definition.kind in ACCOUNT_KINDS:
            return self._selection.users
        if definition.kind is ObjectKind.DATABASE:
            # A file's settings come with the whole file alone.
            return self.database(definition.name) and not (self._folds and self._tables)
        if self._tables and definition.kind is not ObjectKind.INDEX:
            return False
        if definition.parent and not self.table(definition.database, definition.parent):
            return False
        chosen = bool(self._tables) or self._whole_database(definition.database)
        return chosen and not self._excluded(definition.database, definition.name)

    def _whole_database(self, name: str) -> bool:
        if self._selection.databases:
            return name in self._selection.databases and not self._matched(name)
        return name.lower() not in SYSTEM_DATABASES and not self._matched(name)

    def _excluded(self, database: str, name: str) -> bool:
        # A pattern over databases says nothing of a table that was chosen by name, but in SQLite.
        return self._matched(f"{database}.{name}") or (self._folds and self._matched(database))

    def _matched(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._excludes)

    def _folded(self, name: tuple[str, str]) -> tuple[str, str]:
        return (name[0], name[1].lower()) if self._folds else name
