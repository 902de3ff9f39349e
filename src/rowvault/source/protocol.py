"""What the engines ask of a live server: one reading side, one writing side, per vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import msgspec

from rowvault.codec.rows import RowBatch
from rowvault.core.model import (
    ConsistencyPoint,
    ObjectDefinition,
    ObjectKind,
    ServerInfo,
    TableDefinition,
)
from rowvault.core.omission import Omission
from rowvault.source.examination import Examination
from rowvault.sqltext.mysql.definer import Definer
from rowvault.sqltext.mysql.foreign_keys import ForeignKey


class Selection(msgspec.Struct, frozen=True):
    """Which databases and tables a run is about."""

    databases: tuple[str, ...] = ()
    """Empty: all but the server's own."""
    tables: tuple[tuple[str, str], ...] = ()
    """(database, table); where given, only these tables, and their databases without content."""
    excludes: tuple[str, ...] = ()
    """Shell patterns over `database.table` (or `database`); what matches is left out."""
    users: bool = False
    """Users, roles and grants of the server, too."""
    may_be_absent: bool = False
    """What is named and not there is passed over, and no UnknownObjectError, unless no database
    that is named is there."""


EVERYTHING = Selection()


class Locking(msgspec.Struct, frozen=True):
    """How far a backup may hold others up."""

    allowed: bool = True
    """False: no lock at all; changes of definitions are found instead of kept away."""
    longest_wait_s: float = 30.0
    """The longest wait for a lock, and the longest that others wait for one on single tables."""


DEFAULT_LOCKING = Locking()


Bound = tuple[str, ...]
"""Values of the leading key columns, in key order, as literals of the server's own SQL."""


Key = tuple[bytes, ...]
"""The values of a row's key columns in key order, as the server sends them; of an ENUM or SET its
number."""


@dataclass(frozen=True, slots=True)
class RowRange:
    """A row-chunk: in key order, the rows from `low` on and before `high`. None: an open end."""

    low: Bound | None = None
    high: Bound | None = None
    ordinal: int = field(default=0, compare=False)
    """How many row-chunks of the table come before it."""
    low_key: Key | None = field(default=None, compare=False)
    """`low` as the values of a row's key columns, where it is the key of a row."""
    high_key: Key | None = field(default=None, compare=False)
    """`high`, likewise."""


class SourceTable(msgspec.Struct, frozen=True):
    """A table to read, with what the server guesses about its size."""

    definition: TableDefinition
    estimated_rows: int = 0
    estimated_bytes: int = 0
    is_urgent: bool = False
    """Others cannot write to it until it is read: to be read before all that are not."""


def _sees_all(_database: str, _table: str) -> bool:
    return True


class Catalogue(msgspec.Struct):
    """All that a snapshot is to hold, read once under the snapshot."""

    objects: list[ObjectDefinition] = msgspec.field(default_factory=list)
    """Databases first; in creation order."""
    tables: list[SourceTable] = msgspec.field(default_factory=list)
    omissions: list[Omission] = msgspec.field(default_factory=list)
    """What exists but cannot be carried, one message each; never empty silently."""
    grants: tuple[str, ...] | None = None
    """The rights of the account that reads, as `SELECT ON db.*`, sorted, without anything secret;
    None: where there are no accounts."""
    sees: Callable[[str, str], bool] = _sees_all
    """Whether a table of this database and name would show if it were there."""


class RowReader(Protocol):
    """One connection inside the snapshot; used by one thread at a time."""

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        """The rows of a row-chunk in key order, batch by batch.

        Raises ConnectionLostError or SourceError; closing the iterator early is allowed, and the
        reader then serves no further read.
        """
        ...


class Division(Protocol):
    """How one table is shared out: its row-chunks, found step by step beside the reading."""

    def more(self, worker: int) -> Sequence[RowRange]:
        """The next row-chunks in key order, found over the connection of reader `worker`.

        Each begins where the one before it ended. Empty once they cover the table. Called by one
        thread at a time. Raises ConnectionLostError or SourceError.
        """
        ...

    def counted_rows(self, worker: int) -> int | None:
        """How many rows the table has, counted in the same moment without any range.

        None: the order of the key is known, and readers prove of each row-chunk that it is whole.
        Raises ConnectionLostError or SourceError.
        """
        ...


