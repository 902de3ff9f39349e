"""The texts of one snapshot, each found without reading what it does not need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain

from rowvault.core.errors import MissingError
from rowvault.mount.length_cache import LengthCache
from rowvault.mount.names import file_name
from rowvault.render.description import snapshot_document
from rowvault.render.document import Document, Fixed
from rowvault.render.dump import objects_part, snapshot_parts
from rowvault.render.table import TableText
from rowvault.repository import Repository, Snapshot
from rowvault.sqltext.script import script_for


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of each snapshot is shown."""

    database: str | None = None
    """None: all."""
    table: str | None = None


EVERYTHING = Excerpt()


class SnapshotText:
    """One snapshot as texts. Used from any thread.

    Every method but `snapshot` raises DamageError, UnsupportedFormatError, StorageError.
    """

    def __init__(
        self,
        repository: Repository,
        snapshot: Snapshot,
        only: Excerpt = EVERYTHING,
        lengths: LengthCache | None = None,
    ) -> None:
        """`lengths` may serve many snapshots."""
        self.snapshot = snapshot
        self._only = only
        self._repository = repository
        self._manifest = repository.manifest(snapshot)
        self._script = script_for(snapshot.server.vendor)
        self._lengths = lengths or LengthCache()
        self._databases: list[str] | None = None
        self._everything_length: int | None = None

    def databases(self) -> list[str]:
        """The names of all databases."""
        if self._databases is None:
            found = self._manifest.databases()
            self._databases = [one for one in found if self._only.database in (None, one)]
        return self._databases

    def holds_database(self, database: str) -> bool:
        """Whether there is anything of this name; reads one block and its path."""
        if self._only.database not in (None, database):
            return False
        if self._databases is not None:
            return database in self._databases
        held = chain(self._manifest.tables(database), self._manifest.objects(database))
        return next(held, None) is not None

    def tables(self, database: str) -> dict[str, int]:
        """Table -> length of its text, by name."""
        known = self._lengths.get((self.snapshot.id, database))
        if known is not None:
            return known
        framing = len(self._script.prologue()) + len(self._script.epilogue())
        found = {
            record.definition.name: framing
            + TableText(self._repository, record, self._script).length
            for record in self._manifest.tables(database)
            if self._only.table in (None, record.definition.name)
        }
        self._lengths.keep((self.snapshot.id, database), found)
        return found

    def table_of(self, database: str, name: str, suffix: str) -> str | None:
        """The table whose file has this name."""
        if not name.endswith(suffix):
            return None
        if self._only.table is not None:
            return next(
                (one for one in self.tables(database) if file_name(one, suffix) == name), None
            )
        plain = name.removesuffix(suffix)
        # Most names are their own file names: those are looked up without listing the rest.
        if file_name(plain, suffix) == name and self._manifest.table(database, plain) is not None:
            return plain
        if "%" not in name:
            return None
        return next((one for one in self.tables(database) if file_name(one, suffix) == name), None)

    def table_length(self, database: str, table: str) -> int:
        """The length of a table's text."""
        known = self._lengths.get((self.snapshot.id, database)) or {}
        return known.get(table) or self.table(database, table).length

    def table(self, database: str, table: str) -> Document:
        """A table alone, as `dump SNAP DB.TABLE` prints it."""
        record = self._manifest.table(database, table)
        if record is None:
            raise MissingError(f"snapshot {self.snapshot.id} holds no table {database}.{table}")
        return Document(
            [
                Fixed(self._script.prologue()),
                TableText(self._repository, record, self._script),
                Fixed(self._script.epilogue()),
            ]
        )

    def objects(self, database: str) -> Document:
        """Everything in a database that is not a table."""
        objects = self._manifest.objects(database)
        return Document([objects_part(list(objects), self._script)])

    def everything_length(self) -> int:
        """The length of `everything`."""
        if self._everything_length is None:
            self._everything_length = self.everything().length
        return self._everything_length

    def everything(self) -> Document:
        """The whole excerpt, as `dump SNAP [DB[.TABLE]]` prints it; empty where it is not there."""
        database, table = self._only.database, self._only.table
        if database is not None and database not in self.databases():
            return Document([])
        if table is not None and database is not None and table not in self.tables(database):
            return Document([])
        return Document(snapshot_parts(self._repository, self.snapshot, database, table))

    def description(self) -> Document:
        """What `show --json` prints: the snapshot, with the tags that it has now."""
        tags = self._repository.tags(self.snapshot.id)
        source = self._repository.sources().name_of(self.snapshot)
        document = snapshot_document(self.snapshot, tags, source)
        return Document([Fixed(json.dumps(document, indent=2).encode("ascii") + b"\n")])
