"""The CREATE TABLE statement of a table, as a snapshot keeps it.

SHOW CREATE TABLE says more than a server takes in some places, and less than there is in another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection
from rowvault.sqltext.quoting import encode_name, identifier, qualified

_TEXT = rb"'(?:[^'\\]|\\.|'')*'"
_NAME = rb"`(?:[^`]|``)*`"
_OPTIONS = re.compile(
    rb"%b|%b|(?P<unknown> /\*(?: %b=(?:%b|[^'`\s]+))+ \*/)" % (_TEXT, _NAME, _NAME, _TEXT),
    re.DOTALL,
)
_SPATIAL = (
    rb"(?:geometry|point|linestring|polygon|multipoint|multilinestring|multipolygon"
    rb"|geometrycollection)"
)


def read_definition(connection: Connection, database: str, table: str) -> bytes:
    """The statement as the server gives it. Raises StatementDeniedError, StatementError."""
    name, label = qualified(database, table), f"{database}.{table}"
    try:
        # Refused unless every column may be read: the server would list only those that may.
        connection.rows(f"SELECT * FROM {name} LIMIT 0", f"opening {label}")
        rows = connection.rows(f"SHOW CREATE TABLE {name}", f"reading the definition of {label}")
    except faults.StatementDeniedError as error:
        raise faults.StatementDeniedError(
            f"The account may not read {label}: {error}. Grant SELECT on it, or leave it out with "
            "--exclude.",
            error.code,
        ) from error
    statement = rows[0][1]
    assert statement is not None
    return statement


def without_unknown_options(statement: bytes) -> tuple[bytes, list[str]]:
    """(statement, options): those that no engine knows, which the server puts into comments."""
    options: list[str] = []

    def kept(found: re.Match[bytes]) -> bytes:
        if not found["unknown"]:
            return found[0]
        options.append(found["unknown"].decode("utf-8", "replace").strip(" /*"))
        return b""

    return _OPTIONS.sub(kept, statement), options


def with_reference_systems(statement: bytes, systems: Mapping[str, str]) -> bytes:
    """The statement with the REF_SYSTEM_ID of these columns, of which SHOW CREATE says nothing."""
    for column, system in systems.items():
        name = re.escape(encode_name(identifier(column)))
        told = rb"\1 REF_SYSTEM_ID=" + system.encode()
        statement = re.sub(rb"(?m)^(  %b %b)\b" % (name, _SPATIAL), told, statement, count=1)
    return statement
