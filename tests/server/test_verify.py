"""Comparing a live server with a snapshot: each single change is found, and told by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.restore.selection.rename import Renaming
from rowvault.restore.selection.selection import select
from rowvault.restore.verify import verify as verify_module
from rowvault.source.protocol import Locking, Selection
from rowvault.storage.location import open_storage
from support.copying import source_at
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mariadb

SCHEMA = (
    "CREATE DATABASE verify_me CHARACTER SET latin1",
    "USE verify_me",
    "CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, price DECIMAL(10,2), note TEXT)",
    "INSERT INTO orders SELECT seq, seq / 7, REPEAT(MD5(seq), 8) FROM seq_1_to_12000",
    "CREATE TABLE log (line VARCHAR(99))",
    "INSERT INTO log SELECT MD5(seq) FROM seq_1_to_3000",
    "CREATE TABLE words (word VARCHAR(40) COLLATE latin1_general_ci PRIMARY KEY)",
    "INSERT INTO words SELECT MD5(seq) FROM seq_1_to_3000",
    "CREATE SEQUENCE numbers START WITH 7",
    "CREATE VIEW dear AS SELECT id FROM orders WHERE price > 100",
    "CREATE TRIGGER stamp BEFORE INSERT ON log FOR EACH ROW SET NEW.line = UPPER(NEW.line)",
    "CREATE TRIGGER trim BEFORE INSERT ON log FOR EACH ROW SET NEW.line = TRIM(NEW.line)",
    "CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log",
)


@pytest.fixture(scope="module")
def vault(mariadb: MariaDBServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository whose only snapshot is of the database `verify_me`."""
    mariadb.execute(*SCHEMA)
    path = tmp_path_factory.mktemp("verify") / "vault"
    succeed("-r", path, "init", "--no-encryption")
    succeed("-r", path, "backup", mariadb.socket_url, "-d", "verify_me")
    yield path
    mariadb.execute("DROP DATABASE verify_me")


@pytest.fixture
def restored(vault: Path, mariadb_second: MariaDBServer) -> Iterator[MariaDBServer]:
    """A server that holds what the snapshot holds."""
    succeed("-r", vault, "restore", "latest", mariadb_second.socket_url)
    yield mariadb_second
    mariadb_second.execute("DROP DATABASE verify_me")


def verify(vault: Path, server: MariaDBServer, *options: str) -> tuple[int, dict[str, Any]]:
    done = run("--json", "-r", vault, "verify", "latest", server.socket_url, *options)
    return done.returncode, json.loads(done.stdout)


def test_equal_is_equal(vault: Path, mariadb: MariaDBServer) -> None:
    document = run_json("-r", vault, "verify", "latest", mariadb.socket_url)
    assert document["verified"] is True
    assert (document["tables"], document["rows"]) == (3, 18000)


CHANGES = [
    ("UPDATE orders SET price = price + 0.01 WHERE id = 6000", "verify_me.orders", "id="),
    ("UPDATE orders SET note = CONCAT(note, ' ') WHERE id = 3", "verify_me.orders", "(id=3)"),
    ("DELETE FROM orders WHERE id = 9000", "verify_me.orders", "11999 on the target"),
    ("INSERT INTO log SELECT * FROM log LIMIT 1", "verify_me.log", "3001 on the target"),
    ("DELETE FROM log LIMIT 1", "verify_me.log", "2999 on the target"),
    ("UPDATE words SET word = UPPER(word) LIMIT 1", "verify_me.words", "rows differ"),
    ("ALTER TABLE orders AUTO_INCREMENT = 90000", "table verify_me.orders", "90000"),
    ("ALTER TABLE orders MODIFY price DECIMAL(11,2)", "table verify_me.orders", "decimal(11,2)"),
    ("ALTER TABLE orders ADD extra INT", "verify_me.orders", "extra"),
    ("ALTER TABLE log ADD KEY (line)", "table verify_me.log", "KEY"),
    ("DROP TABLE log", "table verify_me.log", "not on the target"),
    ("DO NEXTVAL(numbers)", "sequence verify_me.numbers", "SETVAL"),
    ("ALTER VIEW dear AS SELECT id FROM orders WHERE price > 101", "view verify_me.dear", "101"),
    ("DROP VIEW dear", "view verify_me.dear", "not on the target"),
    (
        "CREATE OR REPLACE TRIGGER trim BEFORE INSERT ON log FOR EACH ROW "
        "SET NEW.line = RTRIM(NEW.line)",
        "trigger verify_me.trim",
        "RTRIM",
    ),
    (
        "CREATE OR REPLACE TRIGGER trim BEFORE INSERT ON log FOR EACH ROW PRECEDES stamp "
        "SET NEW.line = TRIM(NEW.line)",
        "trigger verify_me.trim",
        "number 1",
    ),
    (
        "CREATE OR REPLACE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x + x",
        "function verify_me.twice",
        "x + x",
    ),
    ("DROP EVENT nightly", "event verify_me.nightly", "not on the target"),
    ("ALTER EVENT nightly ENABLE", "event verify_me.nightly", "ENABLE"),
    ("CREATE TABLE more (a INT)", "table verify_me.more", "not in the snapshot"),
    ("CREATE VIEW more AS SELECT 1", "view verify_me.more", "not in the snapshot"),
    ("ALTER DATABASE verify_me CHARACTER SET utf8mb4", "database verify_me", "utf8mb4"),
]

