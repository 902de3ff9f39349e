"""In which order things are made, so that each finds what it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.sqltext.mysql.session_marks import is_broken

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


def pre_data(objects: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """Databases, then sequences, which column defaults may call, then broken views.

    While there are no tables yet, others of their names can stand in for what these views read;
    each comes in front of those that it reads.
    """
    kept = list(objects)
    broken = sort_views([one for one in kept if is_broken(one)])
    return [*_by_kind(kept, _BEFORE_ROWS), *reversed(broken)]


def post_data(objects: Iterable[ObjectDefinition]) -> list[ObjectDefinition]:
    """All that follows the rows: indexes, routines, views behind the views they read, triggers in
    firing order, events.

    Triggers come behind the rows so that loading fires none.
    """
    kept = [one for one in objects if not is_broken(one)]
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
    """Each view behind those that it reads; where they form a ring, it is broken at the first.

    MySQL and MariaDB write a view's text themselves: every name quoted, every table behind `from`
    or `join`, and its database in front of it where that is another one. SQLite keeps the user's
    own text and makes views in any order.
    """
    remaining = {
        (view.database, view.name): view
        for view in sorted(views, key=lambda view: (view.database, view.name))
    }
    needs = {name: tables_read(view) for name, view in remaining.items()}
    ordered: list[ObjectDefinition] = []
    while remaining:
        free = [
            name for name in remaining if not any(one in remaining for one in needs[name] - {name})
        ]
        for name in free or list(remaining)[:1]:
            ordered.append(remaining.pop(name))
    return ordered


_STRING = re.compile(rb"'(?:[^'\\]|\\.|'')*'|(`(?:[^`]|``)*`)", re.DOTALL)
_READ = re.compile(
    rb"\b(?:from|join)\s[\s(]*(?:`((?:[^`]|``)*)`\.)?`((?:[^`]|``)*)`", re.IGNORECASE
)


def tables_read(view: ObjectDefinition) -> set[tuple[str, str]]:
    """(database, name) of all tables and views in a view's text."""
    text = _STRING.sub(lambda match: match[1] or b"''", view.statement)
    return {
        (_unquoted(database) or view.database, _unquoted(name))
        for database, name in _READ.findall(text)
    }


def _unquoted(name: bytes) -> str:
    return name.replace(b"``", b"`").decode("utf-8", "surrogateescape")


def _by_kind(
    objects: Iterable[ObjectDefinition], kinds: Sequence[ObjectKind]
) -> list[ObjectDefinition]:
    wanted = [one for one in objects if one.kind in kinds]
    return sorted(
        wanted,
        key=lambda definition: (
            kinds.index(definition.kind),
            definition.database,
            definition.order,
            definition.name,
        ),
    )
