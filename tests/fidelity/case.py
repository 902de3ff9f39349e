"""One line of the checklist, the statements that exercise it, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_TWO_WORDS = "package body "


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything is the same on the other server, and nothing is said unless it stands here."""

    but: str = ""
    """For the page: what no statement can ask for, and what becomes of it."""
    changes: tuple[str, ...] = ()
    """The marks that differ for that reason, such as `table t`."""
    warning: str = ""
    """What the backup says all the same: a regular expression; empty: nothing."""
    at_restore: str = ""
    """What restore says all the same; likewise."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something is not carried, and the backup says so (exit code 3)."""

    warning: str
    """A regular expression: the backup gives exactly one warning that it is found in."""
    reason: str
    """For the page: why it is not carried, or what is."""
    loses: tuple[str, ...] = ()
    """The marks that differ then, such as `rows t`; empty: every mark of the case is absent."""
    at_restore: str = ""
    """What restore says about it: a regular expression; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """The statements run in the database of their module, one session for each case.

    Object names are unique in a module. The session begins with an empty sql_mode, time zone
    UTC and utf8mb4; the statements may set what they want.
    """

    line: str
    """What it exercises, in few words: `FLOAT: every bit pattern`."""
    subject: str
    """The row of the fidelity page that it belongs to: `FLOAT`."""
    makes: tuple[str | bytes, ...]
    objects: tuple[str, ...]
    """All that the statements leave: `table t`, `view v`, `package body k`, `database d`, ..."""
    outcome: Kept | Named = field(default_factory=Kept)
    database: str = ""
    """A database of the case's own, which its statements make and use."""

    def changed(self) -> set[str]:
        """The short names of the marks that are not to be the same."""
        if isinstance(self.outcome, Kept):
            return set(self.outcome.changes)
        return set(self.outcome.loses or self.marks(""))

    def marks(self, database: str) -> dict[str, str]:
        """Short name (`rows t`) -> the comparer's label (`rows db.t`), for all marks of the case.

        A table and a sequence have two: what they are, and what they hold.
        """
        marks = {}
        for name in self.objects:
            kind, label = split_object(name)
            if kind == "database":
                marks[name] = name
                continue
            marks[name] = f"{kind} {database}.{label}"
            if kind in ("table", "sequence"):
                marks[f"rows {label}"] = f"rows {database}.{label}"
        return marks


@dataclass(frozen=True, slots=True)
class Topic:
    """The cases of one module: they share a database, and stand together on the page."""

    name: str
    """Of the module and of its database."""
    cases: tuple[Case, ...]

    def located(self) -> Iterator[tuple[str, Case]]:
        """(database, case)"""
        for case in self.cases:
            yield case.database or self.name, case


def split_object(name: str) -> tuple[str, str]:
    """`package body k` -> (`package body`, `k`)."""
    if name.startswith(_TWO_WORDS):
        return _TWO_WORDS.strip(), name.removeprefix(_TWO_WORDS)
    kind, _, label = name.partition(" ")
    return kind, label
