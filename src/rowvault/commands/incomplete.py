"""Says of a snapshot that was asked for that rows or objects are missing in it."""

from __future__ import annotations

from rowvault.repository import FoundSnapshot, Name, Snapshot

_NAMED = 3


def lacks_of(snapshot: Snapshot, wanted: tuple[Name, ...]) -> tuple[str, ...]:
    """What is missing in the part that is named, empty: in all of it; one sentence each.

    One may be about something else: a name can stand in another one.
    """
    return tuple(
        one
        for one in snapshot.lacks
        if not wanted or any(".".join(filter(None, name)) in one for name in wanted)
    )


def incomplete_note(found: FoundSnapshot, wanted: tuple[Name, ...] | None) -> str:
    """One sentence for a person; empty where there is nothing to say.

    `wanted`: the part that is going to be read, empty: all; None: nothing is.
    """
    snapshot = found.snapshot
    lacks = () if wanted is None else lacks_of(snapshot, wanted)
    if not lacks:
        # `latest` is not what the person may take it for, whatever is done with it.
        last = found.last_whole
        return f"snapshot {snapshot.id} is incomplete ({last})" if last else ""
    told = " ".join(lacks[:_NAMED])
    more = len(lacks) - _NAMED
    if more > 0:
        told += f" And {more} more; `rowvault show {snapshot.id}` names all."
    last = f" ({found.last_whole})" if found.last_whole else ""
    return f"snapshot {snapshot.id} is incomplete{last}: {told}"
