"""A table that is replaced stands until what replaces it has been read, loaded and proven."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rowvault.sqltext.mysql.create_table import CreateTable, ElementKind
from rowvault.sqltext.mysql.shadow_table import NEW, OLD, shadow_name
from support import comparer
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, start, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mariadb

MAKE = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE customer (id INT PRIMARY KEY, boss INT, n INT, CHECK (n < 1000), KEY boss (boss),"
    " CONSTRAINT bosses FOREIGN KEY (boss) REFERENCES customer (id))",
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT, note VARCHAR(700),"
    " twice INT AS (CHAR_LENGTH(note) * 2) STORED, FULLTEXT KEY words (note),"
    " KEY customer (customer),"
    " CONSTRAINT whose FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE,"
    " FOREIGN KEY (customer) REFERENCES customer (id))",
    "CREATE TABLE parts (id INT PRIMARY KEY, n INT) PARTITION BY HASH (id) PARTITIONS 3",
    "INSERT INTO customer VALUES (1, 1, 1), (2, 1, 2)",
    "INSERT INTO orders (customer, note) VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO orders (customer, note) SELECT a.customer, REPEAT(SHA2(a.id * 7 + b.id, 256), 9)"
    " FROM orders a, orders b",
    "INSERT INTO parts VALUES (1, 1), (2, 2)",
    "CREATE VIEW seen AS SELECT id FROM orders",
    "CREATE TRIGGER g BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = 'x'",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
]
MORE = {
    "mariadb": [
        "CREATE SEQUENCE numbers",
        "CREATE TABLE counted (id INT PRIMARY KEY, a INT DEFAULT NEXTVAL(numbers),"
        " CONSTRAINT small CHECK (a < 100))",
        "INSERT INTO counted (id) VALUES (1), (2)",
        "CREATE TABLE v (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
        "INSERT INTO v VALUES (1, 1)",
        "UPDATE v SET a = 2",
    ],
    "mysql": [],
}
CHANGE = ["USE shop", "INSERT INTO customer VALUES (3, 1, 3)", "DELETE FROM orders WHERE id = 1"]


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def source(vendor: str, server: DatabaseServer, place: tuple[str, str]) -> Iterator[DatabaseServer]:
    server.execute(*MAKE, *MORE[vendor])
    run_json(*place, "backup", server.socket_url)
    yield server
    server.execute(
        "SET foreign_key_checks = 0",
        "DROP DATABASE IF EXISTS shop",
        "DROP DATABASE IF EXISTS other",
    )


def replaced(done: dict[str, object]) -> dict[str, str]:
    found = done["replaced"]
    assert isinstance(found, list)
    return {one["table"]: one["way"] for one in found}


def test_all_tables_are_exchanged_and_are_the_snapshots(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    before = comparer.fingerprint(source, ["shop"])
    source.execute(*CHANGE)
    done = run_json(*place, "restore", "latest", source.socket_url, "--replace")
    assert set(replaced(done).values()) == {"exchanged"}
    assert comparer.differences(before, comparer.fingerprint(source, ["shop"])) == []


def test_ways_are_told_before_anything_is_changed(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(*CHANGE)
    before = comparer.fingerprint(source, ["shop"])
    words = (*place, "restore", "latest", source.socket_url, "--replace", "-t", "shop.customer")
    planned = run_json(*words, "--dry-run")
    assert planned["dry_run"] is True
    assert replaced(planned) == {"shop.customer": "dropped first"}
    assert planned["in_the_way"] == ["table shop.customer"]
    told = run(*words, "--dry-run")
    assert told.returncode == 0
    assert told.stdout.endswith(b"nothing was changed\n")
    sentence = b"dropped first, when all of it has been read: shop.customer (shop.orders refers"
    assert sentence in told.stderr
    assert comparer.differences(before, comparer.fingerprint(source, ["shop"])) == []
    done = run(*words)
    assert sentence in done.stderr
    all_of_it = run(*words[:-2])
    assert b"loaded beside the old ones, and exchanged with them when proven: " in all_of_it.stderr


def test_dropping_first_gives_the_same(source: DatabaseServer, place: tuple[str, str]) -> None:
    before = comparer.fingerprint(source, ["shop"])
    source.execute(*CHANGE)
    done = run_json(*place, "restore", "latest", source.socket_url, "--replace", "--drop-first")
    assert set(replaced(done).values()) == {"dropped first"}
    assert comparer.differences(before, comparer.fingerprint(source, ["shop"])) == []


def test_a_parent_of_others_is_dropped_and_says_why(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    done = run_json(
        *place, "restore", "latest", source.socket_url, "--replace", "-t", "shop.customer"
    )
    (one,) = done["replaced"]
    assert one["way"] == "dropped first"
    assert "shop.orders refers to it by the foreign key" in one["reason"]


def test_a_kill_in_mid_load_leaves_the_old_tables(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    wanted = comparer.fingerprint(source, ["shop"])
    source.execute(*CHANGE)
    before = comparer.fingerprint(source, ["shop"])
    # Whoever creates a table of many is killed while it does.
    with source.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES shop.orders READ")
        restore = start(*place, "restore", "latest", source.socket_url, "--replace")
        left = 0
        while not left and restore.poll() is None:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'"
                " AND TABLE_NAME LIKE '\\_rowvault\\_new\\_%'"
            )
            row = cursor.fetchone()
            left = row[0] if row else 0
        restore.send_signal(signal.SIGKILL)
        restore.communicate()
        cursor.execute("UNLOCK TABLES")
    found = comparer.fingerprint(source, ["shop"])
    assert {one: mark for one, mark in found.items() if "_rowvault_" not in one} == before
    run_json(*place, "restore", "latest", source.socket_url, "--replace")
    assert comparer.differences(wanted, comparer.fingerprint(source, ["shop"])) == []


def test_a_program_that_cannot_be_made_leaves_the_former(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    """The view of the snapshot reads a table that the target lacks."""
    source.execute(
        "CREATE DATABASE other",
        "CREATE TABLE other.t (a INT)",
        "CREATE OR REPLACE VIEW shop.seen AS SELECT a FROM other.t",
    )
    taken = run_json(*place, "backup", source.socket_url, "-d", "shop")["snapshot"]
    source.execute(
        "DROP DATABASE other", "CREATE OR REPLACE VIEW shop.seen AS SELECT n FROM shop.parts"
    )
    before = comparer.fingerprint(source, ["shop"])
    done = run("--json", *place, "restore", taken, source.socket_url, "--replace")
    assert done.returncode == 3, done.stderr
    assert "the former view shop.seen stands again" in json.loads(done.stdout)["warnings"][0]
    assert comparer.differences(before, comparer.fingerprint(source, ["shop"])) == []


def test_a_table_without_its_name_gets_it_back(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    """As a server without an atomic RENAME leaves it that dies in the middle."""
    wanted = comparer.fingerprint(source, ["shop"])
    source.execute(f"RENAME TABLE shop.parts TO shop.{shadow_name(OLD, 'shop', 'parts')}")
    done = run("--json", *place, "restore", "latest", source.socket_url, "--replace")
    assert done.returncode == 3, done.stderr
    assert "has its name again" in json.loads(done.stdout)["warnings"][0]
    assert comparer.differences(wanted, comparer.fingerprint(source, ["shop"])) == []


def test_a_run_that_ended_behind_the_exchange_is_mended(
    vendor: str, source: DatabaseServer, place: tuple[str, str]
) -> None:
    """A foreign key has the name that it had before the exchange, the old table stands aside."""
    wanted = comparer.fingerprint(source, ["shop"])
    reference = "FOREIGN KEY (customer) REFERENCES customer (id)"
    with source.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW CREATE TABLE shop.orders")
        made = CreateTable.parse(str((cursor.fetchone() or ("", ""))[1]).encode())
    assert made is not None
    new, old = (shadow_name(one, "shop", "orders") for one in (NEW, OLD))
    source.execute(
        "USE shop",
        "ALTER TABLE orders DROP FOREIGN KEY whose",
        f"CREATE TABLE {old} (customer INT, CONSTRAINT whose {reference})",
        *(
            f"ALTER TABLE orders ADD CONSTRAINT {new}_{at} {reference}"
            for at, one in enumerate(made.elements)
            if one.kind is ElementKind.FOREIGN_KEY
        ),
    )
    run_json(*place, "restore", "latest", source.socket_url, "--replace")
    assert comparer.differences(wanted, comparer.fingerprint(source, ["shop"])) == []


def test_a_check_that_the_old_table_lacks_keeps_its_name(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute("ALTER TABLE shop.parts ADD CONSTRAINT positive CHECK (n > 0)")
    wanted = comparer.fingerprint(source, ["shop"])
    run_json(*place, "backup", source.socket_url)
    source.execute("ALTER TABLE shop.parts DROP CONSTRAINT positive")
    done = run_json(*place, "restore", "latest", source.socket_url, "--replace", "-t", "shop.parts")
    assert replaced(done) == {"shop.parts": "exchanged"}
    assert comparer.differences(wanted, comparer.fingerprint(source, ["shop"])) == []


def test_a_lost_connection_in_the_exchange_leaves_the_old_tables(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(*CHANGE)
    before = comparer.fingerprint(source, ["shop"])
    with source.connect() as holder, source.connect() as other, other.cursor() as cursor:
        holder.begin()
        holder.query("SELECT * FROM shop.parts LIMIT 1")
        restore = start(*place, "restore", "latest", source.socket_url, "--replace")
        waiting = None
        while waiting is None and restore.poll() is None:
            cursor.execute(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'RENAME TABLE%'"
            )
            waiting = cursor.fetchone()
        assert waiting is not None
        cursor.execute(f"KILL {waiting[0]}")
        _, told = restore.communicate()
        holder.rollback()
    assert restore.returncode == 1
    assert b"The connection ended while tables were exchanged" in told
    assert comparer.differences(before, comparer.fingerprint(source, ["shop"])) == []


def test_names_of_constraints_that_only_a_server_can_give(
    mariadb: MariaDBServer, place: tuple[str, str]
) -> None:
    """MariaDB gives `t_ibfk_1` to a table of 64 characters beyond ASCII, and takes no such name."""
    name = "Täßé中" * 12 + "äöüx"
    mariadb.execute(
        "CREATE DATABASE shop",
        "USE shop",
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        f"CREATE TABLE {name} (id INT PRIMARY KEY, b INT, KEY b (b),"
        f" FOREIGN KEY (b) REFERENCES parent (id), FOREIGN KEY (b) REFERENCES {name} (id),"
        " CONSTRAINT named FOREIGN KEY (id) REFERENCES parent (id))",
        "INSERT INTO parent VALUES (1)",
        f"INSERT INTO {name} VALUES (1, 1)",
    )
    try:
        wanted = comparer.fingerprint(mariadb, ["shop"])
        run_json(*place, "backup", mariadb.socket_url, "-d", "shop")
        for options in (("--replace",), ("--replace", "--drop-first"), ()):
            if not options:
                mariadb.execute("DROP DATABASE shop")
            run_json(*place, "restore", "latest", mariadb.socket_url, *options)
            assert comparer.differences(wanted, comparer.fingerprint(mariadb, ["shop"])) == []
    finally:
        mariadb.execute("SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS shop")


def test_the_rename_of_the_how_to(
    vendor: str, source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(
        "DROP TRIGGER shop.g", "ALTER TABLE shop.customer ADD CONSTRAINT c2 CHECK (id > 0)"
    )
    run_json(*place, "backup", source.socket_url)
    for table, names in (("orders", {"whose"}), ("customer", {"bosses", "c2"})):
        rename = ("--rename", f"shop.{table}=shop.{table}_before")
        done = run(
            "--json", *place, "restore", "latest", source.socket_url, "-t", f"shop.{table}", *rename
        )
        assert done.returncode == 3, done.stderr + done.stdout
        told = json.loads(done.stdout)
        assert told["verified"] is True
        if vendor == "mariadb":
            # CHECK constraints have names of their own in each table there.
            names.discard("c2")
        for name in names:
            assert any(f"{name} is called {name}_2" in one for one in told["warnings"])
        assert len(told["warnings"]) == len(names)
        verified = run_json(
            *place, "verify", "latest", source.socket_url, "-t", f"shop.{table}", *rename
        )
        assert verified["differences"] == []