class KnownDivision:
    """A division that is known from the start."""

    def __init__(self, ranges: Sequence[RowRange]) -> None:
        """The row-chunks, in key order."""
        self._ranges = ranges

    def more(self, worker: int) -> Sequence[RowRange]:
        """All of them, the first time."""
        ranges, self._ranges = self._ranges, ()
        return ranges

    def counted_rows(self, worker: int) -> int | None:
        """None: such ranges are made of whole numbers, or there is only one."""
        return None


class SourceSnapshot(Protocol):
    """One moment in time, seen by several connections."""

    server: ServerInfo
    moment: ConsistencyPoint
    """Complete once `confirm` has returned."""

    def catalogue(self, selection: Selection) -> Catalogue:
        """Everything selected. Raises UnknownObjectError, AccessDeniedError."""
        ...

    def divide(self, table: SourceTable, target_bytes: int) -> Division:
        """Row-chunks in key order that cover the table once, each of about `target_bytes`.

        One open range where the key does not allow more.
        """
        ...

    def readers(self) -> Sequence[RowReader]:
        """One per connection that was asked for, or fewer."""
        ...

    def load(self, variable: str) -> Callable[[], float]:
        """Gives what asks for a figure of how busy the server is; one thread at a time calls it.

        Raises UsageError where there is no such figure.
        """
        ...

    def inspect_values(self) -> None:
        """From here on, values that cannot be kept exactly are looked for where rows are read.

        It costs time, and a snapshot that only compares has no use for it.
        """
        ...

    def confirm(self, catalogue: Catalogue) -> None:
        """Raises SnapshotLostError when the moment did not hold, or definitions changed.

        Adds to the omissions what `inspect_values` made the readers find.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Source(Protocol):
    """A server that can be backed up."""

    def open_snapshot(
        self, connection_count: int, selection: Selection = EVERYTHING
    ) -> SourceSnapshot:
        """One consistent state over up to `connection_count` connections.

        `selection` says which tables may be locked for it. Raises ConnectError, AccessDeniedError,
        SnapshotLostError.
        """
        ...

    def identify(self) -> ServerInfo:
        """Which server it is. Raises ConnectError."""
        ...

    def examine(self, selection: Selection) -> Examination:
        """What a backup of this selection would be like; changes nothing.

        Raises ConnectError, UnknownObjectError, ConnectionLostError.
        """
        ...


class Loader(Protocol):
    """One connection that puts rows into a target; used by one thread at a time."""

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Puts whole rows in and commits them. Raises RestoreError: any warning is one too."""
        ...

    def add_keys(self, table: TableDefinition) -> None:
        """Builds the keys of a table that was made without them, when all its rows are in.

        Raises RestoreError.
        """
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


class ExistingObject(msgspec.Struct, frozen=True, order=True):
    """Something that a target holds already."""

    kind: ObjectKind
    database: str
    name: str

    @property
    def label(self) -> str:
        """`kind database.name`, for messages."""
        return f"{self.kind} {self.database}.{self.name}"


class TakenName(msgspec.Struct, frozen=True, order=True):
    """The name of a constraint that a target has, where it can be given only once in a database."""

    database: str
    table: str
    name: str
    is_check: bool = False
    """A CHECK constraint, not a foreign key: their names are apart from each other."""


Move = tuple[str, str, str]
"""(database, name, its new name) of a table, view or sequence."""


class ValueLimit(msgspec.Struct, frozen=True):
    """How large one value may be."""

    bytes: int
    advice: str
    """What raises the limit."""


class AccountTarget(Protocol):
    """The users, roles and grants of a server to be written."""

    in_use: str
    """The user that the connection acts as, which must not be touched."""

    def check(self, definitions: Iterable[ObjectDefinition]) -> None:
        """Changes nothing. Raises RestoreError where users would get more rights than they had."""
        ...

    def existing(self) -> list[ObjectDefinition]:
        """All of them, but the server's own. Raises AccessDeniedError."""
        ...

    def create(self, definition: ObjectDefinition) -> None:
        """Makes a user or role, or gives it something. Raises RestoreError, without a password."""
        ...

    def drop(self, definition: ObjectDefinition) -> None:
        """Drops a user or role with all that it holds. Raises RestoreError."""
        ...


