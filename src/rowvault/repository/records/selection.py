"""Of which databases and tables a snapshot is, and whether that covers what another one is of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from rowvault.repository.records.snapshot import SnapshotSelection

_LITERAL = re.compile(r"[^*?[]*")

Name = tuple[str, str | None]
"""(database, table or None for all of it)."""


def covers(selection: SnapshotSelection, other: SnapshotSelection) -> bool:
    """Whether all that `other` asks for is sure to be asked for by `selection`, too."""
    if other.users and not selection.users:
        return False
    wanted = _names(other)
    if wanted is None:
        return _names(selection) is None and set(selection.excludes) <= set(other.excludes)
    return all(_holds(selection, name, other.excludes) for name in wanted)


def holds(selection: SnapshotSelection, wanted: Iterable[Name]) -> bool:
    """Whether a snapshot of this selection was asked to hold all of these."""
    return all(_holds(selection, name, ()) for name in wanted)


def selection_text(selection: SnapshotSelection) -> str:
    """In words: `everything`, `shop, crm.people, without *.log, users and grants`."""
    named = [*selection.databases, *(".".join(name) for name in selection.tables)]
    parts = named or ["everything"]
    parts += [f"without {pattern}" for pattern in selection.excludes]
    return ", ".join([*parts, *(["users and grants"] if selection.users else [])])


def _names(selection: SnapshotSelection) -> list[Name] | None:
    """What is asked for by name; None: all. Tables narrow the databases down."""
    if selection.tables:
        return list(selection.tables)
    return [(name, None) for name in selection.databases] or None


def _holds(selection: SnapshotSelection, wanted: Name, excused: Iterable[str]) -> bool:
    named = _names(selection)
    if named is not None and wanted not in named and (wanted[0], None) not in named:
        return False
    excludes = set(selection.excludes) - set(excused)
    return not any(_may_meet(pattern, *wanted) for pattern in excludes)


def _may_meet(pattern: str, database: str, table: str | None) -> bool:
    if fnmatchcase(database, pattern):
        return True
    if table is not None:
        return fnmatchcase(f"{database}.{table}", pattern)
    # Whether it meets a table that there is, nobody knows here; its beginning may rule it out.
    found = _LITERAL.match(pattern)
    literal, prefix = found[0] if found else "", f"{database}."
    return literal.startswith(prefix) or (prefix.startswith(literal) and literal != pattern)
