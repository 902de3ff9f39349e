"""What a selection holds: databases, tables, stored programs, and what cannot be carried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from rowvault.core.errors import SnapshotLostError, UnknownObjectError
from rowvault.core.model import SYSTEM_DATABASES, ObjectDefinition
from rowvault.core.omission import Omission, missing, not_carried
from rowvault.source.mysql.accounts.rights import Rights, read_rights
from rowvault.source.mysql.schema import server_objects
from rowvault.source.mysql.schema.programs import ProgramReader, read_database
from rowvault.source.mysql.schema.referenced_sequences import read_called
from rowvault.source.mysql.schema.tables import (
    ROW_TABLES,
    OpenTable,
    TableFacts,
    TableShapes,
    list_tables,
    open_tables,
)
from rowvault.source.mysql.schema.unknown_kinds import UnknownKinds
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.protocol import Selection
from rowvault.sqltext.quoting import qualified

_BROKEN_NAME = "#mysql50#"


class CatalogueReader:
    """Reads the catalogue of one selection over one connection."""

    def __init__(
        self, connection: Connection, selection: Selection, names_strangers: bool = True
    ) -> None:
        """With `names_strangers`, omissions tell of kinds of objects that are not known, too.

        Finding them takes longer than all else where there are few tables.
        """
        self._connection = connection
        self._names_strangers = names_strangers
        self._selection = selection
        self.objects: list[ObjectDefinition] = []
        self.tables: list[OpenTable] = []
        self.omissions: list[Omission] = []
        self.rights = read_rights(connection)

    def read(self) -> None:
        """Fills objects, tables and omissions.

        Raises UnknownObjectError, AccessDeniedError; SnapshotLostError when something that is
        listed is gone when it is opened.
        """
        names = self._databases()
        if self._selection.tables:
            self._read_chosen_tables(names)
        else:
            self._read_all_chosen(names)
        definitions = [opened.table.definition for opened in self.tables]
        self.objects += read_called(self._connection, definitions, self.objects, self.omissions)

    def _read_all_chosen(self, names: Sequence[str]) -> None:
        rights = self.rights
        if not (self._selection.databases or rights.sees_databases()):
            self.omissions.append(
                missing(
                    "databases on which the account has no right, if there are any, are left out: "
                    "it does not see them. Grant it SHOW DATABASES, or choose databases by name."
                )
            )
        try:
            chosen = self._chosen_databases(names)
            for name in chosen:
                self._read_database(name, rights)
            if self._names_strangers:
                self._name_strangers(chosen)
        except faults.UnknownNameError as error:
            raise SnapshotLostError(
                f"A table or stored program was dropped or renamed while the catalogue was read: "
                f"{error}. Run the backup again."
            ) from error

    def _name_strangers(self, databases: Sequence[str]) -> None:
        unknown = UnknownKinds(self._connection)
        for name in databases:
            self.omissions += map(missing, unknown.of_database(name))
        if not self._selection.databases:
            self.omissions += map(not_carried, server_objects.of_server(self._connection))

    def _databases(self) -> list[str]:
        rows = self._connection.rows("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        return sorted(text(row[0]) for row in rows)

    def _chosen_databases(self, names: Sequence[str]) -> list[str]:
        wanted = self._selection.databases
        if self._selection.may_be_absent and (there := self._there(wanted, names)):
            wanted = there
        for name in wanted:
            if name not in names:
                raise UnknownObjectError(_unknown("database", name, names))
        chosen = []
        for name in wanted or names:
            if not wanted and name.lower() in SYSTEM_DATABASES:
                continue
            if name.startswith(_BROKEN_NAME):
                self.omissions.append(
                    missing(f"database {name} is left out: its name is not encoded.")
                )
            elif not self._is_excluded(name):
                chosen.append(name)
        return sorted(set(chosen))

    @staticmethod
    def _there(wanted: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in wanted if name in names)

    def _read_chosen_tables(self, names: Sequence[str]) -> None:
        by_database: dict[str, set[str]] = {}
        for database, table in self._selection.tables:
            by_database.setdefault(database, set()).add(table)
        passes_over = self._selection.may_be_absent and self._there(by_database, names)
        for database, wanted in sorted(by_database.items()):
            if database not in names:
                if passes_over:
                    continue
                raise UnknownObjectError(_unknown("database", database, names))
            listed = [
                facts
                for facts in list_tables(self._connection, database)
                if facts.kind in ROW_TABLES
            ]
            there = {facts.name: facts for facts in listed}
            for name in wanted - there.keys():
                self._refuse_unknown_table(database, name, there)
            chosen = [there[name] for name in sorted(wanted & there.keys())]
            self.objects.append(read_database(self._connection, database))
            self._open(database, self._included(chosen))

    def _refuse_unknown_table(self, database: str, name: str, there: Iterable[str]) -> None:
        try:
            # A table on which the account has no right at all is not listed either.
            self._connection.rows(f"SELECT 1 FROM {qualified(database, name)} LIMIT 0")
        except faults.StatementDeniedError:
            raise
        except faults.StatementError:
            pass
        if not self._selection.may_be_absent:
            raise UnknownObjectError(_unknown("table", name, list(there), database))

    def _read_database(self, name: str, rights: Rights) -> None:
        listed = self._included(list_tables(self._connection, name))
        reader = ProgramReader(self._connection, name, self.omissions)
        self._name_unseen(name, rights)
        self.objects.append(read_database(self._connection, name))
        self.objects += reader.sequences(_names(listed, "SEQUENCE"))
        self._open(name, [facts for facts in listed if facts.kind in ROW_TABLES])
        known = {*ROW_TABLES, "SEQUENCE", "VIEW", "SYSTEM VIEW"}
        for facts in listed:
            if facts.kind not in known:
                self.omissions.append(
                    missing(f"{name}.{facts.name} is left out: it is a {facts.kind}.")
                )
        self.objects += self._kept(reader.routines())
        self.objects += reader.views(_names(listed, "VIEW"))
        self.objects += self._kept(reader.triggers())
        self.objects += self._kept(reader.events())
        reader.libraries()
        self.omissions += map(not_carried, server_objects.of_database(self._connection, name))

    def _name_unseen(self, database: str, rights: Rights) -> None:
        if database.lower() in SYSTEM_DATABASES:
            return
        lacking = [what for what in ("TRIGGER", "EVENT") if not rights.has(what, database)]
        if not rights.sees_routines(database):
            lacking.append("SHOW_ROUTINE (MySQL) or SELECT on mysql.proc (MariaDB)")
        if not rights.sees_tables(database):
            self.omissions.append(
                missing(
                    f"tables of {database} on which the account has no right, if there are any, "
                    f"are left out: it does not see them. Grant it SELECT on the whole database."
                )
            )
        for right in lacking:
            what = {"TRIGGER": "triggers", "EVENT": "events"}.get(right, "routines")
            self.omissions.append(
                missing(
                    f"{what} of {database}, if there are any, may be left out: the account lacks "
                    f"the right {right} and cannot see all of them."
                )
            )

    def _open(self, database: str, listed: Sequence[TableFacts]) -> None:
        if listed:
            shapes = TableShapes(self._connection, database)
            self.tables += open_tables(shapes, listed, self.omissions)

    def _included(self, listed: Iterable[TableFacts]) -> list[TableFacts]:
        return [one for one in listed if not self._is_excluded(f"{one.database}.{one.name}")]

    def _kept(self, objects: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
        return [
            one
            for one in objects
            if not self._is_excluded(f"{one.database}.{one.name}")
            and not (one.parent and self._is_excluded(f"{one.database}.{one.parent}"))
        ]

    def _is_excluded(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._selection.excludes)


def _names(listed: Iterable[TableFacts], kind: str) -> list[str]:
    return [facts.name for facts in listed if facts.kind == kind]


def _unknown(what: str, name: str, names: Sequence[str], database: str = "") -> str:
    import difflib  # start-up time: only this one failure needs it

    where = f" in database {database}" if database else ""
    near = difflib.get_close_matches(name, names, 1, 0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"There is no {what} {name}{where}.{hint}"
