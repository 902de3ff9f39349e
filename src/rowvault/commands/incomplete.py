"""Says of a snapshot that is about to be used that rows or objects are missing in it."""

from __future__ import annotations

from rowvault.core.monitor import Monitor
from rowvault.repository.snapshot import Snapshot

_NAMED = 3


def warn_if_incomplete(snapshot: Snapshot, monitor: Monitor) -> None:
    """One warning; nothing where the snapshot is whole."""
    if snapshot.is_whole:
        return
    named = " ".join(snapshot.lacks[:_NAMED])
    more = len(snapshot.lacks) - _NAMED
    monitor.warning(
        f"snapshot {snapshot.id} is incomplete: {named}"
        + (f" And {more} more; `rowvault show {snapshot.id}` names all." if more > 0 else "")
    )
