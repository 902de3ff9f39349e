"""A server that has more than this version knows: named, never dropped in silence.

What a newer server has is played by what this one has, taken from what this version knows.
"""

from __future__ import annotations

import pytest

from rowvault.core.model import ObjectKind
from rowvault.core.omission import texts_of
from rowvault.source.mysql.keys import columns
from rowvault.source.mysql.schema import catalogue, programs, unknown_kinds
from rowvault.source.protocol import Catalogue, Selection
from support.copying import source_at
from support.server import DatabaseServer


@pytest.fixture
def filled(server: DatabaseServer, database: str) -> str:
    server.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, g GEOMETRY)",
        "CREATE TABLE u (id INT PRIMARY KEY)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE PROCEDURE p() DO 1",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1",
    )
    return database


def _read(server: DatabaseServer, database: str) -> Catalogue:
    with source_at(server.url).open_snapshot(1) as snapshot:
        return snapshot.catalogue(Selection(databases=(database,)))


def test_a_type_that_is_not_known(
    server: DatabaseServer, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_BYTES", columns._BYTES - {"geometry"})
    found = _read(server, filled)
    assert [one.definition.name for one in found.tables] == ["u"]
    assert texts_of(found.omissions) == [
        f"{filled}.t is left out: this version cannot read the type geometry exactly."
    ]


def test_a_kind_of_table_that_is_not_known(
    server: DatabaseServer, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "ROW_TABLES", ())
    found = _read(server, filled)
    assert found.tables == []
    assert texts_of(found.omissions) == [
        f"{filled}.{name} is left out: it is a BASE TABLE." for name in ("t", "u")
    ]


def test_a_kind_of_routine_that_is_not_known(
    server: DatabaseServer, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(programs._ROUTINE_KINDS, "PROCEDURE")
    found = _read(server, filled)
    assert ObjectKind.PROCEDURE not in {one.kind for one in found.objects}
    assert texts_of(found.omissions) == [
        f"procedure {filled}.p is left out: its kind is not known."
    ]


def test_a_list_of_objects_that_is_not_known(
    server: DatabaseServer, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_kinds, "_KNOWN", unknown_kinds._KNOWN - {"EVENT"})
    assert texts_of(_read(server, filled).omissions) == [
        f"event {filled}.e (information_schema.EVENTS): left out, for its kind is not known to "
        "this version."
    ]


def test_all_that_this_server_has_is_known(server: DatabaseServer, filled: str) -> None:
    assert texts_of(_read(server, filled).omissions) == []
    with source_at(server.url).open_snapshot(1) as snapshot:
        kinds = unknown_kinds.UnknownKinds(snapshot.readers()[0].connection)  # type: ignore[attr-defined]
    assert kinds._lists == []
