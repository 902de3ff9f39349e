"""Restores beyond the main job: other names, what is left out, targets that cannot take it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, succeed
from support.server import drop_databases

pytestmark = pytest.mark.mariadb

PASSWORD = {"MYSQL_PWD": "test"}


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def source(mariadb: MariaDBServer) -> Iterator[MariaDBServer]:
    yield mariadb
    drop_databases(mariadb)


@pytest.fixture
def target(mariadb_second: MariaDBServer) -> Iterator[MariaDBServer]:
    yield mariadb_second
    drop_databases(mariadb_second)


def marks(server: MariaDBServer, database: str, new_name: str = "") -> dict[str, str]:
    """The fingerprint of a database, told under another name."""
    found = comparer.fingerprint(server, [database])
    new = new_name or database
    return {
        label.replace(database, new): mark.replace(database, new) for label, mark in found.items()
    }


def test_a_view_that_cannot_be_made_is_in_the_result(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(
        "CREATE DATABASE k",
        "CREATE TABLE k.t (g POINT)",
        "CREATE VIEW k.v AS SELECT ST_X(g) FROM k.t",
        "DROP TABLE k.t",
    )
    assert run(*place, "backup", source.socket_url).returncode == 0
    done = run("--json", *place, "restore", "latest", target.socket_url)
    assert done.returncode == 3
    result = json.loads(done.stdout)
    assert any("view k.v" in warning for warning in result["warnings"])
    # The source could not make it any more, and neither can this server.
    assert (result["verified"], result["left_out"]) == (False, ["view k.v"])


def test_a_password_in_the_address_is_only_told(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute("CREATE DATABASE k", "CREATE TABLE k.t (a INT)")
    for arguments in (("backup", source.url), ("restore", "latest", target.url)):
        done = run("--json", *place, *arguments)
        assert done.returncode == 0
        assert json.loads(done.stdout)["warnings"] == []
        assert done.stderr.count(b"password stands in the address") == 1


EVERYTHING = [
    "CREATE DATABASE k",
    "CREATE DATABASE j",
    "USE k",
    "CREATE SEQUENCE s START WITH 5",
    "CREATE TABLE k (id INT PRIMARY KEY, x INT DEFAULT NEXTVAL(s) COMMENT 'of `k`.`s`')",
    "INSERT INTO k VALUES (1, 1), (2, 2)",
    "CREATE TABLE c (id INT PRIMARY KEY, k INT, FOREIGN KEY (k) REFERENCES k(id))",
    "INSERT INTO c VALUES (1, 2)",
    "CREATE FUNCTION f (a INT) RETURNS INT DETERMINISTIC RETURN a + 1",
    "CREATE VIEW v AS SELECT k.id, k.x, f(k.id) AS y, 'from `k`.`v`' AS z FROM k",
    "CREATE TRIGGER k.one BEFORE INSERT ON `k` . k FOR EACH ROW SET NEW.x = NEW.x + 1",
    "CREATE PROCEDURE p () SELECT * FROM c",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM c",
    "CREATE TABLE j.far (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES k.k(id))",
    "CREATE VIEW j.w AS SELECT v.id, c.k FROM k.v JOIN k.c ON c.id = v.id",
]


def test_a_database_under_another_name_beside_the_original(
    source: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    before = marks(source, "k")
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    restored = run_json(
        *place, "restore", "latest", source.socket_url,
        "--rename", "k=`k.2`", "--rename", "j=`j.``2`",
    )  # fmt: skip
    assert restored["warnings"] == []
    assert marks(source, "k") == before
    with source.connect(database="k.2") as connection, connection.cursor() as cursor:
        cursor.execute("SHOW CREATE TABLE k")
        assert "nextval(`k.2`.`s`)" in str(cursor.fetchone())
        cursor.execute("SHOW CREATE TABLE `j.``2`.far")
        assert "REFERENCES `k.2`.`k`" in str(cursor.fetchone())
        cursor.execute("SELECT * FROM v")
        assert cursor.fetchall() == ((1, 1, 2, "from `k`.`v`"), (2, 2, 3, "from `k`.`v`"))
        cursor.execute("SHOW CREATE VIEW `j.``2`.w")
        assert "`k`.`" not in str(cursor.fetchone())
        cursor.execute("SHOW TRIGGERS")
        assert [row[0] for row in cursor.fetchall()] == ["one"]


def test_a_table_under_another_name_beside_the_original(
    source: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    before = marks(source, "k")
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    done = run(
        "--json", *place, "restore", "latest", source.socket_url, "-t", "k.c",
        "--rename", "k.c=k.`c.2`",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    after = marks(source, "k")
    assert {label: mark for label, mark in after.items() if label in before} == before
    assert after["rows k.c.2"] == before["rows k.c"]


def test_a_renamed_table_takes_references_along_and_leaves_views_out(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    done = run(
        "--json", *place, "restore", "latest", target.socket_url, "--rename", "k.k=k.other",
    )  # fmt: skip
    assert done.returncode == 3
    result = json.loads(done.stdout)
    left_out = ("trigger k.one", "view k.v", "view j.w")
    assert [
        any(w.startswith(f"{one} is left out") for w in result["warnings"]) for one in left_out
    ] == [True] * 3
    assert result["verified"] is False
    assert sorted(result["left_out"]) == sorted(left_out)
    with target.connect(database="k") as connection, connection.cursor() as cursor:
        cursor.execute("SHOW CREATE TABLE c")
        assert "REFERENCES `other`" in str(cursor.fetchone())
        cursor.execute("SHOW CREATE TABLE j.far")
        assert "REFERENCES `k`.`other`" in str(cursor.fetchone())


def test_a_rename_that_cannot_be_is_refused_before_anything_is_made(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    for arguments in (
        ("--rename", "nowhere=x"),
        ("--rename", "k.nothing=k.x"),
        ("--rename", "k.v=k.v2"),
        ("--rename", "k.k=k.c"),
        ("--rename", "k=j"),
        ("--rename", "k=x", "--rename", "k=y"),
        ("-d", "j", "--rename", "k=x"),
    ):
        done = run(*place, "restore", "latest", target.socket_url, *arguments)
        assert done.returncode == 2, done.stderr
    assert comparer.fingerprint(target, ["k", "j", "x", "y"]) == {}


def test_what_refers_to_something_else_is_left_out_and_not_verified(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    done = run("--json", *place, "restore", "latest", target.socket_url, "-d", "j")
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    assert (result["verified"], result["left_out"]) == (False, ["view j.w"])
    left_out, dangling = result["warnings"]
    assert left_out.startswith("view j.w could not be created")
    assert dangling.startswith("j.far refers to k.k by a foreign key")


def test_verified_is_not_said_where_a_rename_leaves_something_out(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(*EVERYTHING)
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    whole = run(*place, "restore", "latest", target.socket_url)
    assert whole.returncode == 0, whole.stderr
    assert b"verified: all definitions and rows" in whole.stdout
    drop_databases(target)
    part = run(*place, "restore", "latest", target.socket_url, "--rename", "k.k=k.other")
    assert part.returncode == 3, part.stderr
    assert b"verified" not in part.stdout
    for label in (b"trigger k.one", b"view k.v", b"view j.w"):
        assert label in part.stdout.partition(b"incomplete: ")[2]


def test_an_account_without_rights_is_told_so_once(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute("CREATE DATABASE k", "CREATE TABLE k.t (a INT)")
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    target.execute("CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'p'")
    target.execute("GRANT SELECT ON *.* TO reader@'%'")
    url = target.url.replace("test:test@", "reader@")
    done = run(*place, "restore", "latest", url, env={"MYSQL_PWD": "p"})
    assert done.returncode == 1
    assert done.stderr.count(b"error:") == 1
    assert b"CREATE on `k`.* for database k" in done.stderr
    target.execute("DROP USER reader@'%'")


def test_a_snapshot_of_one_table_makes_its_database(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(
        "CREATE DATABASE k CHARACTER SET latin2",
        "CREATE TABLE k.t (a INT)",
        "CREATE TABLE k.u (a INT)",
    )
    run_json(*place, "backup", source.socket_url, "-t", "k.t", env=PASSWORD)
    run_json(*place, "restore", "latest", target.socket_url, env=PASSWORD)
    found = comparer.fingerprint(target, ["k"])
    assert found.keys() == {"database k", "table k.t", "rows k.t"}
    assert "latin2" in found["database k"]
    drop_databases(target)
    pipe_into(target, succeed(*place, "dump", "latest"))
    assert comparer.fingerprint(target, ["k"]) == found


def test_a_table_goes_into_a_database_that_is_not_there_yet(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute("CREATE DATABASE k CHARACTER SET latin2", "CREATE TABLE k.t (a INT)")
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    run_json(*place, "restore", "latest", target.socket_url, "-t", "k.t", "--rename", "k.t=z.u")
    found = comparer.fingerprint(target, ["k", "z"])
    assert found.keys() == {"database z", "table z.u", "rows z.u"}
    assert "latin2" in found["database z"]


def test_programs_in_a_charset_that_hides_backslashes_load_from_a_dump(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    source.execute(
        "CREATE DATABASE k",
        "USE k",
        "SET NAMES sjis COLLATE sjis_bin",
        b"CREATE PROCEDURE p () SELECT '\x83\x5c', '\x83\x5c\x5c\\', ';;'",
        b"CREATE VIEW v AS SELECT '\x83\x5c' AS x",
    )
    run_json(*place, "backup", source.socket_url, env=PASSWORD)
    pipe_into(target, succeed(*place, "dump", "latest"))
    assert comparer.differences(marks(source, "k"), marks(target, "k")) == []
