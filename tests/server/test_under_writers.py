"""Whole backups while many write: every snapshot is one moment, at the position it names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support import bank, comparer
from support.accounts import make_account
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

BACKUPS = int(os.environ.get("ROWVAULT_TEST_BACKUPS", "3"))

READ = "SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS ON *.*"
RIGHTS = {
    "with RELOAD": ["ALL ON *.*"],
    "without RELOAD": [READ, "LOCK TABLES ON *.*"],
    "with SELECT only": ["SELECT ON bank.*"],
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "vault"
    succeed("-r", place, "init", "--no-encryption")
    return place


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    server.execute("DROP DATABASE IF EXISTS bank", "CREATE DATABASE bank")
    bank.open_bank(server, "bank")
    yield server
    server.execute("DROP DATABASE bank")


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    server_second.execute("DROP DATABASE IF EXISTS bank")
    yield server_second
    server_second.execute("DROP DATABASE IF EXISTS bank")


@pytest.mark.parametrize("rights", RIGHTS)
def test_no_money_is_lost_or_made(
    rights: str, source: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    url = make_account(source, "saver", *RIGHTS[rights])
    methods = set()
    with bank.transfers(source, "bank"):
        for _ in range(BACKUPS):
            done = backup(repository, url)
            methods.add((done["moment"]["method"], len(done["workers"])))
    for one in run_json("-r", repository, "snapshots"):
        succeed("-r", repository, "restore", one["id"], target.url, "--replace")
        assert bank.total(target, "bank") == bank.TOTAL
    # MySQL's SELECT alone: either nobody commits for an instant, or one connection reads.
    if source.vendor == "mariadb" or rights != "with SELECT only":
        assert all(connections == 4 for _, connections in methods)


def backup(repository: Path, url: str) -> Any:
    """With as few rights as may be something is left out, and named."""
    done = run("--json", "-r", repository, "backup", url, "-d", "bank", "-j", "4")
    assert done.returncode in (0, 3), done.stderr.decode()
    return json.loads(done.stdout)


FOLLOW = {
    "mariadb": {
        "position": [
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port},"
            " MASTER_USER = 'test', MASTER_PASSWORD = 'test', MASTER_LOG_FILE = '{binlog_file}',"
            " MASTER_LOG_POS = {binlog_position}, MASTER_USE_GTID = no",
            "START SLAVE",
        ],
        "gtid": [
            "SET GLOBAL gtid_slave_pos = '{gtid}'",
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port},"
            " MASTER_USER = 'test', MASTER_PASSWORD = 'test', MASTER_USE_GTID = slave_pos",
            "START SLAVE",
        ],
        "stop": ["STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL gtid_slave_pos = ''"],
    },
    "mysql": {
        "position": [
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port},"
            " SOURCE_USER = 'test', SOURCE_PASSWORD = 'test', SOURCE_LOG_FILE = '{binlog_file}',"
            " SOURCE_LOG_POS = {binlog_position}, SOURCE_AUTO_POSITION = 0,"
            " GET_SOURCE_PUBLIC_KEY = 1",
            "START REPLICA",
        ],
        "gtid": [
            "RESET BINARY LOGS AND GTIDS",
            "SET GLOBAL gtid_purged = '{gtid}'",
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port},"
            " SOURCE_USER = 'test', SOURCE_PASSWORD = 'test', SOURCE_AUTO_POSITION = 1,"
            " GET_SOURCE_PUBLIC_KEY = 1",
            "START REPLICA",
        ],
        "stop": ["STOP REPLICA", "RESET REPLICA ALL"],
    },
}


@pytest.mark.parametrize("way", ["position", "gtid"])
@pytest.mark.parametrize("locks", [[], ["--no-lock"]], ids=["locking", "lock-free"])
def test_a_replica_that_starts_where_the_snapshot_stands_ends_equal(
    way: str, locks: list[str], source: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    with bank.transfers(source, "bank"):
        done = run_json("-r", repository, "backup", source.url, "-d", "bank", "-j", "4", *locks)
    moment = done["moment"]
    if not moment["binlog_file"]:
        # MySQL under many commits, without a lock: the position is not known, and that is said.
        assert "--no-lock" in locks
        assert "is not known" in moment["reason"]
        return
    restored = run_json("-r", repository, "restore", "latest", target.url)
    assert restored["verified"] is True
    verbs = FOLLOW[source.vendor]
    target.execute(f"SET GLOBAL server_id = {source.port}")
    try:
        target.execute(*(line.format(port=source.port, **moment) for line in verbs[way]))
        await_replica(source, target)
        expected = comparer.fingerprint(source, ["bank"])
        assert comparer.differences(expected, comparer.fingerprint(target, ["bank"])) == []
    finally:
        target.execute(*verbs["stop"], "SET GLOBAL server_id = 1")


def await_replica(source: DatabaseServer, target: DatabaseServer) -> None:
    is_maria = source.vendor == "mariadb"
    with closing(source.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS" if is_maria else "SHOW BINARY LOG STATUS")
        row = cursor.fetchone()
        assert row is not None
    wait = "MASTER_POS_WAIT" if is_maria else "SOURCE_POS_WAIT"
    with closing(target.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {wait}(%s, %s, 120)", row[:2])
        reached = cursor.fetchone()
        cursor.execute("SHOW SLAVE STATUS" if is_maria else "SHOW REPLICA STATUS")
        assert reached is not None
        assert reached[0] is not None, cursor.fetchone()
        assert reached[0] >= 0, cursor.fetchone()
