"""What a restore has changed on its target: what a person must know when it did not finish."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.repository import TableRecord
from rowvault.restore.verify.verify import TableName
from rowvault.source.protocol import ExistingObject

_NAMED = 5

_NEXT = (
    "To go on, run the same restore again with --replace, which drops what stands in its way and "
    "begins anew, or with --resume, which keeps the tables that are proven to be whole."
)


class RestoreProgress:
    """Counts while a restore goes on; several threads may tell it of rows."""

    def __init__(
        self, records: Sequence[TableRecord], kept: frozenset[TableName] = frozenset()
    ) -> None:
        """`records`: the tables that are to be restored; those of `kept` stand already."""
        self._expected = {one.definition.label: one.root.sums.rows for one in records}
        self._lock = threading.Lock()
        self._kept = len(kept)
        self._loaded: dict[str, int] = {}
        self._deferred: set[str] = set()
        self._databases: list[str] = []
        self._dropped = 0
        self._gone: set[str] = set()
        """Tables that were dropped and are not whole again."""
        self._objects = 0
        self._accounts = 0
        self._is_verified: bool | None = None
        self._pending: list[str] = []

    def dropped(self, found: ExistingObject | ObjectDefinition) -> None:
        """It made room."""
        self._dropped += 1
        if found.kind is ObjectKind.TABLE:
            self._gone.add(f"{found.database}.{found.name}")

    def exchanged(self, tables: Sequence[TableDefinition]) -> None:
        """They stand whole, in place of others."""
        for one in tables:
            self._loaded[one.label] = self._expected[one.label]

    def made(
        self, definition: ObjectDefinition | TableDefinition, *, is_deferred: bool = False
    ) -> None:
        """It stands; a table without its rows; deferred: without keys, too."""
        if isinstance(definition, TableDefinition):
            self._loaded[definition.label] = 0
            if is_deferred:
                self._deferred.add(definition.label)
        elif definition.kind is ObjectKind.DATABASE:
            self._databases.append(definition.name)
        elif definition.kind in (ObjectKind.USER, ObjectKind.ROLE):
            self._accounts += 1
        else:
            self._objects += 1

    def loaded(self, definition: TableDefinition, row_count: int) -> None:
        """So many more rows of it stand."""
        with self._lock:
            self._loaded[definition.label] += row_count

    def completed(self, definition: TableDefinition) -> None:
        """A table whose keys were deferred has them."""
        with self._lock:
            self._deferred.discard(definition.label)

    def left_to_do(self, pending: Sequence[ObjectDefinition]) -> None:
        """These come when the rows are proved."""
        self._pending = [one.label for one in pending]

    def note(self) -> str:
        """What stands and what to do, as sentences; empty when nothing was changed."""
        changes = (self._dropped, self._databases, self._loaded, self._objects, self._accounts)
        if not any(changes):
            return ""
        told = []
        if self._dropped:
            told.append(f"{_count(self._dropped, 'object')} dropped to make room")
        if gone := [name for name in sorted(self._gone) if name not in self._whole()]:
            told.append(f"dropped and not whole again: {_listed(gone)}")
        if self._databases:
            told.append(
                f"{'databases' if len(self._databases) > 1 else 'database'} "
                f"{_listed(self._databases)}"
            )
        if self._accounts:
            told.append(f"{_count(self._accounts, 'user or role', 'users and roles')}")
        told.append(self._tables())
        if self._objects:
            told.append(f"{_count(self._objects, 'view or program', 'views and programs')}")
        if self._pending:
            told.append(f"not made: {_listed(self._pending)}")
        return f"So far: {'; '.join(told)}. {_NEXT}"

    def _whole(self) -> list[str]:
        return [
            name
            for name, rows in self._loaded.items()
            if rows == self._expected[name] and name not in self._deferred
        ]

    def _tables(self) -> str:
        whole = self._whole()
        text = f"{self._kept + len(whole)} of {_count(len(self._expected), 'table')} complete"
        partly = [
            f"{name} ({rows} of {self._expected[name]} rows"
            + (", without its keys)" if name in self._deferred else ")")
            for name, rows in self._loaded.items()
            if rows != self._expected[name] or name in self._deferred
        ]
        return f"{text}; incomplete: {_listed(partly)}" if partly else text


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
