"""What is found on a server, and what is said about what is not."""

from __future__ import annotations

import pytest

from rowvault.core.errors import AccessDeniedError, RestoreError, UnknownObjectError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.omission import texts_of
from rowvault.source.mysql.schema import history
from rowvault.source.mysql.writing import ddl_runner
from rowvault.source.protocol import Catalogue, Selection
from support import comparer
from support.copying import copy, source_at, table_rows
from support.mariadb import MariaDBServer
from support.server import DatabaseServer


def catalogue_of(url: str, selection: Selection) -> Catalogue:
    with source_at(url).open_snapshot(1) as snapshot:
        return snapshot.catalogue(selection)


def find(catalogue: Catalogue, kind: ObjectKind, name: str) -> ObjectDefinition:
    (found,) = [one for one in catalogue.objects if (one.kind, one.name) == (kind, name)]
    return found


def test_an_unknown_database_gets_the_nearest_name(server: DatabaseServer, database: str) -> None:
    with pytest.raises(UnknownObjectError, match=f"Did you mean {database}"):
        catalogue_of(server.url, Selection(databases=(database + "x",)))


def test_an_unknown_table_gets_the_nearest_name(server: DatabaseServer, database: str) -> None:
    server.execute(f"CREATE TABLE {database}.customer (a INT)")
    with pytest.raises(UnknownObjectError, match="Did you mean customer"):
        catalogue_of(server.url, Selection(tables=((database, "custommer"),)))


def test_the_servers_own_databases_are_left_out(server: DatabaseServer, database: str) -> None:
    catalogue = catalogue_of(server.url, Selection())
    assert {one.definition.database for one in catalogue.tables}.isdisjoint({"mysql", "sys"})
    assert database in {one.name for one in catalogue.objects}


def test_names_are_compared_exactly(server: DatabaseServer, database: str) -> None:
    names = ("a_b", "axb", "A_B")
    server.execute(f"USE {database}", *(f"CREATE TABLE `{name}` (a INT)" for name in names))
    catalogue = catalogue_of(server.url, Selection(tables=((database, "a_b"),)))
    assert [one.definition.name for one in catalogue.tables] == ["a_b"]
    assert [one.kind for one in catalogue.objects] == [ObjectKind.DATABASE]


def test_what_matches_an_exclude_is_left_out_with_its_triggers(
    server: DatabaseServer, database: str
) -> None:
    server.execute(
        f"USE {database}",
        "CREATE TABLE tmp_a (a INT)",
        "CREATE TABLE b (a INT)",
        "CREATE TRIGGER g BEFORE INSERT ON tmp_a FOR EACH ROW SET @x = 1",
    )
    selection = Selection(databases=(database,), excludes=(f"{database}.tmp_*",))
    catalogue = catalogue_of(server.url, selection)
    assert [one.definition.name for one in catalogue.tables] == ["b"]
    assert [one.kind for one in catalogue.objects] == [ObjectKind.DATABASE]


def account(server: DatabaseServer, *grants: str) -> str:
    server.execute(
        "DROP USER IF EXISTS little@'%'",
        "CREATE USER little@'%' IDENTIFIED BY 'p'",
        *(f"GRANT {grant} TO little@'%'" for grant in grants),
    )
    return server.url.replace("test:test@", "little:p@")


@pytest.mark.parametrize("right", ["INSERT", "SELECT (a)"])
def test_a_table_that_may_not_be_read_whole_is_named(
    right: str, server: DatabaseServer, database: str
) -> None:
    server.execute(f"CREATE TABLE {database}.t (a INT, b INT)")
    url = account(server, f"{right} ON {database}.t")
    for selection in (Selection(databases=(database,)), Selection(tables=((database, "t"),))):
        with pytest.raises(AccessDeniedError, match=f"{database}.t"):
            catalogue_of(url, selection)


