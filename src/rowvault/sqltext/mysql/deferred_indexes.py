"""Keys that a table can do without while its rows are loaded.

An index that is built from all rows at once is sorted once, and written page by page; one that each
row is put into is read and written all over. What must be there from the start stays: the primary
key, in whose order the rows are stored, and a key that AUTO_INCREMENT needs. A table is left alone
where its other keys are more than plain ones, or where their order might come back otherwise.
"""

from __future__ import annotations

import msgspec

from rowvault.core.model import TableDefinition
from rowvault.sqltext.mysql.create_table import CreateTable, Element, ElementKind
from rowvault.sqltext.quoting import encode_name, qualified

_ENGINE = "INNODB"
_PLAIN = (ElementKind.UNIQUE_KEY, ElementKind.KEY)
_COMPUTED = (b"GENERATED", b"AS", b"PERIOD", b"SYSTEM")
"""A column or option that has one of these words: the server computes it, or keeps its history."""
_DIVIDED = b"PARTITION"
_HASHED = b"HASH"


class DeferredIndexes(msgspec.Struct, frozen=True):
    """Three statements that make the table between them."""

    create: bytes
    """The table with the keys that stay."""
    add_keys: bytes
    add_references: bytes
    """Its foreign keys; empty: there are none. To be added when all tables have their keys."""

    @classmethod
    def of(cls, table: TableDefinition) -> DeferredIndexes | None:
        """How to make this table; None: whole, or there is nothing to leave for later."""
        parsed = CreateTable.parse(table.statement)
        if parsed is None or table.engine.upper() != _ENGINE or not _is_simple(parsed):
            return None
        keys = _late(parsed.elements)
        if not keys:
            return None
        references = [
            at for at, one in enumerate(parsed.elements) if one.kind is ElementKind.FOREIGN_KEY
        ]
        return cls(
            parsed.without(frozenset([*keys, *references])),
            _alter(table, [parsed.elements[at] for at in keys]),
            _alter(table, [parsed.elements[at] for at in references]) if references else b"",
        )


def _is_simple(parsed: CreateTable) -> bool:
    kinds = [one.kind for one in parsed.elements]
    if ElementKind.OTHER in kinds or ElementKind.PRIMARY_KEY not in kinds:
        return False
    if any(word in _COMPUTED or word == _DIVIDED for word in parsed.options()):
        return False
    return not any(
        token in _COMPUTED
        for one in parsed.elements
        if one.kind is ElementKind.COLUMN
        for token in one.tokens
    )


def _late(elements: tuple[Element, ...]) -> list[int]:
    """The keys behind the last one that has to stay: so their order is the one that they had."""
    counter = _counter(elements)
    late: list[int] = []
    for at, one in enumerate(elements):
        if one.kind not in _PLAIN:
            continue
        if _stays(one, counter):
            late.clear()
        else:
            late.append(at)
    return late


def _counter(elements: tuple[Element, ...]) -> bytes:
    """The AUTO_INCREMENT column, if the primary key does not begin with it; else empty."""
    for one in elements:
        if one.kind is ElementKind.PRIMARY_KEY:
            leading = _leading(one)
    for one in elements:
        if one.kind is ElementKind.COLUMN and b"AUTO_INCREMENT" in one.tokens:
            return b"" if one.tokens[0] == leading else one.tokens[0]
    return b""


def _stays(key: Element, counter: bytes) -> bool:
    leading = _leading(key)
    # An expression in place of a column stands in parentheses of its own.
    has_expression = b"(" in key.tokens[key.tokens.index(b"(") + 1 :] and not _only_prefixes(key)
    return has_expression or _HASHED in key.tokens or (counter != b"" and leading == counter)


def _leading(key: Element) -> bytes:
    """The key's first column."""
    return key.tokens[key.tokens.index(b"(") + 1]


def _only_prefixes(key: Element) -> bool:
    """Each inner parenthesis follows a column's name, and gives a length."""
    tokens = key.tokens
    start = tokens.index(b"(") + 1
    return all(
        tokens[at - 1].startswith(b"`") and tokens[at + 1].isdigit()
        for at in range(start, len(tokens))
        if tokens[at] == b"("
    )


def _alter(table: TableDefinition, added: list[Element]) -> bytes:
    clauses = b", ".join(b"ADD " + one.text for one in added)
    name = encode_name(qualified(table.database, table.name))
    return b"ALTER TABLE " + name + b" " + clauses + b", ALGORITHM=INPLACE"
