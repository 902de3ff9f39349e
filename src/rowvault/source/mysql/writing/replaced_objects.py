"""What a target holds already: read before it is dropped, and dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rowvault.core.errors import SourceError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.source.mysql.schema.programs import ProgramReader
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.source.protocol import ExistingObject
from rowvault.sqltext.quoting import encode_name, qualified

_ROUTINES = frozenset(
    {ObjectKind.FUNCTION, ObjectKind.PROCEDURE, ObjectKind.PACKAGE, ObjectKind.PACKAGE_BODY}
)


def read_programs(
    connection: Connection,
    found: Sequence[ExistingObject],
    folded: Callable[[ObjectKind, str], str],
) -> list[ObjectDefinition]:
    """The views, routines, triggers and events among these; without those that may not be read.

    `folded` gives the same text for names that the server takes for the same. Raises SourceError.
    """
    wanted = {(one.kind, one.database, folded(one.kind, one.name)) for one in found}
    read: list[ObjectDefinition] = []
    for database in sorted({database for _, database, _ in wanted}):
        # What cannot be read here was told by `existing` and is dropped as it was asked for.
        reader = ProgramReader(connection, database, [])
        kinds = {kind for kind, place, _ in wanted if place == database}
        if kinds & _ROUTINES:
            read += reader.routines()
        read += reader.views(
            one.name for one in found if one.kind is ObjectKind.VIEW and one.database == database
        )
        if ObjectKind.TRIGGER in kinds:
            read += reader.triggers()
        if ObjectKind.EVENT in kinds:
            read += reader.events()
    return [one for one in read if (one.kind, one.database, folded(one.kind, one.name)) in wanted]


def drop_object(connection: Connection, found: ExistingObject) -> None:
    """Drops it, if it is still there: a trigger goes with its table. Raises RestoreError."""
    statement = f"DROP {found.kind.upper()} IF EXISTS {qualified(found.database, found.name)}"
    try:
        connection.execute(encode_name(statement), f"dropping {found.label}")
    except SourceError as error:
        raise restore_error(error, f"{found.label} could not be dropped") from error
