"""The main job, end to end: a real server, the command line, and a comparer of its own."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rowvault.repository.config import Sizes
from rowvault.repository.repository import Repository
from rowvault.repository.trees.tree import TreeRoot
from rowvault.storage.location import open_storage
from support import comparer
from support.clients import pipe_into
from support.rowvault import run, run_json, start, succeed
from support.server import DatabaseServer, drop_databases, onto

DATASETS = Path(__file__).parents[3] / "shared" / "datasets"
SAKILA = [DATASETS / "sakila" / name for name in ("sakila-mv-schema.sql", "sakila-mv-data.sql")]
CHINOOK = [DATASETS / "chinook" / "Chinook_MySql.sql"]
SAMPLES = ["Chinook", "sakila"]
KILLS = int(os.environ.get("ROWVAULT_TEST_KILLS", "4"))
LOOKS_EVERY_S = 0.002
"""Looking all the time would take a core from the process that is looked at."""


def load_file(server: DatabaseServer, path: Path) -> None:
    with path.open("rb") as script:
        pipe_into(server, script.read())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "vault"
    succeed("-r", place, "init", "--no-encryption")
    return place


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    drop_databases(server)
    yield server
    drop_databases(server)


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    drop_databases(server_second)
    yield server_second
    drop_databases(server_second)


@pytest.fixture
def shop(source: DatabaseServer) -> DatabaseServer:
    """12,000 rows with an integer key in one table, and a small table without a key."""
    return make_shop(source, 12_000)


@pytest.fixture
def large_shop(source: DatabaseServer) -> DatabaseServer:
    """So many rows that reading them can be met."""
    return make_shop(source, 60_000)


def make_shop(source: DatabaseServer, rows: int) -> DatabaseServer:
    source.execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, price DECIMAL(9,2) NOT NULL,"
        " note VARCHAR(200) NOT NULL)",
        "USE shop",
        "INSERT INTO item (price, note) SELECT seq / 7, REPEAT(SHA2(seq, 256), 3)"
        f" FROM {source.sequence(rows)}",
        "CREATE TABLE shop.log (line TEXT)",
        f"INSERT INTO log SELECT CONCAT('line ', seq) FROM {source.sequence(500)}",
    )
    return source


@pytest.fixture
def samples(source: DatabaseServer) -> DatabaseServer:
    for path in SAKILA + CHINOOK:
        load_file(source, path)
    source.execute(
        "CREATE EVENT sakila.tidy ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00'"
        " COMMENT 'at night' DO DELETE FROM sakila.rental WHERE rental_date < '2000-01-01'"
    )
    return source


def roots(place: Path, spec: str) -> dict[str, TreeRoot]:
    """Database.table -> the root of its tree."""
    with Repository.open(open_storage(str(place)), lambda: b"") as repository:
        manifest = repository.manifest(repository.find(spec))
        return {record.definition.label: record.root for record in manifest.tables()}


@pytest.mark.shared
def test_sample_databases_come_back_equal(
    samples: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    before = comparer.fingerprint(samples, SAMPLES)
    backup = run_json("-r", repository, "backup", samples.url, "-j", "2")
    assert backup["warnings"] == []
    assert backup["tables"] == 27
    restored = run_json("-r", repository, "restore", "latest", target.url, "-j", "2")
    assert restored["verified"] is True
    assert restored["rows"] == backup["rows"]
    assert comparer.differences(before, comparer.fingerprint(target, SAMPLES)) == []


@pytest.mark.shared
def test_replace_puts_back_tables_and_programs_alike(
    samples: DatabaseServer, repository: Path
) -> None:
    before = comparer.fingerprint(samples, SAMPLES)
    succeed("-r", repository, "backup", samples.url)
    samples.execute(
        "DROP EVENT sakila.tidy",
        "CREATE EVENT sakila.tidy ON SCHEDULE EVERY 1 HOUR DO DELETE FROM sakila.rental",
        "DROP TABLE sakila.film_text",
        "ALTER TABLE Chinook.Album ADD COLUMN wrong INT",
        "DROP VIEW sakila.staff_list",
        "CREATE TABLE sakila.staff_list (in_the_way INT)",
    )
    refused = run("-r", repository, "restore", "latest", samples.url)
    assert refused.returncode == 1
    succeed("-r", repository, "restore", "latest", samples.url, "--replace")
    assert comparer.differences(before, comparer.fingerprint(samples, SAMPLES)) == []


@pytest.mark.shared
def test_a_dump_loads_in_the_stock_client_to_the_same(
    samples: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    succeed("-r", repository, "backup", samples.url)
    pipe_into(target, succeed("-r", repository, "dump", "latest"))
    before = comparer.fingerprint(samples, SAMPLES)
    assert comparer.differences(before, comparer.fingerprint(target, SAMPLES)) == []


@pytest.mark.shared
def test_the_number_of_workers_never_shows(samples: DatabaseServer, repository: Path) -> None:
    first = run_json("-r", repository, "backup", samples.url, "-j", "1")
    second = run_json("-r", repository, "backup", samples.url, "-j", "8")
    assert second["new_blocks"] == 0
    assert roots(repository, first["snapshot"]) == roots(repository, second["snapshot"])


def test_an_unchanged_database_stores_next_to_nothing(
    shop: DatabaseServer, repository: Path
) -> None:
    succeed("-r", repository, "backup", shop.url)
    before = _size(repository)
    again = run_json("-r", repository, "backup", shop.url)
    assert again["new_blocks"] == 0
    assert 0 < again["stored_bytes"] < 16384
    assert _size(repository) - before == again["stored_bytes"]


def test_changes_are_counted_row_by_row(shop: DatabaseServer, repository: Path) -> None:
    succeed("-r", repository, "backup", shop.url)
    shop.execute(
        "UPDATE shop.item SET price = price + 1 WHERE id % 1000 = 3",
        "DELETE FROM shop.item WHERE id BETWEEN 500 AND 519",
        "USE shop",
        f"INSERT INTO item (price, note) SELECT 1, 'new' FROM {shop.sequence(7)}",
        "DELETE FROM shop.log WHERE line = 'line 77'",
    )
    succeed("-r", repository, "backup", shop.url)
    found = run_json("-r", repository, "diff", "latest~1", "latest")
    tables = {one["table"]: one for one in found["tables"]}
    item, log = tables["item"], tables["log"]
    assert (item["added"], item["removed"], item["changed"]) == (7, 20, 12)
    assert (log["added"], log["removed"], log["changed"]) == (0, 1, 0)


def test_either_of_two_snapshots_comes_back(
    shop: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    first = comparer.fingerprint(shop, ["shop"])
    succeed("-r", repository, "backup", shop.url)
    shop.execute("UPDATE shop.item SET note = 'changed' WHERE id % 3 = 0")
    second = comparer.fingerprint(shop, ["shop"])
    succeed("-r", repository, "backup", shop.url)
    for spec, expected in (("latest~1", first), ("latest", second)):
        succeed("-r", repository, "restore", spec, target.url, "--replace", *onto(target))
        assert comparer.differences(expected, comparer.fingerprint(target, ["shop"])) == []


def test_one_table_comes_back_under_another_name(
    shop: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    succeed("-r", repository, "backup", shop.url)
    succeed(
        "-r", repository, "restore", "latest", target.url,
        "-t", "shop.log", "--rename", "shop.log=shop.old_log",
    )  # fmt: skip
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES FROM shop")
        assert cursor.fetchall() == (("old_log",),)
        cursor.execute("SELECT COUNT(*) FROM shop.old_log")
        assert cursor.fetchall() == ((500,),)


def test_a_restore_never_overwrites_unasked(
    shop: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    succeed("-r", repository, "backup", shop.url)
    target.execute("CREATE DATABASE shop", "CREATE TABLE shop.item (mine INT)")
    refused = run("-r", repository, "restore", "latest", target.url)
    assert refused.returncode == 1
    assert b"shop.item" in refused.stderr
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES FROM shop")
        assert cursor.fetchall() == (("item",),)


@pytest.mark.parametrize("connection_number", range(2))
def test_a_killed_connection_fails_the_run(
    large_shop: DatabaseServer, repository: Path, connection_number: int
) -> None:
    succeed("-r", repository, "backup", large_shop.url)
    large_shop.execute("UPDATE shop.item SET note = CONCAT(id, note)")
    backup = start("-r", repository, "backup", large_shop.url, "-j", "2")
    killed = threading.Event()

    def kill_readers() -> None:
        with large_shop.connect() as connection, connection.cursor() as cursor:
            while backup.poll() is None:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist"
                    " WHERE user = 'test' AND info LIKE 'SELECT%shop%item%' AND info LIKE '%note%'"
                    " ORDER BY id"
                )
                found = [row[0] for row in cursor.fetchall()]
                if found:
                    cursor.execute(f"KILL {found[connection_number % len(found)]}")
                    killed.set()
                    return

    killer = threading.Thread(target=kill_readers)
    killer.start()
    _, message = backup.communicate()
    killer.join()
    if not killed.is_set():
        pytest.fail("the backup was over before a reader could be killed")
    assert backup.returncode == 1, message.decode()
    assert b"Traceback" not in message
    assert len(run_json("-r", repository, "snapshots")) == 1
    succeed("-r", repository, "backup", large_shop.url)
    assert run_json("-r", repository, "check", "--read-data")["errors"] == []


# What is killed is Rowvault, whatever the server is.
@pytest.mark.parametrize("vendor", ["mariadb"])
@pytest.mark.timeout(600 + 60 * KILLS)
def test_kill_at_any_moment_leaves_a_whole_repository(
    source: DatabaseServer, target: DatabaseServer, tmp_path: Path
) -> None:
    """Killed between the first pack and the commit; many packs of random bytes make room."""
    repository = tmp_path / "vault"
    Repository.create(open_storage(str(repository)), None, Sizes(pack_bytes=4 << 20)).close()
    source.execute(
        "CREATE DATABASE shop",
        "USE shop",
        "CREATE TABLE token (id INT PRIMARY KEY, value VARBINARY(900) NOT NULL)",
        f"INSERT INTO token SELECT seq, RANDOM_BYTES(900) FROM {source.sequence(30000)}",
    )
    first = run_json("-r", repository, "backup", source.url)["snapshot"]
    expected = comparer.fingerprint(source, ["shop"])
    chance = random.Random(4)
    killed = 0
    for _ in range(4 * KILLS):
        if killed == KILLS:
            break
        source.execute("UPDATE shop.token SET value = RANDOM_BYTES(900)")
        backup = start("-r", repository, "backup", source.url)
        if _kill_behind_first_pack(backup, repository, chance.random()):
            killed += 1
            assert run_json("-r", repository, "check", "--read-data")["errors"] == []
            following = run_json("-r", repository, "backup", source.url)
            assert following["new_blocks"] < following["blocks"]
            again = run_json(
                "-r", repository, "restore", first, target.url, "--replace", *onto(target)
            )
            assert again["verified"] is True
        assert run_json("-r", repository, "snapshots")[0]["id"] == first
    assert killed == KILLS
    assert comparer.differences(expected, comparer.fingerprint(target, ["shop"])) == []


def _kill_behind_first_pack(
    backup: subprocess.Popen[bytes], repository: Path, share: float
) -> bool:
    """Kills after a share of the time that writing the other packs takes; False: it was over."""
    before = set(repository.glob("packs/data/*/*"))
    while backup.poll() is None and not set(repository.glob("packs/data/*/*")) - before:
        with contextlib.suppress(subprocess.TimeoutExpired):
            backup.wait(timeout=LOOKS_EVERY_S)
    try:
        backup.wait(timeout=share * 0.15)
    except subprocess.TimeoutExpired:
        os.kill(backup.pid, signal.SIGKILL)
    backup.communicate()
    return backup.returncode == -signal.SIGKILL


def _names(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if path.is_file()}


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in _names(place))
