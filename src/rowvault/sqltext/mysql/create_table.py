"""CREATE TABLE taken apart, as MySQL and MariaDB write it: columns, keys, constraints, options."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator

import msgspec

_QUOTES = b"'`"
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")


class ElementKind(enum.Enum):
    """What an element of a table's definition is."""

    COLUMN = enum.auto()
    PRIMARY_KEY = enum.auto()
    UNIQUE_KEY = enum.auto()
    KEY = enum.auto()
    FOREIGN_KEY = enum.auto()
    CHECK = enum.auto()
    OTHER = enum.auto()
    """Full-text and spatial indexes, periods, whatever is not known."""


class Element(msgspec.Struct, frozen=True):
    """One line of the definition: `KEY `k` (`a`,`b`)`, without the comma behind it."""

    kind: ElementKind
    text: bytes
    tokens: tuple[bytes, ...]
    """Words, quoted names and texts with their quotes, and single other characters."""


class CreateTable(msgspec.Struct, frozen=True):
    """A statement in its parts."""

    head: bytes
    """`CREATE TABLE `t` (`"""
    elements: tuple[Element, ...]
    tail: bytes
    """From the closing parenthesis on."""

    @classmethod
    def parse(cls, statement: bytes) -> CreateTable | None:
        """The parts; None for what is not a list of elements in parentheses."""
        edges: list[int] = []
        depth = 0
        for start, token in _tokens(statement):
            if token == b"(":
                depth += 1
                if depth == 1 and not edges:
                    edges.append(start)
            elif token == b"," and depth == 1:
                edges.append(start)
            elif token == b")":
                depth -= 1
                if depth == 0:
                    edges.append(start)
                    return cls._of(statement, edges)
        return None

    @classmethod
    def _of(cls, statement: bytes, edges: list[int]) -> CreateTable:
        spans = itertools.pairwise(edges)
        elements = tuple(_element(statement[start + 1 : end].strip()) for start, end in spans)
        return cls(statement[: edges[0] + 1], elements, statement[edges[-1] :])

    def without(self, left_out: frozenset[int]) -> bytes:
        """The statement without the elements of these numbers."""
        kept = [one.text for at, one in enumerate(self.elements) if at not in left_out]
        return self.head + b"\n  " + b",\n  ".join(kept) + b"\n" + self.tail

    def options(self) -> tuple[bytes, ...]:
        """The tokens behind the list of elements."""
        return tuple(token for _, token in _tokens(self.tail[1:]))


def _element(text: bytes) -> Element:
    tokens = tuple(token for _, token in _tokens(text))
    return Element(_kind(tokens), text, tokens)


def _kind(tokens: tuple[bytes, ...]) -> ElementKind:
    match tokens:
        case (first, *_) if first.startswith(b"`"):
            return ElementKind.COLUMN
        case (b"PRIMARY", b"KEY", *_):
            return ElementKind.PRIMARY_KEY
        case (b"UNIQUE", b"KEY", *_):
            return ElementKind.UNIQUE_KEY
        case (b"KEY", *_):
            return ElementKind.KEY
        case (b"CONSTRAINT", _, b"FOREIGN", b"KEY", *_):
            return ElementKind.FOREIGN_KEY
        case (b"CONSTRAINT", _, b"CHECK", *_) | (b"CHECK", *_):
            return ElementKind.CHECK
        case _:
            return ElementKind.OTHER


def _tokens(text: bytes) -> Iterator[tuple[int, bytes]]:
    """(where it begins, token)"""
    at = 0
    while at < len(text):
        start = at
        if text[at] in _QUOTES:
            at = _behind_quoted(text, at)
        elif text[at] in _WORD:
            while at < len(text) and text[at] in _WORD:
                at += 1
        else:
            at += 1
            if text[start:at].isspace():
                continue
        yield start, text[start:at]


def _behind_quoted(text: bytes, at: int) -> int:
    """Behind a name or text in quotes: a doubled quote is part of it, as is `\\'` of a text."""
    quote = text[at]
    at += 1
    while at < len(text):
        if text[at] == quote:
            if text[at + 1 : at + 2] != bytes([quote]):
                return at + 1
            at += 1
        elif text[at] == ord("\\") and quote == ord("'"):
            at += 1
        at += 1
    return at
