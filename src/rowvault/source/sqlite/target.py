"""An SQLite file as the target of a restore: all of it is one transaction."""

from __future__ import annotations

import sqlite3
import string
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rowvault.codec.rows import RowBatch
from rowvault.core.errors import ConnectError, RestoreError, UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.source.protocol import AccountTarget, ExistingObject, Move, TakenName
from rowvault.source.sqlite.catalogue import (
    SEQUENCE_TABLE,
    STATISTICS_TABLE,
    is_virtual_table,
)
from rowvault.source.sqlite.connection import (
    BUSY_TIMEOUT_S,
    DATABASE,
    number,
    open_connection,
    restore_errors,
    word,
)
from rowvault.source.sqlite.declaration import (
    declare_virtual_table,
    declared_objects,
    drop_object,
    make_sequence_table,
)
from rowvault.source.sqlite.loader import RowInserter, SqliteLoader
from rowvault.source.sqlite.settings import (
    BEFORE_TABLES,
    ENCODING,
    JOURNAL_MODE,
    UTF16_CODECS,
    WITH_TABLES,
    apply_setting,
)
from rowvault.source.sqlite.snapshot import server_info
from rowvault.sqltext.mysql.foreign_keys import ForeignKey

_CACHE_KIB = 16 << 10
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class SqliteTarget:
    """Makes the file if it is missing; a restore that does not finish leaves no trace in it.

    What is written becomes durable in `finish`, all at once; until then other programs see the
    file as it was.
    """

    def __init__(self, path: Path, timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """`timeout_s`: how long another program's lock is waited for.

        Raises ConnectError where no file can be at that path.
        """
        if not path.absolute().parent.is_dir():
            raise ConnectError(f"{path}: there is no directory {path.parent}; make it first")
        if path.exists() and not path.is_file():
            raise ConnectError(f"{path}: not a file; name the SQLite database file itself")
        self._path = path
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._was_empty = False
        self._is_new = False
        self._is_finished = False
        self._wanted_journal = ""
        self._counters: list[tuple[TableDefinition, RowBatch]] = []
        self.server = server_info(path, ())
        self.omissions: list[str] = []
        self.left_out: list[str] = []

    @property
    def keeps_changes(self) -> bool:
        """Only what `finish` has committed."""
        return self._is_finished

    def folded(self, kind: ObjectKind, name: str) -> str:
        """SQLite takes ASCII letters that differ in case for the same."""
        return name.translate(_LOWER)

    def existing(self, databases: Sequence[str]) -> set[ExistingObject]:
        """Every table, also virtual ones, view, index and trigger.

        AUTOINCREMENT counters and statistics count only where there are any.
        Raises RestoreError where the file is not SQLite or cannot be opened.
        """
        if DATABASE not in databases or not self._path.exists():
            return set()
        with restore_errors(self._path):
            connection = open_connection(self._path, "ro", self._timeout_s)
            try:
                return set(declared_objects(connection))
            finally:
                connection.close()

    def create(self, definition: ObjectDefinition | TableDefinition) -> None:
        """Runs its statement; of the database itself, sets what its header keeps.

        A file that held tables before keeps its own header. Raises RestoreError.
        """
        if isinstance(definition, ObjectDefinition) and definition.kind is ObjectKind.DATABASE:
            self._create_database(definition)
            return
        connection = self._writing(definition.session)
        with self._lock, restore_errors(self._path, definition.label):
            if definition.name == SEQUENCE_TABLE:
                make_sequence_table(connection)
            elif definition.name == STATISTICS_TABLE:
                # Makes the table, and puts nothing into it.
                connection.execute("ANALYZE sqlite_master")
            elif is_virtual_table(definition.statement):
                declare_virtual_table(connection, definition)
            else:
                connection.execute(definition.statement.decode())

    def create_without_keys(self, table: TableDefinition) -> bool:
        """Makes it whole: the indexes are objects of their own, made behind the rows."""
        self.create(table)
        return False

    def add_references(self, table: TableDefinition) -> None:
        """Never asked for."""

    def alter(self, table: TableDefinition, statement: bytes) -> None:
        """Never asked for."""

    def taken_names(self, databases: Sequence[str]) -> Sequence[TakenName]:
        """Constraints may share their names."""
        return ()

    def hindrance_to_move(self, databases: Sequence[str]) -> str:
        """Nothing is dropped for others before all of it is committed."""
        return "the whole restore is one transaction"

    def move(self, moves: Sequence[Move]) -> None:
        """Never asked for."""

    def clear(self, found: Sequence[ExistingObject]) -> None:
        """Never asked for: `abort` takes everything back."""

    def definitions(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """Never asked for: `abort` takes everything back."""
        return ()

    def events(self, database: str) -> Sequence[ObjectDefinition]:
        """SQLite has none."""
        return ()

    def foreign_keys(self, databases: Sequence[str]) -> Sequence[ForeignKey]:
        """A file does not mind what its foreign keys refer to."""
        return ()

    def column_types(self, database: str, table: str) -> Mapping[str, str]:
        """Is not asked for: there are no foreign keys to look at."""
        return {}

    def count_orphans(self, key: ForeignKey) -> int:
        """Is not asked for: there are no foreign keys to look at."""
        return 0

    def lacking_rights(
        self,
        made: Sequence[ObjectDefinition | TableDefinition],
        dropped: Sequence[ExistingObject],
    ) -> Sequence[str]:
        """A file has no rights within."""
        return ()

    def obstacles(self, made: Sequence[ObjectDefinition | TableDefinition]) -> Sequence[str]:
        """None: a statement that the library does not know takes the whole restore back."""
        return ()

    def account(self) -> None:
        """None: a file has no accounts."""
        return

    def account_names(self) -> frozenset[str]:
        """None: a file has no accounts."""
        return frozenset()

    def value_limit(self, table: TableDefinition) -> None:
        """What one SQLite file holds, another one takes."""
        return

    def rights_on(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """None: there are no users."""
        return ()

    def drop(self, found: ExistingObject) -> None:
        """Drops it if it is there; counters and statistics are emptied. Raises RestoreError."""
        connection = self._writing(())
        with self._lock, restore_errors(self._path, found.label):
            drop_object(connection, found)

    def accounts(self) -> AccountTarget:
        """Raises UsageError: SQLite has no users."""
        raise UsageError("an SQLite file has no users; leave out --users")

    def open_loader(self) -> SqliteLoader:
        """Loaders share the target's connection and take turns."""
        connection = self._writing(())
        return SqliteLoader(_inserter(connection), self._lock, self._path, self._counters)

    def finish(self) -> None:
        """Commits everything and closes. Raises RestoreError; the file is then as it was."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        try:
            with restore_errors(self._path):
                self._set_counters(connection)
                connection.execute("COMMIT")
                self._is_finished = True
                if self._wanted_journal:
                    apply_setting(connection, JOURNAL_MODE, self._wanted_journal)
        finally:
            connection.close()

    def close(self) -> None:
        """`finish` has closed the file."""

    def abort(self) -> None:
        """Gives up what was not finished; the file is as it was before, or is not there."""
        if self._connection is not None:
            self._connection.interrupt()
            with self._lock:  # no loader's thread is inside a call then
                self._connection.close()
            self._connection = None
            if self._is_new and self._path.stat().st_size == 0:
                self._path.unlink()

    def _writing(self, session: Sequence[tuple[str, str]]) -> sqlite3.Connection:
        """The connection, in its transaction; the encoding in `session` is the file's."""
        if self._connection is None:
            with restore_errors(self._path):
                self._connection = self._begin(dict(session))
        wanted = dict(session).get(ENCODING)
        with restore_errors(self._path):
            found = word(self._connection, f"PRAGMA {ENCODING}")
        if wanted not in (None, found):
            raise RestoreError(
                f"{self._path}: it keeps text in {found}, the snapshot in {wanted}; restore to a"
                " new file"
            )
        return self._connection

    def _begin(self, session: dict[str, str]) -> sqlite3.Connection:
        self._is_new = not self._path.exists()
        connection = open_connection(self._path, "rwc", self._timeout_s)
        # The rows are as they were, also where they break a rule.
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self._was_empty = number(connection, "PRAGMA page_count") == 0
        if self._was_empty:
            for name in BEFORE_TABLES:
                if name in session:
                    apply_setting(connection, name, session[name])
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def _create_database(self, definition: ObjectDefinition) -> None:
        connection = self._writing(definition.session)
        if not self._was_empty:
            return
        settings = dict(definition.session)
        with self._lock, restore_errors(self._path, definition.label):
            for name in WITH_TABLES:
                if name in settings:
                    apply_setting(connection, name, settings[name])
        self._wanted_journal = settings.get(JOURNAL_MODE, "")

    def _set_counters(self, connection: sqlite3.Connection) -> None:
        """Loading an AUTOINCREMENT table moves its counter; so the counters are set last."""
        if not self._counters:
            return
        connection.execute(f"DELETE FROM {SEQUENCE_TABLE}")
        for table, rows in self._counters:
            _inserter(connection).insert(table, rows)
        self._counters.clear()


def _inserter(connection: sqlite3.Connection) -> RowInserter:
    encoding = word(connection, f"PRAGMA {ENCODING}")
    return RowInserter(connection, UTF16_CODECS.get(encoding, ""))