SEVERAL = {
    "ALTER TABLE orders ADD extra INT": 2,  # its definition, its rows
    "DROP TABLE log": 3,  # with its triggers
    CHANGES[15][0]: 2,  # two triggers change places
}


@pytest.mark.parametrize(("change", "place", "what"), CHANGES)
def test_one_change_is_found_by_name(
    change: str, place: str, what: str, vault: Path, restored: MariaDBServer
) -> None:
    restored.execute("USE verify_me", change)
    code, document = verify(vault, restored)
    assert code == 4
    assert document["verified"] is False
    told = [one for one in document["differences"] if place in one]
    assert told, document
    assert any(what in one for one in told), told
    assert len(document["differences"]) == SEVERAL.get(change, 1), document


COUNTED = {
    "DELETE FROM orders WHERE id = 6000": "1 only in the snapshot: (id=6000)",
    "UPDATE orders SET price = 0 WHERE id IN (9, 11000)": "2 changed: (id=9), (id=11000)",
    "INSERT INTO orders (id, price) VALUES (-7, 1)": "1 only on the target: (id=-7)",
    "UPDATE words SET word = UPPER(word) LIMIT 1": "1 only in the snapshot, 1 only on the target: ",
    "UPDATE orders SET id = -5 WHERE id = 5": (
        "1 only in the snapshot, 1 only on the target: (id=5), (id=-5)"
    ),
    "UPDATE orders SET price = 0 WHERE id % 1000 = 0": (
        "12 changed: (id=1000), (id=2000), (id=3000), (id=4000), (id=5000) and 7 more"
    ),
    "DELETE FROM orders": "12000 only in the snapshot: (id=1), (id=2), (id=3), (id=4), (id=5) and",
    "INSERT INTO log SELECT * FROM log LIMIT 2": "on the target): 2 only on the target",
}


@pytest.mark.parametrize("change", COUNTED)
def test_rows_are_counted_and_named_by_key(
    change: str, vault: Path, restored: MariaDBServer
) -> None:
    """Rows, and not the blocks of some hundred rows that they lie in."""
    restored.execute("USE verify_me", change)
    _, document = verify(vault, restored)
    (difference,) = document["differences"]
    assert COUNTED[change] in difference