def test_what_an_account_cannot_see_is_told(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (a INT)",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE PROCEDURE p() SELECT 1",
    )
    url = account(mariadb, f"SELECT, EXECUTE ON {database}.*")
    told = "\n".join(texts_of(catalogue_of(url, Selection(databases=(database,))).omissions))
    for word in ("triggers", "events", "SHOW VIEW", "procedure"):
        assert word in told


def test_an_account_with_the_named_rights_sees_all(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(f"USE {database}", "CREATE TABLE t (a INT)", "CREATE PROCEDURE p() SELECT 1")
    url = account(
        mariadb,
        "PROCESS ON *.*",
        f"SELECT, SHOW VIEW, TRIGGER, EVENT ON {database}.*",
        "SELECT ON mysql.proc",
    )
    catalogue = catalogue_of(url, Selection(databases=(database,)))
    assert texts_of(catalogue.omissions) == []
    assert find(catalogue, ObjectKind.PROCEDURE, "p").statement.endswith(b"SELECT 1")


PROGRAMS = [
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
    "CREATE SEQUENCE s START WITH 10 INCREMENT BY -1 MINVALUE -5 MAXVALUE 10 CYCLE",
    "DO NEXTVAL(s)",
    "CREATE TABLE u (id INT DEFAULT NEXTVAL(s) PRIMARY KEY)",
    "CREATE VIEW z AS SELECT id FROM t",
    "CREATE VIEW a AS SELECT id FROM z WHERE id > 0",
    "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
    "CREATE PROCEDURE modes() SELECT 'a\\' || 'b' AS \"q\" /* kept */ -- this too",
    "SET sql_mode = ''",
    "CREATE TRIGGER g2 BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1",
    "CREATE TRIGGER g1 BEFORE INSERT ON t FOR EACH ROW FOLLOWS g2 SET NEW.v = NEW.v * 2",
    "CREATE TRIGGER g0 BEFORE INSERT ON t FOR EACH ROW PRECEDES g2 SET @x = 1",
    "SET time_zone = '+05:00'",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 10:00:00' DISABLE DO SET @z = 1",
    "SET sql_mode = ORACLE",
    "CREATE PACKAGE k AS FUNCTION f RETURN INT; END",
    "CREATE PACKAGE BODY k AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END",
    "SET sql_mode = ''",
    "SET NAMES latin1",
    "CREATE PROCEDURE `p\xe9`() BEGIN SELECT '\xe9'; /* \xfc */ END".encode("latin1"),
    "CREATE VIEW `v\xe9` AS SELECT '\xe9' AS `\xfc`".encode("latin1"),
]


def test_programs_come_back_with_their_sessions(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str
) -> None:
    mariadb.execute(f"USE {database}", *PROGRAMS, f"ALTER DATABASE {database} COLLATE utf8mb4_bin")
    try:
        copy(mariadb.url, mariadb_second.url, [database])
        left = comparer.fingerprint(mariadb, [database])
        assert comparer.differences(left, comparer.fingerprint(mariadb_second, [database])) == []
    finally:
        mariadb_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_a_broken_view_comes_back_as_broken_as_it_was(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str
) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (a INT)",
        "CREATE VIEW v AS SELECT a FROM t",
        "DROP TABLE t",
    )
    try:
        done = copy(mariadb.url, mariadb_second.url, [database])
        left = comparer.fingerprint(mariadb, [database])
        assert comparer.differences(left, comparer.fingerprint(mariadb_second, [database])) == []
    finally:
        mariadb_second.execute(f"DROP DATABASE IF EXISTS {database}")
    assert b"`t`" in find(done.catalogue, ObjectKind.VIEW, "v").statement
    assert texts_of(done.catalogue.omissions) == []
    assert not any("invalid" in one for one in done.warnings)


