"""Whole backups while many write: every snapshot is one moment, at the position it names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rowvault.source.protocol import Selection
from support import bank, comparer
from support.accounts import make_account
from support.copying import source_at
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer, onto

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
        succeed("-r", repository, "restore", one["id"], target.url, "--replace", *onto(target))
        assert bank.total(target, "bank") == bank.TOTAL
    # MySQL's SELECT alone: either nobody commits for an instant, or one connection reads.
    if source.vendor == "mariadb" or rights != "with SELECT only":
        assert all(connections == 4 for _, connections in methods)


def backup(repository: Path, url: str, *options: str) -> Any:
    """With as few rights as may be something is left out, and named."""
    done = run("--json", "-r", repository, "backup", url, "-d", "bank", "-j", "4", *options)
    assert done.returncode in (0, 3), done.stderr.decode()
    return json.loads(done.stdout)


PLACES: dict[str, tuple[list[str], list[str]]] = {
    "locking": (["ALL ON *.*"], []),
    "lock-free": (["ALL ON *.*"], ["--no-lock"]),
    "tables locked": (["SELECT, LOCK TABLES, REPLICATION CLIENT ON *.*"], []),
}
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
@pytest.mark.parametrize("case", PLACES)
def test_a_replica_that_starts_where_the_snapshot_stands_ends_equal(
    way: str, case: str, source: DatabaseServer, target: DatabaseServer, repository: Path
) -> None:
    grants, options = PLACES[case]
    url = make_account(source, "saver", *grants)
    with bank.transfers(source, "bank"):
        moment = backup(repository, url, *options)["moment"]
    if not moment["binlog_file"]:
        # MySQL under many commits, without a lock: the position is not known, and that is said.
        assert "--no-lock" in options
        assert "is not known" in moment["reason"]
        return
    restore_and_follow(source, target, repository, moment, way)


@pytest.mark.parametrize("way", ["position", "gtid"])
def test_a_place_in_the_log_that_is_told_while_commits_stand_still(
    way: str, mariadb_second: DatabaseServer, repository: Path, tmp_path: Path
) -> None:
    """A log that leaves a database out proves no moment, but has the right place all the same."""
    mariadb_second.execute("DROP DATABASE IF EXISTS bank")
    with MariaDBServer(tmp_path / "server", ["--binlog-ignore-db=left_out"]) as source:
        source.execute("CREATE DATABASE bank")
        bank.open_bank(source, "bank")
        with bank.transfers(source, "bank"):
            moment = backup(repository, source.url)["moment"]
        assert moment["method"] == "backup stage"
        restore_and_follow(source, mariadb_second, repository, moment, way)
    mariadb_second.execute("DROP DATABASE bank")


def restore_and_follow(
    source: DatabaseServer,
    target: DatabaseServer,
    repository: Path,
    moment: dict[str, Any],
    way: str,
) -> None:
    restored = run_json("-r", repository, "restore", "latest", target.url)
    assert restored["verified"] is True
    verbs = FOLLOW[source.vendor]
    target.execute(f"SET GLOBAL server_id = {source.port}")
    try:
        target.execute(*(line.format(port=source.port, **moment) for line in verbs[way]))
        await_replica(source, target)
        if source.vendor == "mariadb":
            # Its own log lacks what it replicates: positions would prove nothing.
            foreseen = source_at(target.url).examine(Selection(databases=("bank",))).moment
            assert foreseen.method == "backup stage"
            assert "replication" in foreseen.reason
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
