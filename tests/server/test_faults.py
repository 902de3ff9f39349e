"""What goes wrong in mid-work: one clear message, the right exit code, and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pymysql
import pytest

from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, start, succeed

ROWS = 150_000


def fill(server: MariaDBServer, database: str) -> None:
    """Rows of 500 random bytes, which no compression makes small."""
    server.execute(
        f"USE {database}",
        "CREATE TABLE item (id INT PRIMARY KEY, token VARBINARY(500) NOT NULL)",
        f"INSERT INTO item SELECT seq, RANDOM_BYTES(500) FROM seq_1_to_{ROWS}",
    )


def mark_first_files(backup: subprocess.Popen[bytes], place: Path, known: set[Path]) -> bool:
    """Waits until the run has written a pack; False when it ended before."""
    while backup.poll() is None:
        if set(place.glob("packs/data/**/*")) - known:
            return True
    return False


def one_message(text: bytes) -> str:
    """The message of a failure: it stands alone, and is no traceback."""
    message = text.decode()
    assert "Traceback" not in message
    lines = [line for line in message.splitlines() if not line.startswith("warning:")]
    assert len(lines) == 1, message
    return lines[0]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "vault"
    succeed("-r", place, "init", "--no-encryption")
    return place


def assert_whole(repository: Path, snapshots: int) -> None:
    assert len(run_json("-r", repository, "snapshots")) == snapshots
    assert run_json("-r", repository, "check", "--read-data")["errors"] == []


def test_ctrl_c_ends_the_run_and_leaves_nothing_half_done(
    mariadb: MariaDBServer, database: str, repository: Path
) -> None:
    fill(mariadb, database)
    backup = start("-r", repository, "backup", mariadb.url, "-d", database)
    assert mark_first_files(backup, repository, set())
    backup.send_signal(signal.SIGINT)
    _, message = backup.communicate()
    assert backup.returncode == 130
    assert b"Traceback" not in message
    assert_whole(repository, 0)
    following = run_json("-r", repository, "backup", mariadb.url, "-d", database)
    assert following["new_blocks"] < following["blocks"]
    assert_whole(repository, 1)


def test_a_server_killed_in_mid_read_fails_the_run(tmp_path: Path, repository: Path) -> None:
    with MariaDBServer(tmp_path / "server") as server:
        server.execute("CREATE DATABASE shop")
        fill(server, "shop")
        backup = start("-r", repository, "backup", server.url)
        assert mark_first_files(backup, repository, set())
        server.kill()
        _, text = backup.communicate()
        assert backup.returncode == 1
        message = one_message(text)
        assert "127.0.0.1" in message or "lost" in message
        assert_whole(repository, 0)
        server.start()
        following = run_json("-r", repository, "backup", server.url)
        assert following["rows"] == ROWS
        assert following["new_blocks"] < following["blocks"]
    assert_whole(repository, 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_fails_the_run_and_leaves_the_repository_whole(
    mariadb: MariaDBServer, database: str, small_disk: Path
) -> None:
    repository = small_disk / "vault"
    succeed("-r", repository, "init", "--no-encryption")
    mariadb.execute(f"CREATE TABLE {database}.small (id INT PRIMARY KEY)")
    mariadb.execute(f"INSERT INTO {database}.small VALUES (1), (2)")
    succeed("-r", repository, "backup", mariadb.url, "-d", database)
    fill(mariadb, database)
    full = run("-r", repository, "backup", mariadb.url, "-d", database)
    assert full.returncode == 1
    message = one_message(full.stderr)
    assert "full" in message.lower() or "no space" in message.lower()
    assert str(repository) in message
    assert_whole(repository, 1)
    assert run_json("-r", repository, "diff", "latest", "latest")["tables"]
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    following = run_json("-r", repository, "backup", mariadb.url, "-d", database)
    assert following["rows"] == ROWS + 2
    assert_whole(repository, 2)


def test_what_is_not_there_is_said_in_one_line(
    mariadb: MariaDBServer, database: str, repository: Path
) -> None:
    nobody = f"mysql://test:wrong@127.0.0.1:{mariadb.port}/"
    nowhere = "mysql://test:test@127.0.0.1:1/"
    for url, options, expected in (
        (nobody, [], "test"),
        (nowhere, [], "127.0.0.1:1"),
        (mariadb.url, ["-d", "no_such_database"], "no_such_database"),
        (mariadb.url, ["-t", f"{database}.nothing"], "nothing"),
    ):
        failed = run("-r", repository, "backup", url, *options)
        assert failed.returncode == 1, failed.stderr
        assert expected in one_message(failed.stderr)
    assert_whole(repository, 0)


def test_a_table_that_may_not_be_read_fails_the_run(
    mariadb: MariaDBServer, database: str, repository: Path
) -> None:
    mariadb.execute(
        f"CREATE TABLE {database}.open (id INT PRIMARY KEY)",
        f"CREATE TABLE {database}.closed (id INT PRIMARY KEY)",
        "CREATE OR REPLACE USER narrow@'%' IDENTIFIED BY 'narrow'",
        f"GRANT SELECT ON {database}.open TO narrow@'%'",
        f"GRANT INSERT ON {database}.closed TO narrow@'%'",
    )
    url = f"mysql://narrow:narrow@127.0.0.1:{mariadb.port}/"
    failed = run("-r", repository, "backup", url, "-d", database)
    assert failed.returncode == 1
    assert "closed" in one_message(failed.stderr)
    assert_whole(repository, 0)


def test_a_value_altered_before_verification_is_found_and_named(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str, repository: Path
) -> None:
    # Of more than 4 MiB, with an index: it is built between the last row and the proof, and waits
    # for who has the table open, as the change below has, which waits for its row.
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE item (id INT PRIMARY KEY, price DECIMAL(9,2), note CHAR(100), KEY (price))",
        "INSERT INTO item SELECT seq, seq / 4, REPEAT('n', 100) FROM seq_1_to_90000",
        "CREATE TABLE other (id INT PRIMARY KEY)",
        "INSERT INTO other VALUES (1)",
    )
    succeed("-r", repository, "backup", mariadb.url, "-d", database)
    restore = start("-r", repository, "restore", "latest", mariadb_second.url)
    altered = threading.Event()

    def alter_once_loaded() -> None:
        change = f"UPDATE {database}.item SET price = price + 0.01 WHERE id = 60000"
        with mariadb_second.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION tx_isolation = 'READ-COMMITTED'")
            while restore.poll() is None and not altered.is_set():
                with suppress(pymysql.err.ProgrammingError):  # the table is not there yet
                    # Where the row is being loaded this waits, and is the next to have it.
                    if cursor.execute(change):
                        altered.set()

    thread = threading.Thread(target=alter_once_loaded)
    thread.start()
    _, text = restore.communicate()
    thread.join()
    assert altered.is_set(), "the restore was over before the row could be altered"
    assert restore.returncode == 4, text.decode()
    message = text.decode()
    assert f"{database}.item" in message
    assert "id=" in message
    assert f"{database}.other" not in message
    mariadb_second.execute(f"DROP DATABASE {database}")
