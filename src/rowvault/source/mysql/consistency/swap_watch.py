"""Whether a table that was just read is the one that it was when the snapshot began."""

from __future__ import annotations

import threading
from collections import defaultdict

from rowvault.core.errors import SnapshotLostError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.schema.table_ids import (
    PARTITION,
    Name,
    TableIds,
    innodb_names,
    spaces_of,
    table_ids,
    tablespaces,
    write_times,
)
from rowvault.source.mysql.wire.connection import Connection


class SwapWatch:
    """Asks for a table's signs while the reader that read it still holds its definition.

    Nobody can rename it meanwhile, so that they are those of the rows that came. It asks over a
    connection outside of the transactions, because what a transaction sees of the catalogue is, on
    MySQL, as old as the transaction.

    | state | guarded by |
    |---|---|
    | `_connection`, `_moved` | `_lock` |
    """

    def __init__(self, connection: Connection, table_ids: TableIds) -> None:
        """`connection` is used by nothing else while tables are read."""
        self._connection = connection
        self._table_ids = table_ids
        self._spaces: dict[str, dict[str, str]] = defaultdict(dict)
        """Those of the signs, by the name of the table alone: there may be ten thousand tables."""
        for one, number in table_ids.spaces.items():
            self._spaces[_without_partition(one)][one] = number
        self._lock = threading.Lock()
        self._moved: set[Name] = set()

    def check(self, table: TableDefinition) -> None:
        """Raises SnapshotLostError where it is another one, or that cannot be told any more.

        A table without transactions, whose signs change whenever it is written, is noted in
        `moved`.
        """
        name = (table.database, table.name)
        with self._lock:
            if name in self._table_ids.write_times:
                if (
                    write_times(self._connection, {name}).get(name)
                    != self._table_ids.write_times[name]
                ):
                    self._moved.add(name)
            elif not self._is_same(name):
                raise SnapshotLostError(
                    "Tables were swapped, truncated or made anew during the backup: "
                    f"{table.label}. Run it again when nobody does."
                )

    def has_moved(self, name: Name) -> bool:
        """A table without transactions was written, or was another one, when it was read."""
        with self._lock:
            return name in self._moved

    def _is_same(self, name: Name) -> bool:
        if self._table_ids.ids is None:
            return True  # nothing can be compared, and the snapshot says so
        spaces = spaces_of(self._spaces.get(_without_partition("/".join(name)), {}), name)
        if spaces:
            return tablespaces(self._connection, name) == spaces
        after = table_ids(self._connection, name)
        return after is not None and innodb_names(self._table_ids.ids, *name) == innodb_names(
            after, *name
        )


def _without_partition(name: str) -> str:
    return name.partition(PARTITION)[0]
