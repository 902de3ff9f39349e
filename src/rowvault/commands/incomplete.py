"""Says of a snapshot that is about to be used that rows or objects are missing in it."""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.monitor import Monitor
from rowvault.repository.snapshot import Snapshot

_NAMED = 3


def warn_if_incomplete(
    snapshot: Snapshot,
    monitor: Monitor,
    databases: Sequence[str] = (),
    tables: Sequence[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """One warning; nothing where the snapshot, or the part of it that is named, is whole.

    Gives what is missing, one sentence each.
    """
    lacks = tuple(one for one in snapshot.lacks if _concerns(one, databases, tables))
    if not lacks:
        return ()
    more = len(lacks) - _NAMED
    monitor.warning(
        f"snapshot {snapshot.id} is incomplete: {' '.join(lacks[:_NAMED])}"
        + (f" And {more} more; `rowvault show {snapshot.id}` names all." if more > 0 else "")
    )
    return lacks


def _concerns(told: str, databases: Sequence[str], tables: Sequence[tuple[str, str]]) -> bool:
    """Whether a sentence is about one of these; about everything where none is named.

    It may be that it is not: a name can stand in another one.
    """
    if not (databases or tables):
        return True
    return any(name in told for name in (*databases, *(".".join(one) for one in tables)))
