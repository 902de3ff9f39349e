"""Files of a mount in the stock programs: the clients of the servers, grep, diff."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from conftest import DATASETS
from mount.mounting import mounts
from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.source.address import open_source, parse_address
from rowvault.source.protocol import Selection
from rowvault.storage.location import open_storage
from support import comparer
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.rowvault import succeed
from support.server import DatabaseServer

pytestmark = [pytest.mark.fuse, pytest.mark.mariadb]

SNAPSHOTS = 30

MAKE = [
    "CREATE DATABASE shelf CHARACTER SET utf8mb4",
    "USE shelf",
    "CREATE TABLE `odd/name` (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT, b BLOB, f DOUBLE,"
    " s TIMESTAMP NULL, e ENUM('a','b') , j JSON)",
    "INSERT INTO `odd/name` (v, b, f, s, e, j) VALUES"
    " ('it''s \\\\ \\n', X'00FF27', 1e300, '2024-07-01 12:00:00', 'b', '{\"a\": [1, 2]}'),"
    " (NULL, NULL, -0.1, NULL, NULL, NULL), ('', '', 0, '2024-07-02 12:00:00', 'a', '1')",
    "CREATE TABLE many (id INT PRIMARY KEY, pad VARCHAR(200))",
    "CREATE TABLE keyless (a INT)",
    "INSERT INTO keyless VALUES (1), (1), (2)",
    "CREATE VIEW seen AS SELECT id FROM many",
    "CREATE TRIGGER t BEFORE INSERT ON keyless FOR EACH ROW SET NEW.a = NEW.a + 0",
    "CREATE PROCEDURE p () SELECT 1",
]


def test_a_client_loads_the_mounted_dump(
    server: DatabaseServer, server_second: DatabaseServer, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    rows = f"SELECT seq, REPEAT(seq, 20) FROM {server.sequence(5000)}"
    server.execute(*MAKE, f"INSERT INTO many {rows}")
    try:
        succeed("-r", vault, "backup", server.socket_url, "-d", "shelf")
        wanted = comparer.fingerprint(server, ["shelf"])
    finally:
        server.execute("DROP DATABASE shelf")
    with mounts(tmp_path, vault) as mount:
        script = (mount() / "latest" / "all.sql").read_bytes()
    try:
        pipe_into(server_second, script)
        found = comparer.fingerprint(server_second, ["shelf"])
    finally:
        server_second.execute("DROP DATABASE IF EXISTS shelf")
    assert comparer.differences(wanted, found) == []


@pytest.fixture(scope="module")
def sakila(
    mariadb: MariaDBServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A repository with snapshots of the sample database, and their ids: one more row changed
    in each than in the one before it.
    """
    place = tmp_path_factory.mktemp("sakila") / "vault"
    for name in ("sakila-mv-schema.sql", "sakila-mv-data.sql"):
        pipe_into(mariadb, (DATASETS / "sakila" / name).read_bytes())
    taken = []
    request = BackupRequest(Selection(databases=("sakila",)))
    try:
        with Repository.create(open_storage(str(place)), None) as repository:
            for number in range(1, SNAPSHOTS + 1):
                mariadb.execute(
                    f"UPDATE sakila.actor SET last_name = 'CHANGED {number}' "
                    f"WHERE actor_id = {number}"
                )
                source = open_source(parse_address(mariadb.socket_url), SilentMonitor())
                result = run_backup(repository, source, request, SilentMonitor())
                assert result.snapshot is not None
                taken.append(result.snapshot)
    finally:
        mariadb.execute("DROP DATABASE sakila")
    return place, taken


@pytest.mark.shared
def test_grep_and_diff_over_snapshots_of_sakila(
    sakila: tuple[Path, list[str]], tmp_path: Path
) -> None:
    place, taken = sakila
    with mounts(tmp_path, place) as mount:
        top = mount() / "snapshots"
        directories = {name.rpartition("-")[2]: top / name for name in os.listdir(top)}
        found = subprocess.run(
            ["grep", "-r", "-l", "'CHANGED 17'", str(top)],
            capture_output=True,
            text=True,
            check=True,
        )
        expected = {
            str(directories[snapshot] / name)
            for snapshot in taken[16:]
            for name in ("all.sql", "sakila/actor.sql")
        }
        assert set(found.stdout.splitlines()) == expected
        older, newer = directories[taken[4]], directories[taken[5]]
        differing = subprocess.run(
            ["diff", "-r", str(older / "sakila"), str(newer / "sakila")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert differing.returncode == 1
    changes = [line for line in differing.stdout.splitlines() if line[:1] in "<>"]
    assert len(changes) == 2, differing.stdout
    assert changes[0].startswith("< (6,'")
    assert changes[1].startswith("> (6,'")
    assert "'CHANGED 6'" in changes[1]
