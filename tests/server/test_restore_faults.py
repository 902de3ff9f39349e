"""Restores that cannot be, or that end early: one message that says what stands, and a way on."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import comparer
from support.comparer import Fingerprint
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run, run_json, start, succeed
from support.server import DatabaseServer, drop_databases, onto

ROWS = 40_000


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server
    drop_databases(server)


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server_second
    drop_databases(server_second)


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


NUMBERS = "(WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200)"
BIG = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, token VARCHAR(600) NOT NULL)",
    f"INSERT INTO item (token) SELECT REPEAT(SHA2(a.x * 1000 + b.x, 256), 9) FROM {NUMBERS}"
    f" SELECT x FROM n) a JOIN {NUMBERS} SELECT x FROM n) b",
    "CREATE TABLE small (id INT PRIMARY KEY)",
    "INSERT INTO small VALUES (1), (2)",
    "CREATE VIEW v AS SELECT id FROM item",
    "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO DELETE FROM small",
]


@dataclass(frozen=True, slots=True)
class Saved:
    """A repository that holds `BIG`, and the marks of that."""

    vault: Path
    marks: Fingerprint

    @property
    def place(self) -> tuple[str, str]:
        return "-r", str(self.vault)


@pytest.fixture(scope="module")
def all_saved() -> dict[str, Saved]:
    """Vendor -> what was saved of it when a test first asked for that."""
    return {}


@pytest.fixture
def saved(
    source: DatabaseServer,
    all_saved: dict[str, Saved],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Saved:
    """A copy of one's own."""
    if source.vendor not in all_saved:
        source.execute(*BIG)
        vault = tmp_path_factory.mktemp("saved") / "vault"
        succeed("-r", vault, "init", "--no-encryption")
        run_json("-r", vault, "backup", source.socket_url, "-d", "shop")
        all_saved[source.vendor] = Saved(vault, comparer.fingerprint(source, ["shop"]))
    made = all_saved[source.vendor]
    return Saved(shutil.copytree(made.vault, tmp_path / "vault"), made.marks)


def one_message(text: bytes) -> str:
    """The message of a failure: no traceback, and one `error:`."""
    message = text.decode()
    assert "Traceback" not in message
    assert message.count("error:") == 1, message
    return message[message.index("error:") :]


def await_rows(server: DatabaseServer, restore: subprocess.Popen[bytes]) -> None:
    """Returns when some of the big table's rows are loaded."""
    with server.connect() as connection, connection.cursor() as cursor:
        while restore.poll() is None:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.TABLES"
                " WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'item'"
            )
            if cursor.fetchone() == (1,):
                cursor.execute("SELECT COUNT(*) FROM (SELECT 1 FROM shop.item LIMIT 1) AS one")
                if cursor.fetchone() == (1,):
                    return


def assert_restores(saved: Saved, target: DatabaseServer, *options: str) -> None:
    restored = run_json(
        *saved.place, "restore", "latest", target.socket_url, *options, *onto(target)
    )
    assert restored["verified"] is True
    assert comparer.differences(saved.marks, comparer.fingerprint(target, ["shop"])) == []


@pytest.mark.mariadb
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_restore_says_what_stands_and_runs_again(
    how: signal.Signals, target: DatabaseServer, saved: Saved
) -> None:
    restore = start(*saved.place, "restore", "latest", target.socket_url)
    await_rows(target, restore)
    restore.send_signal(how)
    _, told = restore.communicate()
    if how is signal.SIGKILL:
        assert restore.returncode == -signal.SIGKILL
    else:
        assert restore.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[how]
        message = one_message(told)
        assert "nothing half-done counts" not in message
        assert "shop.item (" in message
        assert f"of {ROWS} rows)" in message
        assert "run the same restore again with --replace" in message
        assert "or with --resume" in message
    again = run(*saved.place, "restore", "latest", target.socket_url)
    assert again.returncode == 1
    assert b"--replace" in again.stderr
    assert_restores(saved, target, "--resume" if how is signal.SIGKILL else "--replace")


TABLES = ("whole", "short", "changed", "bare", "gone")


def created(server: DatabaseServer) -> int:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_create_table'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[1])


