"""What is in the way of a restore: named, kept without --replace, and alone dropped with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer, onto

pytestmark = pytest.mark.mariadb

MAKE = {
    "mariadb": ["CREATE SEQUENCE numbers"],
    "mysql": [],
}
BOTH = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE item (id INT PRIMARY KEY, n INT)",
    "INSERT INTO item VALUES (1, 1)",
    "CREATE TABLE second (id INT)",
    "CREATE VIEW seen AS SELECT id FROM item",
    "CREATE FUNCTION f () RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE PROCEDURE p () SELECT 1",
    "CREATE TRIGGER g BEFORE INSERT ON item FOR EACH ROW SET NEW.n = 2",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
]
IN_THE_WAY = [
    "CREATE DATABASE shop",
    "USE shop",
    # Names that tables, views and sequences share, each held by something of another kind.
    "CREATE VIEW item AS SELECT 1 AS one",
    "CREATE TABLE seen (id INT)",
    "CREATE TABLE other (id INT)",
    "INSERT INTO other VALUES (7)",
    "CREATE FUNCTION f () RETURNS INT DETERMINISTIC RETURN 2",
    "CREATE FUNCTION p () RETURNS INT DETERMINISTIC RETURN 3",
    "CREATE PROCEDURE P () SELECT 3",
    "CREATE TRIGGER g AFTER INSERT ON other FOR EACH ROW SET @x = 1",
    "CREATE TRIGGER stays BEFORE DELETE ON other FOR EACH ROW SET @x = 1",
    "CREATE EVENT e ON SCHEDULE EVERY 2 DAY DISABLE DO SELECT 2",
]
SEQUENCE_IN_THE_WAY = {"mariadb": ["CREATE SEQUENCE second", "CREATE TABLE numbers (a INT)"]}


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def source(vendor: str, server: DatabaseServer, place: tuple[str, str]) -> Iterator[DatabaseServer]:
    server.execute(*BOTH, *MAKE[vendor])
    run_json(*place, "backup", server.socket_url)
    yield server
    server.execute("DROP DATABASE shop")


@pytest.fixture
def target(vendor: str, server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    server_second.execute(*IN_THE_WAY, *SEQUENCE_IN_THE_WAY.get(vendor, ()))
    yield server_second
    server_second.execute("DROP DATABASE shop")


def test_all_that_is_in_the_way_is_named_and_kept(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    before = comparer.fingerprint(target, ["shop"])
    done = run("--json", *place, "restore", "latest", target.socket_url)
    assert done.returncode == 1
    assert b"already; nothing was changed" in done.stdout
    assert b"--replace" in done.stdout
    assert comparer.fingerprint(target, ["shop"]) == before


def test_only_what_is_in_the_way_is_dropped(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    before = comparer.fingerprint(target, ["shop"])
    restored = run_json(*place, "restore", "latest", target.socket_url, "--replace", *onto(target))
    assert restored["verified"] is True
    wanted = comparer.fingerprint(source, ["shop"])
    found = comparer.fingerprint(target, ["shop"])
    assert {label: mark for label, mark in found.items() if label in wanted} == wanted
    beyond = found.keys() - wanted.keys()
    assert beyond == {
        "table shop.other", "rows shop.other", "function shop.p", "trigger shop.stays"
    }  # fmt: skip
    assert {label: found[label] for label in beyond} == {label: before[label] for label in beyond}


def test_a_view_alone(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    """It replaces a table of its name; what it reads is another matter."""
    target.execute("DROP VIEW shop.item", "CREATE TABLE shop.item (id INT PRIMARY KEY, n INT)")
    before = comparer.fingerprint(target, ["shop"])
    run_json(
        *place,
        "restore",
        "latest",
        target.socket_url,
        "-t",
        "shop.seen",
        "--replace",
        *onto(target),
    )
    found = comparer.fingerprint(target, ["shop"])
    assert found["view shop.seen"] == comparer.fingerprint(source, ["shop"])["view shop.seen"]
    others = {label: mark for label, mark in found.items() if "seen" not in label}
    assert others == {label: mark for label, mark in before.items() if "seen" not in label}


def test_the_original_is_safe_from_its_own_snapshot(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    before = comparer.fingerprint(source, ["shop"])
    done = run(*place, "restore", "latest", source.socket_url)
    assert done.returncode == 1
    assert b"nothing was changed" in done.stderr
    assert comparer.fingerprint(source, ["shop"]) == before


def test_a_system_versioned_table_is_replaced(
    mariadb: MariaDBServer, place: tuple[str, str]
) -> None:
    mariadb.execute(
        "CREATE DATABASE kept",
        "CREATE TABLE kept.v (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
        "INSERT INTO kept.v VALUES (1, 1)",
        "UPDATE kept.v SET a = 2",
    )
    try:
        run_json(*place, "backup", mariadb.socket_url)
        before = comparer.fingerprint(mariadb, ["kept"])
        mariadb.execute("UPDATE kept.v SET a = 3")
        run_json(*place, "restore", "latest", mariadb.socket_url, "--replace", *onto(mariadb))
        assert comparer.fingerprint(mariadb, ["kept"]) == before
    finally:
        mariadb.execute("DROP DATABASE kept")


@pytest.mark.mysql
def test_another_vendor_is_refused_and_told_why(
    mariadb: MariaDBServer, mysql: MySQLServer, place: tuple[str, str]
) -> None:
    for source, target, statement, reason in (
        (mariadb, mysql, "CREATE TABLE shop.t (u UUID)", b"shop.t.u (uuid)"),
        (mysql, mariadb, "CREATE TABLE shop.t (j JSON)", b"shop.t.j (json)"),
    ):
        source.execute("CREATE DATABASE shop", statement)
        try:
            taken = run_json(*place, "backup", source.socket_url)["snapshot"]
            done = run(*place, "restore", taken, target.socket_url)
        finally:
            source.execute("DROP DATABASE shop")
        assert done.returncode == 1
        assert b"would not come back exactly, among them" in done.stderr
        assert reason in done.stderr
        assert comparer.fingerprint(target, ["shop"]) == {}
