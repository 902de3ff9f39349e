"""Which columns tell a table's rows apart, and along which index the rows are read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rowvault.core.model import Column
from rowvault.source.mysql.keys.bounds import can_bound
from rowvault.source.mysql.keys.columns import ColumnFacts, is_ordered
from rowvault.source.mysql.keys.ranges import OrderPart
from rowvault.sqltext.mysql.enumeration import value_count
from rowvault.sqltext.quoting import identifier

PRIMARY = "PRIMARY"


class IndexFacts(msgspec.Struct):
    """One index as information_schema has it."""

    name: str
    unique: bool
    kind: str
    """BTREE, HASH, FULLTEXT, ..."""
    columns: list[str] = msgspec.field(default_factory=list)
    """In key order; the empty string for an expression."""
    descending: list[str] = msgspec.field(default_factory=list)
    """Those of the columns that it keeps in descending order."""
    has_prefix: bool = False


class AccessPath(msgspec.Struct, frozen=True):
    """How the rows of a table are read in an order that is the same every time."""

    hint: str = ""
    """The index hint behind the table's name."""
    order: tuple[OrderPart, ...] = ()
    """The columns to order by; empty: the order of the clustered index."""


class KeyChoice(msgspec.Struct, frozen=True):
    """A table's key, as indices into its stored columns, and the path along it."""

    key: tuple[int, ...]
    is_ordered: bool
    is_divisible: bool
    """Ranges of the key can be read each for itself."""
    path: AccessPath


def choose_key(
    columns: Sequence[Column], facts: Sequence[ColumnFacts], indexes: Sequence[IndexFacts]
) -> KeyChoice:
    """The primary key; else the first unique index without NULLs; else no key.

    Where a table's history is stored, its rows are told apart by the end of each version too.

    An index over prefixes of columns comes last: it tells rows apart, but the server cannot read
    along it in the order of the whole columns.
    """
    usable = [(index, parts) for index in indexes if (parts := _parts(index, columns, facts))]
    for index, parts in sorted(usable, key=lambda candidate: _preference(candidate[0])):
        chosen = [columns[part] for part in parts]
        return KeyChoice(
            key=parts,
            is_ordered=all(is_ordered(column) for column in chosen) and not index.descending,
            is_divisible=not index.has_prefix and all(can_bound(column) for column in chosen),
            path=_path(index, chosen),
        )
    return KeyChoice((), False, False, _clustered(indexes))


def _preference(index: IndexFacts) -> tuple[bool, bool]:
    return index.has_prefix, index.name != PRIMARY


def _parts(
    index: IndexFacts, columns: Sequence[Column], facts: Sequence[ColumnFacts]
) -> tuple[int, ...]:
    """The index's columns among the stored ones; empty when it cannot be a key."""
    if not index.unique or index.kind.upper() == "HASH":
        return ()
    row_ends = {fact.name for fact in facts if fact.is_row_end}
    not_null = {fact.name for fact in facts if not fact.nullable}
    position = {column.name: at for at, column in enumerate(columns)}
    # Without its history all rows of a system-versioned table have the same row end.
    names = [name for name in index.columns if name in position or name not in row_ends]
    # The server has it in every unique index, last unless it is written elsewhere.
    names += [name for name in row_ends if name in position and name not in names]
    if not all(name in position and name in not_null for name in names):
        return ()
    return tuple(position[name] for name in names)


def _path(index: IndexFacts, chosen: Sequence[Column]) -> AccessPath:
    hint = f"FORCE INDEX ({identifier(index.name)})"
    if index.has_prefix:
        return AccessPath(hint)
    return AccessPath(
        hint,
        tuple(
            OrderPart(one.name, one.name in index.descending, value_count(one)) for one in chosen
        ),
    )


def _clustered(indexes: Sequence[IndexFacts]) -> AccessPath:
    # An index that holds all columns could be read instead, in another order.
    names = ", ".join(identifier(index.name) for index in indexes)
    return AccessPath(f"IGNORE INDEX ({names})" if names else "")