def test_rows_larger_than_a_block_are_counted_too(
    mariadb: MariaDBServer, database: str, tmp_path: Path
) -> None:
    """Of which most fragments are common."""
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, note LONGTEXT)",
        "INSERT INTO t SELECT seq, REPEAT(SHA2(seq, 512), IF(seq % 3, 9, 9000)) FROM seq_1_to_60",
        "UPDATE t SET note = (SELECT note FROM t WHERE id = 3) WHERE id IN (6, 9)",
    )
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    succeed("-r", tmp_path / "vault", "backup", mariadb.socket_url, "-d", database)
    mariadb.execute(
        f"USE {database}",
        "UPDATE t SET note = CONCAT(note, 'x') WHERE id IN (6, 30)",
        "UPDATE t SET note = 'short now' WHERE id = 33",
        "DELETE FROM t WHERE id IN (9, 10)",
        "INSERT INTO t SELECT 900, REPEAT(note, 2) FROM t WHERE id = 3",
    )
    _, document = verify(tmp_path / "vault", mariadb)
    (difference,) = document["differences"]
    assert "3 changed, 2 only in the snapshot, 1 only on the target: " in difference
    named = {int(number) for number in re.findall(r"id=(\d+)", difference)}
    assert len(named) == 5
    assert named <= {6, 9, 10, 30, 33, 900}
    assert difference.endswith("and 1 more")


def test_rows_differ_also_where_their_blocks_are_lost(
    mariadb: MariaDBServer, database: str, tmp_path: Path
) -> None:
    """The trees tell it; the rows in them are needed to count and name."""
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, note CHAR(64))",
        "INSERT INTO t SELECT seq, SHA2(seq, 256) FROM seq_1_to_3000",
    )
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    succeed("-r", vault, "backup", mariadb.socket_url, "-d", database)
    packs = [path for path in vault.glob("packs/data/**/*") if path.is_file()]
    max(packs, key=lambda path: path.stat().st_size).unlink()
    assert verify(vault, mariadb)[0] == 0
    mariadb.execute(f"DELETE FROM {database}.t WHERE id = 2")
    code, document = verify(vault, mariadb)
    assert code == 4
    (difference,) = document["differences"]
    assert "(3000 in the snapshot, 2999 on the target): which ones cannot be told" in difference


