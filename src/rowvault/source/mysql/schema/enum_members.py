"""ENUM and SET members that the server's catalogue cannot hold.

The catalogue is in utf8mb3: a character beyond it reads `?` in SHOW CREATE TABLE and in
information_schema. The table itself has the whole member, and a row that holds it tells its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from rowvault.core.omission import Omission, not_carried
from rowvault.source.mysql.keys.columns import ColumnFacts
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.sqltext.mysql.enumeration import members_of
from rowvault.sqltext.quoting import encode_name, identifier, qualified

_BEYOND = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})
"""Charsets with characters that utf8mb3 has not."""
_UNTOLD = "?"


class Told(msgspec.Struct, frozen=True):
    """A table with the members that its rows tell."""

    statement: bytes
    columns: list[ColumnFacts]
    omissions: tuple[Omission, ...]
    """One for each column with a member that no row tells."""


def tell_members(
    connection: Connection,
    database: str,
    table: str,
    statement: bytes,
    columns: Iterable[ColumnFacts],
) -> Told:
    """Puts the members that rows tell in the place of `?`. Raises StatementError."""
    made: list[ColumnFacts] = []
    omissions = []
    for column in columns:
        doubtful = _doubtful(column)
        if not doubtful:
            made.append(column)
            continue
        known = dict(_known(connection, qualified(database, table), column, doubtful))
        whole = msgspec.structs.replace(column, column_type=_with_members(column, known))
        statement = statement.replace(_declared(column), _declared(whole), 1)
        made.append(whole)
        if len(known) < len(doubtful):
            numbers = ", ".join(str(number) for number in sorted(doubtful - known.keys()))
            omissions.append(
                not_carried(
                    f"{database}.{table}: column {column.name} has members that read '?' here "
                    f"(number {numbers}), and no row holds them: if that stands for a character "
                    "beyond utf8mb3, the member is not carried; the server does not tell it."
                )
            )
    return Told(statement, made, tuple(omissions))


def _is_set(column: ColumnFacts) -> bool:
    return column.data_type.lower() == "set"


def _doubtful(column: ColumnFacts) -> set[int]:
    """Numbers of the members, from 1."""
    is_listed = column.data_type.lower() in ("enum", "set")
    if not is_listed or column.charset.lower() not in _BEYOND:
        return set()
    members = members_of(column.column_type)
    return {number for number, member in enumerate(members, 1) if _UNTOLD in member}


def _known(
    connection: Connection, quoted_name: str, column: ColumnFacts, doubtful: set[int]
) -> Iterator[tuple[int, str]]:
    """(number, text) of those that a row holds."""
    name = identifier(column.name)
    shown = f"CONVERT({name} USING utf8mb4)"
    number = f"CAST({name} AS UNSIGNED)"
    task = f"looking for the members of {column.name} in {quoted_name}"
    if not _is_set(column):
        listed = ", ".join(str(one) for one in sorted(doubtful))
        for index, value in connection.rows(
            f"SELECT DISTINCT {number}, {shown} FROM {quoted_name} WHERE {number} IN ({listed})",
            task,
        ):
            yield int(index or 0), text(value)
        return
    for one in sorted(doubtful):
        bit = 1 << (one - 1)
        rows = connection.rows(
            f"SELECT {number} & {bit - 1}, {shown} FROM {quoted_name} "
            f"WHERE {number} & {bit} LIMIT 1",
            task,
        )
        for before, value in rows:
            # A member has no comma, and they come in the order of their bits.
            yield one, text(value).split(",")[int(before or 0).bit_count()]


def _with_members(column: ColumnFacts, known: dict[int, str]) -> str:
    members = (
        known.get(number, member) for number, member in enumerate(members_of(column.column_type), 1)
    )
    return f"{column.data_type.lower()}({','.join(_quoted(member) for member in members)})"


def _quoted(member: str) -> str:
    """As SHOW CREATE TABLE writes it."""
    escaped = member.replace("\\", "\\\\").replace("'", "''")
    for character, letter in (("\0", "0"), ("\n", "n"), ("\r", "r")):
        escaped = escaped.replace(character, f"\\{letter}")
    return f"'{escaped}'"


def _declared(column: ColumnFacts) -> bytes:
    return encode_name(f"  {identifier(column.name)} {column.column_type}")
