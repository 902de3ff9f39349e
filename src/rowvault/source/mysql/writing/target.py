"""A MySQL or MariaDB server to be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rowvault.core.errors import SourceError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.monitor import Monitor
from rowvault.core.omission import Omission, texts_of
from rowvault.source.mysql.accounts.account_target import MysqlAccountTarget
from rowvault.source.mysql.accounts.definers import current_account, read_account_names
from rowvault.source.mysql.accounts.needed_rights import hindrance_to_move, lacking_rights
from rowvault.source.mysql.accounts.routine_rights import rights_on
from rowvault.source.mysql.keys.columns import MEDIUM_BYTES, holds_large_values
from rowvault.source.mysql.schema.programs import ProgramReader
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.login import Login
from rowvault.source.mysql.wire.server import read_server
from rowvault.source.mysql.wire.session import LOADING, LOCK_WAIT_S, set_up
from rowvault.source.mysql.writing.ddl_runner import DdlRunner
from rowvault.source.mysql.writing.deferred_indexes import IndexBuilder
from rowvault.source.mysql.writing.loader import MysqlLoader
from rowvault.source.mysql.writing.obstacles import find_cautions, find_obstacles
from rowvault.source.mysql.writing.references import (
    column_types,
    count_orphans,
    read_foreign_keys,
    read_taken_names,
)
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.source.mysql.writing.replaced_objects import drop_object, read_programs
from rowvault.source.protocol import ExistingObject, Move, TakenName, ValueLimit
from rowvault.sqltext.mysql.database import create_database
from rowvault.sqltext.mysql.definer import Definer
from rowvault.sqltext.mysql.foreign_keys import ForeignKey
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.mysql.shadow_table import by_detour
from rowvault.sqltext.quoting import encode_name, mysql_string, qualified

_LISTS = {
    "TABLE_SCHEMA": "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES",
    "ROUTINE_SCHEMA": "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE "
    "FROM information_schema.ROUTINES",
    "TRIGGER_SCHEMA": "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, 'TRIGGER' "
    "FROM information_schema.TRIGGERS",
    "EVENT_SCHEMA": "SELECT EVENT_SCHEMA, EVENT_NAME, 'EVENT' FROM information_schema.EVENTS",
}
"""Column of the database -> query for (database, name, kind)."""
_KINDS = {
    "VIEW": ObjectKind.VIEW,
    "SEQUENCE": ObjectKind.SEQUENCE,
    "FUNCTION": ObjectKind.FUNCTION,
    "PROCEDURE": ObjectKind.PROCEDURE,
    "PACKAGE": ObjectKind.PACKAGE,
    "PACKAGE BODY": ObjectKind.PACKAGE_BODY,
    "TRIGGER": ObjectKind.TRIGGER,
    "EVENT": ObjectKind.EVENT,
}

_BY_FILE_NAME = frozenset(
    {
        ObjectKind.DATABASE,
        ObjectKind.TABLE,
        ObjectKind.VIEW,
        ObjectKind.SEQUENCE,
        ObjectKind.TRIGGER,
    }
)
"""Kinds whose names follow lower_case_table_names."""


class MysqlTarget:
    """A server that a snapshot can be restored to."""

    def __init__(self, login: Login, monitor: Monitor) -> None:
        """Connects. Raises ConnectError."""
        self._login = login
        self._monitor = monitor
        # A statement of a thousand columns may warn about each; the last one is told too.
        self._connection = self._open(LOADING | {"max_error_count": "65535"})
        self.server = read_server(self._connection, login.options)
        self._ignores_case = dict(self.server.settings).get("lower_case_table_names", "0") != "0"
        self._packet_bytes = int(self._value("max_allowed_packet"))
        self.omissions: list[str] = []
        self.left_out: list[str] = []
        self._maker = DdlRunner(self._connection, self.server.vendor, monitor, self.omissions)
        self._keys = IndexBuilder(self._connection, self.server.vendor)

    @property
    def keeps_changes(self) -> bool:
        """Definitions are never taken back by these servers."""
        return True

    def folded(self, kind: ObjectKind, name: str) -> str:
        """Programs ignore case everywhere, databases and tables where the server is set up so."""
        ignores_case = kind not in _BY_FILE_NAME or self._ignores_case
        return name.lower() if ignores_case else name

    def existing(self, databases: Sequence[str]) -> set[ExistingObject]:
        """Tables, views, sequences, routines, triggers and events of these databases."""
        if not databases:
            return set()
        listed = ", ".join(mysql_string(name) for name in databases)
        found: set[ExistingObject] = set()
        for schema, query in _LISTS.items():
            rows = self._connection.rows(
                f"{query} WHERE {schema} IN ({listed})", "listing what the target holds"
            )
            for row in rows:
                database, name, word = (text(cell) for cell in row)
                kind = _KINDS.get(word, ObjectKind.TABLE)
                found.add(ExistingObject(kind, database, name))
        # The catalogue may compare names without regard to case where the server itself does not.
        wanted = {self.folded(ObjectKind.DATABASE, name) for name in databases}
        return {one for one in found if self.folded(ObjectKind.DATABASE, one.database) in wanted}

    def create(self, definition: ObjectDefinition | TableDefinition) -> None:
        """Runs its statement in its session. Raises RestoreError: a warning is one too.

        A database that exists already with the same name is left as it is.
        """
        try:
            if isinstance(definition, TableDefinition):
                self._create_table(definition)
            elif definition.kind is ObjectKind.DATABASE:
                if not self._has_database(definition.name):
                    self._maker.run(create_database(definition), f"creating {definition.label}")
            elif is_broken(definition):
                if not self._maker.try_program(definition):
                    self.left_out.append(definition.label)
            else:
                self._maker.create_program(definition)
        except SourceError as error:
            raise restore_error(error, f"{definition.label} could not be created") from error

    def create_without_keys(self, table: TableDefinition) -> bool:
        """Makes it whole, then without keys where that ends the same. Raises RestoreError."""
        self.create(table)
        if by_detour(table) is not None:
            return False
        try:
            return self._keys.make_deferred(table)
        except SourceError as error:
            raise restore_error(error, f"{table.label} could not be created") from error

    def add_references(self, table: TableDefinition) -> None:
        """Adds its foreign keys. Raises RestoreError."""
        self._keys.add_references(table)

    def alter(self, table: TableDefinition, statement: bytes) -> None:
        """Runs an ALTER TABLE for the foreign keys of this table. Raises RestoreError."""
        self._keys.alter(table, statement, "its foreign keys")

    def taken_names(self, databases: Sequence[str]) -> Sequence[TakenName]:
        """Foreign keys, and on MySQL CHECK constraints. Raises SourceError."""
        return read_taken_names(self._connection, databases, self.server.vendor)

    def hindrance_to_move(self, databases: Sequence[str]) -> str:
        """A right that is missing, or foreign keys that the account may not see."""
        return hindrance_to_move(self._connection, databases)

    def move(self, moves: Sequence[Move]) -> None:
        """One RENAME TABLE, which takes views and sequences too. Raises RestoreError."""
        pairs = ", ".join(
            f"{qualified(database, old)} TO {qualified(database, new)}"
            for database, old, new in moves
        )
        try:
            self._connection.execute(encode_name(f"RENAME TABLE {pairs}"), "exchanging tables")
        except SourceError as error:
            raise restore_error(error) from error

    def clear(self, found: Sequence[ExistingObject]) -> None:
        """Over a connection of its own. Raises ConnectError, RestoreError."""
        # Nobody waits long for what is only tidied up.
        connection = self._open(LOADING | {"lock_wait_timeout": str(LOCK_WAIT_S)})
        try:
            for one in found:
                drop_object(connection, one)
        finally:
            connection.close()

    def definitions(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """As a backup reads them. Raises SourceError."""
        return read_programs(self._connection, list(found), self.folded)

    def events(self, database: str) -> Sequence[ObjectDefinition]:
        """The events of a database, as a backup reads them. Raises SourceError."""
        unreadable: list[Omission] = []
        found = list(ProgramReader(self._connection, database, unreadable).events())
        self.omissions += texts_of(unreadable)
        return found

    def foreign_keys(self, databases: Sequence[str]) -> Sequence[ForeignKey]:
        """All that refer to tables of these databases. Raises SourceError."""
        return read_foreign_keys(self._connection, databases)

    def column_types(self, database: str, table: str) -> Mapping[str, str]:
        """The type of each column of an existing table, by name. Raises SourceError."""
        return column_types(self._connection, database, table)

    def count_orphans(self, key: ForeignKey) -> int:
        """How many rows of the child name a parent that is not there. Raises SourceError."""
        return count_orphans(self._connection, key)

    def lacking_rights(
        self,
        made: Sequence[ObjectDefinition | TableDefinition],
        dropped: Sequence[ExistingObject],
    ) -> Sequence[str]:
        """What the account's grants lack; of databases that are there nothing is needed."""
        missing = [
            one
            for one in made
            if isinstance(one, TableDefinition)
            or one.kind is not ObjectKind.DATABASE
            or not self._has_database(one.name)
        ]
        return lacking_rights(self._connection, self.server.vendor, missing, dropped)

    def obstacles(self, made: Sequence[ObjectDefinition | TableDefinition]) -> Sequence[str]:
        """What its settings, and what it lacks, do not allow; warns of what it may do otherwise.

        Raises SourceError.
        """
        for caution in find_cautions(self._connection, made):
            self.omissions.append(caution)
            self._monitor.warning(caution)
        return find_obstacles(self._connection, self.server.vendor, made)

    def account(self) -> Definer:
        """The account that the connection acts as. Raises SourceError."""
        return current_account(self._connection)

    def account_names(self) -> frozenset[str] | None:
        """All users and roles; None where the account may not see them. Raises LostError."""
        return read_account_names(self._connection)

    def value_limit(self, table: TableDefinition) -> ValueLimit | None:
        """max_allowed_packet, where a column can hold more than that."""
        limit = self._packet_bytes
        if limit > MEDIUM_BYTES and not any(holds_large_values(one) for one in table.columns):
            return None
        return ValueLimit(
            limit,
            "Raise max_allowed_packet on the target to at least the largest of them (SET GLOBAL "
            "max_allowed_packet = ..., at most 1 GiB), and run again.",
        )

    def drop(self, found: ExistingObject) -> None:
        """Drops it, if it is still there: a trigger goes with its table. Raises RestoreError."""
        drop_object(self._connection, found)

    def rights_on(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """Grants on routines; those on tables and views outlive them."""
        known = len(self.omissions)
        rights = rights_on(self._connection, found, self.omissions)
        for omission in self.omissions[known:]:
            self._monitor.warning(omission)
        return rights

    def accounts(self) -> MysqlAccountTarget:
        """The server's users, over the same connection."""
        return MysqlAccountTarget(self._connection, self._monitor)

    def open_loader(self) -> MysqlLoader:
        """A connection of its own for loading. Raises ConnectError."""
        return MysqlLoader(self._open(LOADING, may_send_rows=True), self.server.vendor)

    def finish(self) -> None:
        """Nothing is left to do: InnoDB made each load durable when it was committed."""

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def abort(self) -> None:
        """Closes the connection; what was loaded stays."""
        self._connection.close()

    def _create_table(self, table: TableDefinition) -> None:
        detour = by_detour(table)
        if detour is None:
            self._maker.create_table(table)
            return
        self._maker.create_table(detour.loading)
        self.alter(detour.loading, detour.add_references)
        self.move([(table.database, detour.loading.name, table.name)])
        if detour.settle:
            self.alter(detour.final, detour.settle)

    def _has_database(self, name: str) -> bool:
        rows = self._connection.rows(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA "
            f"WHERE SCHEMA_NAME = {mysql_string(name)}",
            "looking for databases",
        )
        wanted = self.folded(ObjectKind.DATABASE, name)
        return any(self.folded(ObjectKind.DATABASE, text(row[0])) == wanted for row in rows)

    def _open(self, settings: Mapping[str, str], *, may_send_rows: bool = False) -> Connection:
        # An index over a large table is silent for as long as it takes to build.
        connection = self._login.connect(read_timeout_s=None, may_send_rows=may_send_rows)
        set_up(connection, settings)
        return connection

    def _value(self, name: str) -> str:
        return text(self._connection.rows(f"SELECT @@SESSION.{name}")[0][0])
