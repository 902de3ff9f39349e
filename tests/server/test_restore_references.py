"""Foreign keys between restored tables and those that the target has beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mariadb

MAKE = [
    "CREATE DATABASE shop",
    "CREATE DATABASE other",
    "USE shop",
    "CREATE TABLE customer (id INT UNSIGNED PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer INT UNSIGNED,"
    " CONSTRAINT whose FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE)",
    "CREATE TABLE other.visit (customer INT UNSIGNED,"
    " CONSTRAINT who FOREIGN KEY (customer) REFERENCES shop.customer (id))",
    "INSERT INTO customer VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO orders VALUES (10, 1), (11, 2), (12, NULL)",
    "SET foreign_key_checks = 0",
    "INSERT INTO other.visit VALUES (1), (7)",
]


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def source(server: DatabaseServer, place: tuple[str, str]) -> Iterator[DatabaseServer]:
    server.execute(*MAKE)
    run_json(*place, "backup", server.socket_url)
    yield server
    server.execute("SET foreign_key_checks = 0", "DROP DATABASE shop", "DROP DATABASE other")


def rows(server: DatabaseServer, query: str) -> tuple[tuple[object, ...], ...]:
    with server.connect(database="shop") as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(cursor.fetchall())


def test_orphans_and_cycles_come_back_whole(
    source: DatabaseServer, server_second: DatabaseServer, place: tuple[str, str]
) -> None:
    restored = run_json(*place, "restore", "latest", server_second.socket_url)
    assert restored["warnings"] == []
    names = ["shop", "other"]
    found = comparer.fingerprint(server_second, names)
    server_second.execute("SET foreign_key_checks = 0", *[f"DROP DATABASE {n}" for n in names])
    assert comparer.differences(comparer.fingerprint(source, names), found) == []


def test_a_parent_is_replaced_under_its_children(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(
        "USE shop",
        "INSERT INTO customer VALUES (3, 'new')",
        "INSERT INTO orders VALUES (13, 3), (14, 3)",
    )
    done = run(
        "--json", *place, "restore", "latest", source.socket_url, "-t", "shop.customer", "--replace"
    )
    assert done.returncode == 3, done.stderr
    warnings = json.loads(done.stdout)["warnings"]
    assert [one.split(",")[0] for one in warnings] == [
        "1 rows of other.visit",
        "2 rows of shop.orders",
    ]
    assert rows(source, "SELECT id FROM customer ORDER BY 1") == ((1,), (2,))
    # Nothing cascaded, and the children are bound to the new parent.
    assert len(rows(source, "SELECT id FROM orders")) == 5
    source.execute("DELETE FROM shop.customer WHERE id = 2")
    assert len(rows(source, "SELECT id FROM orders")) == 4


def test_a_parent_that_its_children_cannot_have_is_refused(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(
        "USE shop",
        "SET foreign_key_checks = 0",
        "DROP TABLE other.visit, orders, customer",
        "CREATE TABLE customer (id BIGINT PRIMARY KEY)",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer BIGINT,"
        " CONSTRAINT whose FOREIGN KEY (customer) REFERENCES customer (id))",
    )
    before = comparer.fingerprint(source, ["shop"])
    done = run(*place, "restore", "latest", source.socket_url, "-t", "shop.customer", "--replace")
    assert done.returncode == 1
    assert b"shop.orders refers to shop.customer by the foreign key whose" in done.stderr
    assert b"nothing was changed" in done.stderr
    assert comparer.fingerprint(source, ["shop"]) == before


def test_a_parent_that_is_not_there_is_named(
    source: DatabaseServer, server_second: DatabaseServer, place: tuple[str, str]
) -> None:
    done = run("--json", *place, "restore", "latest", server_second.socket_url, "-t", "shop.orders")
    server_second.execute("DROP DATABASE shop")
    assert done.returncode == 3, done.stderr
    (warning,) = json.loads(done.stdout)["warnings"]
    assert warning.startswith("shop.orders refers to shop.customer by a foreign key")
