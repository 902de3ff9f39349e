"""ENUM and SET members that the server's catalogue writes as `?`."""

from __future__ import annotations

from rowvault.core.omission import texts_of
from rowvault.source.protocol import Selection
from support.copying import source_at
from support.server import DatabaseServer


def test_a_member_that_no_row_tells_is_named(server: DatabaseServer, database: str) -> None:
    server.execute(
        # A strict MariaDB takes the members for equal, as its catalogue writes them.
        f"USE {database}",
        "SET sql_mode = ''",
        "CREATE TABLE e (id INT PRIMARY KEY, v ENUM('a', '\U0001f44d', '\U0001f44e')"
        " CHARACTER SET utf8mb4, s SET('?', 'x') CHARACTER SET utf8mb4,"
        " t ENUM('?') CHARACTER SET latin1)",
        "INSERT INTO e VALUES (1, 3, 3, 1)",
    )
    with source_at(server.url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(databases=(database,)))
    statement = catalogue.tables[0].definition.statement.decode()
    assert "`v` enum('a','?','\U0001f44e')" in statement
    (omission,) = texts_of(catalogue.omissions)
    assert f"{database}.e: column v has members that read '?' here (number 2)" in omission
