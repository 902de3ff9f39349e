"""In which order things are made, so that each finds what it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind

_BEFORE_ROWS = (ObjectKind.DATABASE, ObjectKind.SEQUENCE)
_BEHIND_ROWS = (
    ObjectKind.INDEX,
    ObjectKind.FUNCTION,
    ObjectKind.PROCEDURE,
    ObjectKind.PACKAGE,
    ObjectKind.PACKAGE_BODY,
    ObjectKind.VIEW,
    ObjectKind.TRIGGER,
    ObjectKind.EVENT,
)


def before_rows(objects: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """Databases, then sequences, which column defaults may call."""
    return _by_kind(objects, _BEFORE_ROWS)


def behind_rows(objects: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """All that follows the rows: indexes, routines, views behind the views they read, triggers in
    firing order, events.

    Triggers come behind the rows so that loading fires none.
    """
    kept = list(objects)
    views = sort_views([one for one in kept if one.kind is ObjectKind.VIEW])
    rest = _by_kind((one for one in kept if one.kind is not ObjectKind.VIEW), _BEHIND_ROWS)
    position = next(
        (
            index
            for index, one in enumerate(rest)
            if one.kind in (ObjectKind.TRIGGER, ObjectKind.EVENT)
        ),
        len(rest),
    )
    return rest[:position] + views + rest[position:]


def sort_views(views: Sequence[ObjectDefinition]) -> list[ObjectDefinition]:
    """Each view behind those whose quoted names stand in its text.

    The servers quote every name in a view's text. A name that only looks like a view's (a column,
    an alias) costs nothing but a constraint; where such constraints form a ring, it is broken at
    the view that comes first by name.
    """
    remaining = sorted(views, key=lambda view: (view.database, view.name))
    ordered: list[ObjectDefinition] = []
    while remaining:
        free = [view for view in remaining if not _refers(view, remaining)] or remaining[:1]
        ordered += free
        remaining = [view for view in remaining if view not in free]
    return ordered


def _refers(view: ObjectDefinition, others: Iterable[ObjectDefinition]) -> bool:
    text = view.statement
    return any(
        other is not view and _quoted(other.name, view.statement) in text for other in others
    )


def _quoted(name: str, statement: bytes) -> bytes:
    """A name as a view's text has it: in backticks on MySQL; SQLite keeps the user's own text."""
    if b"`" in statement:
        return b"`" + name.replace("`", "``").encode() + b"`"
    return name.encode()


def _by_kind(
    objects: Iterable[ObjectDefinition], kinds: Sequence[ObjectKind]
) -> list[ObjectDefinition]:
    wanted = [one for one in objects if one.kind in kinds]
    return sorted(
        wanted, key=lambda one: (kinds.index(one.kind), one.database, one.order, one.name)
    )
