"""What a reader leaves out, and whether a snapshot without it is whole."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Omission(msgspec.Struct, frozen=True):
    """One thing that was not carried, named in a sentence."""

    text: str
    is_missing: bool
    """Rows or objects are not in the snapshot, or may not be; otherwise all are there, and only a
    property is not: a histogram, READ ONLY of a database, what is no part of a database."""


def missing(text: str) -> Omission:
    """Rows or objects that the snapshot was to hold are not in it, or may not be."""
    return Omission(text, is_missing=True)


def not_carried(text: str) -> Omission:
    """A property of what is in the snapshot, or something that is no part of a database."""
    return Omission(text, is_missing=False)


def texts_of(omissions: Iterable[Omission]) -> list[str]:
    """The sentences, in the same order."""
    return [one.text for one in omissions]
