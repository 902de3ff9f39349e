"""The sequences that chosen tables call, where they were not chosen themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from rowvault.core.omission import Omission, not_carried
from rowvault.source.mysql.schema.programs import ProgramReader, read_database, sequence_statement
from rowvault.source.mysql.schema.tables import list_tables
from rowvault.source.mysql.wire.connection import Connection
from rowvault.sqltext.mysql.sequence import called_sequences, fresh_sequence
from rowvault.sqltext.quoting import encode_name


def read_called(
    connection: Connection,
    tables: Sequence[TableDefinition],
    chosen: Sequence[ObjectDefinition],
    omissions: list[Omission],
) -> Iterator[ObjectDefinition]:
    """Those that are missing among the chosen objects, with their databases.

    Of one that is gone the statement makes a new one, and it is named: no server makes the table
    without it.
    """
    known = {(one.kind, one.database, one.name) for one in chosen}
    for database, name, table in _calls(tables):
        if (ObjectKind.SEQUENCE, database, name) in known:
            continue
        known.add((ObjectKind.SEQUENCE, database, name))
        there = [one.name for one in list_tables(connection, database) if one.kind == "SEQUENCE"]
        if name not in there:
            omissions.append(
                not_carried(
                    f"sequence {database}.{name}, which a default of {table.label} calls, is gone: "
                    "a restore makes a new one, which begins at 1."
                )
            )
            yield ObjectDefinition(
                kind=ObjectKind.SEQUENCE,
                database=database,
                name=name,
                statement=sequence_statement(encode_name(fresh_sequence(name)), name, 1, 0),
            )
            continue
        if (ObjectKind.DATABASE, database, database) not in known:
            known.add((ObjectKind.DATABASE, database, database))
            yield read_database(connection, database)
        yield from ProgramReader(connection, database, omissions).sequences([name])


def _calls(tables: Sequence[TableDefinition]) -> Iterator[tuple[str, str, TableDefinition]]:
    for table in tables:
        for database, name in sorted(called_sequences(table)):
            yield database, name, table
