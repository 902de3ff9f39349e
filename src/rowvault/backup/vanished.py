"""Tables that an earlier snapshot held and a new one does not: gone, or only out of sight.

A server shows an account only tables on which it has a right. So a grant that is taken away looks
like a table that was dropped, and only the grants that are left tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from rowvault.core.model import ObjectKind
from rowvault.core.omission import Omission, missing
from rowvault.repository import Manifest, Selected, Snapshot
from rowvault.source.protocol import Catalogue

Name = tuple[str, str]
"""(database, table or view or sequence)"""

_SHOWN_KINDS = (ObjectKind.TABLE, ObjectKind.VIEW, ObjectKind.SEQUENCE)
"""What the server lists as tables."""
_NAMED = 50


class Vanished(msgspec.Struct, frozen=True):
    """What the parent held, or missed already, and is not in the catalogue now."""

    unseen: tuple[Name, ...] = ()
    """The account would not see them if they were there."""
    gone: tuple[Name, ...] = ()
    """Tables that it would see, so they are not there."""


def find_vanished(
    parent: Snapshot, manifest: Manifest, catalogue: Catalogue, selected: Selected
) -> Vanished:
    """Compares names alone; what is not selected any more did not vanish. Raises DamageError."""
    held = {(one.definition.database, one.definition.name) for one in catalogue.tables}
    held |= {(one.database, one.name) for one in catalogue.objects if one.kind in _SHOWN_KINDS}
    tables, others = _listed(manifest)
    before = {*tables, *others, *parent.unseen}
    absent = sorted(
        name
        for name in before - held
        if selected.table(*name) and not _is_named(name, catalogue.omissions)
    )
    unseen = tuple(name for name in absent if not catalogue.sees(*name))
    gone = tuple(name for name in absent if name in tables and catalogue.sees(*name))
    return Vanished(unseen, gone)


def omission(parent: Snapshot, vanished: Vanished, grants: Sequence[str] | None) -> Omission:
    """Names what is out of sight, and which rights went with it."""
    names = _named(vanished.unseen)
    lost = sorted(set(parent.grants or ()) - set(grants or ()))
    told = f" It had {'; '.join(lost)}." if lost else ""
    return missing(
        f"{names} {_are(vanished.unseen)} left out: snapshot {parent.id} or one before it held "
        f"{_them(vanished.unseen)}, and the account has no right any more with which "
        f"{_them(vanished.unseen)} would show.{told} Grant it SELECT there again; what is gone for "
        "good, name with --exclude."
    )


def notices(parent: Snapshot | None, vanished: Vanished, catalogue: Catalogue) -> tuple[str, ...]:
    """What a person may not expect, and is nothing that was left out."""
    if not catalogue.tables:
        return ("the snapshot holds no table at all: none of what was chosen is there to be read",)
    added = len(catalogue.tables)
    if parent is None or not vanished.gone or added >= parent.tables:
        return ()
    return (
        f"{_named(vanished.gone)} {_are(vanished.gone)} no longer on the server; snapshot "
        f"{parent.id} holds {_them(vanished.gone)}",
    )


def _listed(manifest: Manifest) -> tuple[set[Name], set[Name]]:
    tables, others = set(), set()
    for kind, database, name in manifest.names():
        if kind is ObjectKind.TABLE:
            tables.add((database, name))
        elif kind in _SHOWN_KINDS:
            others.add((database, name))
    return tables, others


def _is_named(name: Name, omissions: Iterable[Omission]) -> bool:
    """It is there, and was left out for a reason of its own."""
    label = ".".join(name)
    return any(f"{label} is left out" in one.text for one in omissions)


def _named(names: Sequence[Name]) -> str:
    labels = [".".join(name) for name in names[:_NAMED]]
    more = len(names) - len(labels)
    return ", ".join(labels) + (f" and {more} more" if more else "")


def _are(names: Sequence[Name]) -> str:
    return "is" if len(names) == 1 else "are"


def _them(names: Sequence[Name]) -> str:
    return "it" if len(names) == 1 else "them"