class Target(Protocol):
    """A server that a snapshot can be restored to."""

    server: ServerInfo
    omissions: list[str]
    """What was to be made and is not, or is otherwise; one message each, told already."""
    left_out: list[str]
    """Labels of what the source could not make either, and this server cannot: told already."""

    @property
    def keeps_changes(self) -> bool:
        """What was done so far stands, also after `abort`."""
        ...

    def folded(self, kind: ObjectKind, name: str) -> str:
        """The same text for all names of this kind that the target takes for the same."""
        ...

    def existing(self, databases: Sequence[str]) -> set[ExistingObject]:
        """All that could be in the way in these databases: tables, views, routines, ...

        A database that exists but is empty gives nothing.
        """
        ...

    def create(self, definition: ObjectDefinition | TableDefinition) -> None:
        """Runs its statement in its session. Raises RestoreError.

        A database that exists already with the same name is left as it is.
        """
        ...

    def create_without_keys(self, table: TableDefinition) -> bool:
        """Like `create`, but without keys that are built sooner from all rows at once.

        False: there are none, and the table is whole. True: `Loader.add_keys` must follow its rows,
        and `add_references` the keys of all tables.
        """
        ...

    def add_references(self, table: TableDefinition) -> None:
        """Adds the foreign keys of a table that was made without keys. Raises RestoreError."""
        ...

    def alter(self, table: TableDefinition, statement: bytes) -> None:
        """Runs an ALTER TABLE for the foreign keys of this table. Raises RestoreError."""
        ...

    def taken_names(self, databases: Sequence[str]) -> Sequence[TakenName]:
        """Names of constraints that nothing else in these databases can have."""
        ...

    def hindrance_to_move(self, databases: Sequence[str]) -> str:
        """Why tables of these databases cannot be exchanged by renaming them; '' where they can."""
        ...

    def move(self, moves: Sequence[Move]) -> None:
        """Gives these other names in this order: all of them, or none. Raises RestoreError."""
        ...

    def clear(self, found: Sequence[ExistingObject]) -> None:
        """Like `drop`, over a connection of its own: also after `abort`.

        Raises ConnectError, RestoreError.
        """
        ...

    def definitions(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """How these programs are defined now; what the account may not read is not in it."""
        ...

    def events(self, database: str) -> Sequence[ObjectDefinition]:
        """The events of a database, as a backup reads them."""
        ...

    def foreign_keys(self, databases: Sequence[str]) -> Sequence[ForeignKey]:
        """All that refer to tables of these databases, from wherever they are."""
        ...

    def column_types(self, database: str, table: str) -> Mapping[str, str]:
        """The type of each column of an existing table, by name."""
        ...

    def count_orphans(self, key: ForeignKey) -> int:
        """How many rows of the child name a parent that is not there."""
        ...

    def lacking_rights(
        self,
        made: Sequence[ObjectDefinition | TableDefinition],
        dropped: Sequence[ExistingObject],
    ) -> Sequence[str]:
        """Rights that are needed and that the account surely lacks, one message each."""
        ...

    def obstacles(self, made: Sequence[ObjectDefinition | TableDefinition]) -> Sequence[str]:
        """Why these cannot be made here as they were, and what to do; one message each."""
        ...

    def account(self) -> Definer | None:
        """The account that the connection acts as; None where there are no accounts."""
        ...

    def account_names(self) -> frozenset[str] | None:
        """All users and roles, quoted as SQL has it; None where the account may not see them."""
        ...

    def value_limit(self, table: TableDefinition) -> ValueLimit | None:
        """How large a value of this table may be; None where its types allow none larger."""
        ...

    def rights_on(self, found: Iterable[ExistingObject]) -> Sequence[ObjectDefinition]:
        """Grants on these objects that go with them when they are dropped."""
        ...

    def drop(self, found: ExistingObject) -> None:
        """Drops what `existing` named, if it is still there. Raises RestoreError."""
        ...

    def accounts(self) -> AccountTarget:
        """Its users. Raises UsageError where there are none by nature."""
        ...

    def open_loader(self) -> Loader:
        """A connection of its own for loading."""
        ...

    def finish(self) -> None:
        """Makes what was loaded durable; events may still be created."""
        ...

    def close(self) -> None:
        """Ends the connection after `finish`."""
        ...

    def abort(self) -> None:
        """Closes after a failure; takes back what can be taken back."""
        ...
