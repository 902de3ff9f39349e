"""Stretches of trees that cannot be read: found, joined, and told to people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rowvault.codec.chunker import FIRST_FRAGMENT, LAST_FRAGMENT, WHOLE_ROWS
from rowvault.codec.rows import decode_row
from rowvault.core.errors import DamageError, StorageError, UnsupportedFormatError
from rowvault.core.ids import BlockId
from rowvault.core.model import TableDefinition
from rowvault.repository.trees.node import Entry, LeafEntry
from rowvault.repository.trees.tree import VERBATIM, TreeReader

BAD = (DamageError, UnsupportedFormatError, StorageError)
_SHOWN_VALUE = 40


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a tree that cannot be read."""

    first_key: bytes
    following: bytes | None
    """The first key behind it; None: it reaches the end."""
    blocks: int
    reason: str
    rows: int = 0


Piece = tuple[LeafEntry, bytes | None] | Gap
"""A leaf entry with the first key behind it, or what is missing instead of some."""


def pieces(reader: TreeReader, is_lost: Callable[[BlockId], bool]) -> Iterator[Piece]:
    """A tree in order: the rows that are whole, and gaps; a row in fragments is whole or a gap."""
    group: list[tuple[LeafEntry, bytes | None]] = []
    for piece in _pieces(reader, reader.root_entry, None, is_lost):
        leaf = None if isinstance(piece, Gap) else piece[0]
        if group and (leaf is None or leaf.fragment <= FIRST_FRAGMENT):
            yield from map(_as_gap, group)
            group = []
        if isinstance(piece, Gap) or leaf is None or leaf.fragment == WHOLE_ROWS:
            yield piece
        elif leaf.fragment == FIRST_FRAGMENT or group:
            group.append(piece)
            if leaf.fragment == LAST_FRAGMENT:
                yield from group
                group = []
        else:
            yield _as_gap(piece)
    yield from map(_as_gap, group)


def _pieces(
    reader: TreeReader, entry: Entry, following: bytes | None, is_lost: Callable[[BlockId], bool]
) -> Iterator[Piece]:
    if isinstance(entry, LeafEntry):
        whole = (entry, following)
        yield _as_gap(whole) if is_lost(entry.id) else whole
        return
    try:
        children = reader.children(entry)
    except DamageError as error:
        sums = entry.sums
        yield Gap(entry.first_key, following, sums.entries, str(error), sums.rows)
        return
    for index, child in enumerate(children):
        behind = children[index + 1].first_key if index + 1 < len(children) else following
        yield from _pieces(reader, child, behind, is_lost)


def _as_gap(piece: tuple[LeafEntry, bytes | None]) -> Gap:
    entry, following = piece
    return Gap(entry.first_key, following, 1, "", entry.row_count)


def joined(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Neighbouring gaps of one reason as one."""
    last: Gap | None = None
    for gap in gaps:
        if last is not None and last.following == gap.first_key and last.reason == gap.reason:
            last = Gap(
                last.first_key,
                gap.following,
                last.blocks + gap.blocks,
                gap.reason,
                last.rows + gap.rows,
            )
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def range_text(key_columns: Sequence[str], gap: Gap) -> str:
    """From which key to which, for people."""
    first = _key_text(key_columns, gap.first_key) if gap.first_key else "the start"
    if gap.following is None:
        return f"from {first} to the end"
    return f"from {first} to before {_key_text(key_columns, gap.following)}"


def key_columns(definition: TableDefinition) -> list[str]:
    """The names of a table's key columns, in key order."""
    return [definition.columns[index].name for index in definition.key]


def _key_text(columns: Sequence[str], first_key: bytes) -> str:
    """A key for people."""
    if first_key[:1] != bytes((VERBATIM,)):
        return f"the row with hash {first_key[1:].hex()}"
    try:
        values, _ = decode_row(first_key, 1, len(columns))
    except DamageError:
        return f"0x{first_key.hex()}"
    return ", ".join(
        f"{column}={_value_text(value)}" for column, value in zip(columns, values, strict=True)
    )


def _value_text(value: bytes | None) -> str:
    if value is None:
        return "NULL"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"0x{value[:_SHOWN_VALUE].hex()}"
    return text[:_SHOWN_VALUE] if text.isprintable() else repr(text[:_SHOWN_VALUE])