@pytest.mark.parametrize("engine", ["MyISAM", "InnoDB"])
def test_a_table_that_changes_while_it_is_compared(
    engine: str,
    mariadb: MariaDBServer,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows are read once more to be counted; without transactions they may be others by then."""
    mariadb.execute(
        f"USE {database}",
        f"CREATE TABLE t (id INT PRIMARY KEY, note TEXT) ENGINE={engine}",
        "INSERT INTO t SELECT seq, SHA2(seq, 256) FROM seq_1_to_9000",
    )
    with Repository.create(open_storage(str(tmp_path / "vault")), None) as repository:
        monitor = SilentMonitor()
        source = source_at(mariadb.socket_url, Locking(allowed=False))
        run_backup(repository, source, BackupRequest(Selection((database,)), 1), monitor)
        mariadb.execute(f"UPDATE {database}.t SET note = 'a' WHERE id = 7")
        real = verify_module.row_problem

        def row_problem(*arguments: Any) -> str:
            mariadb.execute(f"UPDATE {database}.t SET note = 'b' WHERE id = 7")
            return real(*arguments)

        monkeypatch.setattr(verify_module, "row_problem", row_problem)
        manifest = repository.manifest(repository.find("latest"))
        chosen = select(manifest, (), (), Renaming({}, {}), monitor)
        found = verify_module.compare(repository, chosen, source, 1, monitor)
    (difference,) = found.rows
    told = {"MyISAM": "was changed while it was compared", "InnoDB": "1 changed: (id=7)"}[engine]
    assert told in difference


def test_another_session_of_a_program_is_told(vault: Path, restored: MariaDBServer) -> None:
    restored.execute(
        "USE verify_me",
        "SET sql_mode = 'PIPES_AS_CONCAT'",
        "CREATE OR REPLACE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2",
    )
    _, document = verify(vault, restored)
    (difference,) = document["differences"]
    assert "sql_mode is 'PIPES_AS_CONCAT' on the target" in difference


def test_under_another_name_it_is_the_same(vault: Path, mariadb_second: MariaDBServer) -> None:
    renaming = ("--rename", "verify_me=other")
    try:
        succeed("-r", vault, "restore", "latest", mariadb_second.socket_url, *renaming)
        assert verify(vault, mariadb_second, *renaming)[0] == 0
        code, document = verify(vault, mariadb_second)
        assert code == 1
        assert "verify_me" in document["error"]["message"]
    finally:
        mariadb_second.execute("DROP DATABASE IF EXISTS other")


def test_a_restore_that_was_altered_behind_its_back_fails(
    vault: Path, mariadb_second: MariaDBServer
) -> None:
    """A database that is there already keeps its own settings: named, but no failure."""
    mariadb_second.execute("CREATE DATABASE verify_me CHARACTER SET utf8mb4")
    try:
        done = run("-r", vault, "restore", "latest", mariadb_second.socket_url)
        assert done.returncode == 3, done.stderr
        assert b"database verify_me: " in done.stderr
    finally:
        mariadb_second.execute("DROP DATABASE verify_me")


def test_an_sqlite_file_is_compared_too(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, str(n)) for n in range(900)])
        connection.execute("CREATE INDEX i ON t (b)")
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    succeed("-r", tmp_path / "vault", "backup", f"sqlite:///{path}")
    succeed("-r", tmp_path / "vault", "verify", "latest", f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP INDEX i")
        connection.execute("UPDATE t SET b = 'x' WHERE a = 5")
    done = run("-r", tmp_path / "vault", "verify", "latest", f"sqlite:///{path}")
    assert done.returncode == 4
    assert b"index main.i: not on the target" in done.stdout
    assert b"main.t: rows differ" in done.stdout


def test_what_the_snapshot_was_not_asked_to_hold_is_no_difference(
    vault: Path, mariadb: MariaDBServer, tmp_path: Path
) -> None:
    place = tmp_path / "parts"
    succeed("-r", place, "init", "--no-encryption")
    choices = (["-t", "verify_me.words"], ["-d", "verify_me", "--exclude", "verify_me.lo*"])
    for options in choices:
        succeed("-r", place, "backup", mariadb.socket_url, *options)
        code, document = verify(place, mariadb)
        assert (code, document["differences"]) == (0, [])
        assert "table verify_me.log" in document["not_selected"]
    mariadb.execute("CREATE TABLE verify_me.later (id INT PRIMARY KEY)")
    try:
        code, document = verify(place, mariadb)
    finally:
        mariadb.execute("DROP TABLE verify_me.later")
    assert (code, document["differences"]) == (4, ["table verify_me.later: not in the snapshot"])


def test_what_was_dropped_is_told_table_by_table(
    server: DatabaseServer, database: str, tmp_path: Path
) -> None:
    place, other = tmp_path / "vault", f"{database}_other"
    server.execute(
        f"CREATE TABLE {database}.kept (id INT PRIMARY KEY)",
        f"CREATE TABLE {database}.gone (id INT PRIMARY KEY)",
        f"CREATE DATABASE {other}",
        f"CREATE TABLE {other}.t (id INT PRIMARY KEY)",
    )
    succeed("-r", place, "init", "--no-encryption")
    succeed("-r", place, "backup", server.url, "-d", database, "-d", other)
    server.execute(f"DROP DATABASE {other}", f"DROP TABLE {database}.gone")
    whole = [f"table {database}.gone: not on the target", f"table {other}.t: not on the target"]
    for options, expected in (
        ([], whole),
        (["-d", database], whole[:1]),
        (["-t", f"{database}.gone", "-t", f"{database}.kept"], whole[:1]),
        (["-t", f"{other}.t", "-t", f"{database}.kept"], whole[1:]),
    ):
        done = run("--json", "-r", place, "verify", "latest", server.url, *options)
        found = json.loads(done.stdout)["differences"]
        assert done.returncode == 4
        assert [one for one in found if one.startswith("table ")] == expected, options
    # Where nothing at all of it is there, it is another server or another name that is meant.
    assert run("-r", place, "verify", "latest", server.url, "-d", other).returncode == 1


def test_a_dropped_table_of_an_sqlite_file_is_told(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE u (a INTEGER PRIMARY KEY)")
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    succeed("-r", tmp_path / "vault", "backup", f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE t")
    for options in ([], ["-t", "main.t"]):
        done = run("-r", tmp_path / "vault", "verify", "latest", f"sqlite:///{path}", *options)
        assert done.returncode == 4
        assert b"table main.t: not on the target" in done.stdout