@pytest.mark.mariadb
def test_a_resumed_restore_keeps_what_is_proven_and_nothing_else(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    made = "(id INT PRIMARY KEY, t VARCHAR(9), KEY t (t))"
    source.execute(
        "CREATE DATABASE shop",
        "USE shop",
        *(f"CREATE TABLE {name} {made}" for name in TABLES),
        *(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, NULL)" for name in TABLES),
        "CREATE TRIGGER tr BEFORE UPDATE ON whole FOR EACH ROW SET NEW.t = 'x'",
        "CREATE VIEW v AS SELECT id FROM whole",
    )
    run_json(*place, "backup", source.socket_url, "-d", "shop")
    run_json(*place, "restore", "latest", target.socket_url)
    target.execute(
        "DELETE FROM shop.short WHERE id = 2",
        "UPDATE shop.changed SET t = 'c' WHERE id = 2",
        "ALTER TABLE shop.bare DROP KEY t",
        "DROP TABLE shop.gone",
        "DROP VIEW shop.v",
    )
    before = created(target)
    resumed = run_json(*place, "restore", "latest", target.socket_url, "--resume", *onto(target))
    assert (resumed["kept_tables"], resumed["verified"]) == (1, True)
    assert created(target) - before == len(TABLES) - 1
    wanted = comparer.fingerprint(source, ["shop"])
    assert comparer.differences(wanted, comparer.fingerprint(target, ["shop"])) == []
    again = run_json(*place, "restore", "latest", target.socket_url, "--resume", *onto(target))
    assert (again["kept_tables"], again["verified"]) == (len(TABLES), True)
    assert comparer.differences(wanted, comparer.fingerprint(target, ["shop"])) == []


SERVERS = {"mariadb": MariaDBServer, "mysql": MySQLServer}


@pytest.mark.mariadb
def test_a_target_that_dies_says_what_stands_and_runs_again(
    vendor: str, saved: Saved, tmp_path: Path
) -> None:
    with SERVERS[vendor](tmp_path / "server") as dying:
        restore = start("--json", *saved.place, "restore", "latest", dying.socket_url)
        await_rows(dying, restore)
        dying.kill()
        output, _ = restore.communicate()
        assert restore.returncode == 1
        error = json.loads(output)["error"]
        assert error["exit_code"] == 1
        assert "was lost while" in error["message"]
        assert "run the same restore again with --replace" in error["message"]
        dying.start()
        assert_restores(saved, dying, "--replace")


@pytest.mark.mariadb
def test_a_target_killed_at_any_moment_takes_the_next_restore(
    vendor: str, saved: Saved, tmp_path: Path
) -> None:
    moments = random.Random(11)
    with SERVERS[vendor](tmp_path / "server") as dying:
        for _ in range(3):
            restore = start(
                *saved.place, "restore", "latest", dying.socket_url, "--replace", *onto(dying)
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                restore.wait(moments.uniform(0.4, 1.5))
            dying.kill()
            _, told = restore.communicate()
            # Either it was done before, or it says that it is not.
            assert restore.returncode == 0 or one_message(told)
            assert restore.returncode in (0, 1), told
            dying.start()
        assert_restores(saved, dying, "--replace")


@pytest.mark.mariadb
def test_restores_killed_at_any_moment_run_again(target: DatabaseServer, saved: Saved) -> None:
    """What stands behind a kill is never in the way of the next run."""
    moments = random.Random(7)
    for _ in range(4):
        restore = start(
            *saved.place, "restore", "latest", target.socket_url, "--replace", *onto(target), "-q"
        )
        try:
            restore.wait(moments.uniform(0.3, 2))
        except subprocess.TimeoutExpired:
            restore.kill()
        _, told = restore.communicate()
        assert restore.returncode in (0, -signal.SIGKILL), told
    assert_restores(saved, target, "--replace")


@pytest.mark.mariadb
def test_an_event_does_not_fire_before_the_rows_are_proved(
    target: DatabaseServer, saved: Saved
) -> None:
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL event_scheduler = ON")
        try:
            restored = run_json(*saved.place, "restore", "latest", target.socket_url)
            assert restored["verified"] is True
            cursor.execute("SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS")
            assert cursor.fetchall() == (("e", "ENABLED"),)
        finally:
            cursor.execute("SET GLOBAL event_scheduler = OFF")
