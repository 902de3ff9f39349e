"""Reads the rows of a table, whole or by ranges of its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from rowvault.codec.rows import RowBatch
from rowvault.core.errors import ConnectionLostError, SnapshotLostError, SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.keys.columns import select_expression
from rowvault.source.mysql.keys.key_proof import RangeProof, range_proof
from rowvault.source.mysql.keys.keys import AccessPath
from rowvault.source.mysql.keys.ranges import in_range, order_by, where
from rowvault.source.mysql.reading.json_documents import DocumentInspector
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply
from rowvault.source.protocol import RowRange
from rowvault.sqltext.mysql.versioning import is_with_history
from rowvault.sqltext.quoting import qualified

_SAVEPOINT = "rowvault"
_NOTE = "Note"
_CONFIRMING = "confirming the snapshot"


def select_statement(table: TableDefinition, rows: RowRange, path: AccessPath) -> str:
    """The SELECT that gives a row-chunk in key order."""
    values = ", ".join(select_expression(column) for column in table.columns)
    rest = where(in_range(path.order, rows)) + order_by(path.order)
    return f"SELECT {values} FROM {rows_of(table)} AS `t` {path.hint}{rest}"


def rows_of(table: TableDefinition) -> str:
    """What to select from: all versions of the rows where the history is stored."""
    name = qualified(table.database, table.name)
    return f"{name} FOR SYSTEM_TIME ALL" if is_with_history(table) else name


@contextmanager
def _altered_is_lost(table: TableDefinition) -> Iterator[None]:
    try:
        yield
    except faults.StatementError as error:
        if error.code in faults.TABLE_IS_ANOTHER:
            raise SnapshotLostError(
                f"{table.label} was altered or truncated after the snapshot had begun; "
                "run the backup again"
            ) from error
        raise


class MysqlRowReader:
    """One connection inside the snapshot; used by one thread at a time."""

    def __init__(
        self,
        connection: Connection,
        path_of: Callable[[TableDefinition, Connection], AccessPath],
        has_read: Callable[[TableDefinition], None] = lambda _: None,
        check_same: Callable[[TableDefinition], None] = lambda _: None,
    ) -> None:
        """`has_read` is told of each row-chunk that was read to its end.

        `check_same` is asked before that, while nobody can rename the table; it raises
        SnapshotLostError where the table is another one.
        """
        self.connection = connection
        self._path_of = path_of
        self._has_read = has_read
        self._check_same = check_same
        self._session_id = _session_id(connection)
        self.inspector: DocumentInspector | None = None
        """Looks into documents before their text is read, where that was asked for."""
        connection.execute(f"SAVEPOINT {_SAVEPOINT}", "marking the start of the snapshot")

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        """The rows of a row-chunk in key order, batch by batch.

        Closing the iterator early closes the connection: the reader then serves no further read.
        Raises SourceError and its kinds; SnapshotLostError when the table was altered meanwhile.
        """
        task = f"reading {table.label}"
        path = self._path_of(table, self.connection)
        statement = select_statement(table, rows, path)
        proof = range_proof(table, path.order, rows)
        with _altered_is_lost(table):
            if self.inspector is not None:
                self.inspector.inspect(self.connection, table, rows, path)
            with closing(self.connection.stream(statement, task)) as batches:
                for batch in batches:
                    if proof is not None:
                        self._prove(table, proof, batch)
                    yield batch
        self._check_same(table)
        if proof is not None:
            proof.finish()
        if self.connection.streamed_warnings:
            self._check_warnings(table)
        self.let_go(table)
        self._has_read(table)

    def _prove(self, table: TableDefinition, proof: RangeProof, batch: RowBatch) -> None:
        try:
            proof.take(batch)
        except SourceError:
            # Bounds that were found in one table say nothing of the rows of another.
            self._check_same(table)
            raise

    def ask(self, table: TableDefinition, statement: str) -> Reply:
        """What a statement about a table gives, where that is little; `let_go` must follow.

        Raises SourceError and its kinds; SnapshotLostError when the table was altered meanwhile.
        """
        with _altered_is_lost(table):
            return self.connection.execute(statement, f"dividing {table.label}")

    def let_go(self, table: TableDefinition) -> None:
        """Gives the lock on the table's definition back: who alters it need not wait for us."""
        self.connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}", f"reading {table.label}")

    def _check_warnings(self, table: TableDefinition) -> None:
        """A value that an expression could not give is NULL, and only a warning tells of it."""
        for level, code, message in self.connection.warnings():
            if level == _NOTE:
                continue
            advice = ""
            if code == faults.BEYOND_PACKET:
                advice = (
                    "; a value is larger than what the server's functions handle: raise its "
                    "max_allowed_packet above the largest value, reconnect, and run again"
                )
            raise SourceError(
                f"{table.label} cannot be read exactly: {message} ({level} {code}){advice}"
            )

    def check_alive(self) -> None:
        """Raises SnapshotLostError when the connection's transaction is not open any more."""
        try:
            is_same_session = _session_id(self.connection) == self._session_id
            self.connection.execute("DO 0", _CONFIRMING)
        except ConnectionLostError as error:
            raise SnapshotLostError(f"A connection of the snapshot is gone: {error}") from error
        if not is_same_session or not self.connection.in_transaction:
            raise SnapshotLostError("A connection of the snapshot lost its transaction.")


def _session_id(connection: Connection) -> bytes | None:
    """The server's number for the session: a proxy may put another one behind a connection."""
    return connection.rows("SELECT CONNECTION_ID()", _CONFIRMING)[0][0]