def test_a_broken_view_that_cannot_be_made_is_named(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str
) -> None:
    """No stand-in is a shape."""
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (g POINT)",
        "CREATE VIEW v AS SELECT ST_X(g) AS x FROM t",
        "DROP TABLE t",
    )
    try:
        done = copy(mariadb.url, mariadb_second.url, [database])
        left = comparer.fingerprint(mariadb_second, [database])
    finally:
        mariadb_second.execute(f"DROP DATABASE IF EXISTS {database}")
    assert set(left) == {f"database {database}"}
    assert any("invalid at the source" in one for one in done.warnings)


def test_a_table_that_its_server_cannot_open_is_named(
    mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE damaged (a INT) ENGINE = MyISAM",
        "CREATE TABLE whole (a INT)",
        "FLUSH TABLES",
    )
    (mariadb.data / database / "damaged.MYD").unlink()
    mariadb.execute("FLUSH TABLES")
    catalogue = catalogue_of(mariadb.url, Selection(databases=(database,)))
    assert [one.definition.name for one in catalogue.tables] == ["whole"]
    (told,) = texts_of(catalogue.omissions)
    assert f"{database}.damaged is left out" in told


HISTORY = (
    "CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
    "INSERT INTO t VALUES (1, 1)",
    "UPDATE t SET v = 2",
)


def test_history_is_rows_with_the_end_of_each_version_in_the_key(
    mariadb: MariaDBServer, database: str
) -> None:
    mariadb.execute(f"USE {database}", *HISTORY)
    catalogue = catalogue_of(mariadb.url, Selection(databases=(database,)))
    (table,) = [one.definition for one in catalogue.tables]
    assert [column.name for column in table.columns] == ["id", "v", "row_start", "row_end"]
    assert table.key == (0, 3)
    assert texts_of(catalogue.omissions) == []
    assert len(table_rows(mariadb.url, database, "t")) == 2


def test_history_that_a_server_could_not_take_back_is_named(
    mariadb: MariaDBServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before MariaDB 10.11 there is no such variable."""
    mariadb.execute(f"USE {database}", *HISTORY)
    monkeypatch.setattr(history, "INSERT_HISTORY", "no_such_variable")
    catalogue = catalogue_of(mariadb.url, Selection(databases=(database,)))
    assert [one.definition.key for one in catalogue.tables] == [(0,)]
    assert any("its history is left out" in one for one in texts_of(catalogue.omissions))
    assert len(table_rows(mariadb.url, database, "t")) == 1


def test_a_target_that_cannot_take_history_is_told_before_any_row(
    mariadb: MariaDBServer,
    mariadb_second: MariaDBServer,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mariadb.execute(f"USE {database}", *HISTORY)
    monkeypatch.setattr(ddl_runner, "INSERT_HISTORY", "no_such_variable")
    try:
        with pytest.raises(RestoreError, match="does not take: it lacks"):
            copy(mariadb.url, mariadb_second.url, [database])
    finally:
        mariadb_second.execute(f"DROP DATABASE IF EXISTS {database}")


def test_what_an_account_may_not_see_is_told(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(
        f"CREATE TABLE {database}.seen (id INT)",
        f"CREATE TABLE {database}.unseen (id INT)",
        "CREATE OR REPLACE USER little@'%' IDENTIFIED BY 'p'",
        f"GRANT SELECT ON {database}.seen TO little@'%'",
    )
    url = mariadb.url.replace("test:test@", "little:p@")
    with source_at(url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection())
    assert [one.definition.name for one in catalogue.tables] == ["seen"]
    told = "\n".join(texts_of(catalogue.omissions))
    assert "databases on which the account has no right" in told
    assert f"tables of {database} on which the account has no right" in told
    mariadb.execute("GRANT SELECT ON *.* TO little@'%'", "GRANT PROCESS ON *.* TO little@'%'")
    with source_at(url).open_snapshot(1) as snapshot:
        told = "\n".join(texts_of(snapshot.catalogue(Selection()).omissions))
    assert "has no right" not in told
    mariadb.execute("DROP USER little@'%'")
