"""A damaged repository of a server's tables: repaired, and the rest restored to another server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

PASSWORD = {"ROWVAULT_PASSWORD": "p", "MYSQL_PWD": "test"}
ROWS = 40_000
LOST = re.compile(r"`?(\w+)`?\.`?(\w+)`?: rows from id=(\d+)(?: to (?:before )?id=(\d+))?")


@pytest.fixture
def target(server_second: DatabaseServer, database: str) -> Iterator[DatabaseServer]:
    yield server_second
    server_second.execute(f"DROP DATABASE IF EXISTS {database}")


def rows_of(server: DatabaseServer, database: str, table: str) -> dict[int, str]:
    with closing(server.connect(database=database)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, note FROM {table}")
        return dict(cursor.fetchall())


def flip_a_bit(vault: Path) -> None:
    """In the middle of the largest data pack: among the rows of one block."""
    packs = [path for path in (vault / "packs" / "data").rglob("*") if path.is_file()]
    pack = max(packs, key=lambda path: path.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)


def test_the_rest_of_a_damaged_snapshot_comes_back(
    server: DatabaseServer, target: DatabaseServer, database: str, tmp_path: Path
) -> None:
    server.execute(
        f"USE {database}",
        "CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(90))",
        f"INSERT INTO orders SELECT seq, SHA2(seq, 256) FROM {server.sequence(ROWS)}",
        "CREATE TABLE small (id INT PRIMARY KEY, note VARCHAR(90))",
        "INSERT INTO small VALUES (1, 'one'), (2, 'two')",
        "CREATE VIEW both_of AS SELECT * FROM small UNION SELECT * FROM orders",
    )
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", env=PASSWORD)
    run_json("-r", vault, "backup", server.url, "-d", database, env=PASSWORD)
    flip_a_bit(vault)

    broken = run("-r", vault, "restore", "latest", target.url, env=PASSWORD)
    assert broken.returncode == 20, broken.stderr.decode()
    target.execute(f"DROP DATABASE IF EXISTS {database}")
    repaired = run("-r", vault, "repair", "--json", env=PASSWORD)
    assert repaired.returncode == 3, repaired.stderr.decode()
    [mended] = json.loads(repaired.stdout)["snapshots"]
    [loss] = mended["losses"]
    assert run_json("-r", vault, "check", "--read-data", env=PASSWORD)["errors"] == []

    restored = run("-r", vault, "--json", "restore", "latest", target.url, env=PASSWORD)
    assert restored.returncode == 3, restored.stderr.decode()
    told = json.loads(restored.stdout)
    assert told["verified"] is True  # equal to the snapshot, which is not whole
    assert told["incomplete"]
    assert any(loss in warning for warning in told["warnings"])
    whole, rest = (rows_of(one, database, "orders") for one in (server, target))
    assert rest.items() < whole.items()
    assert rows_of(target, database, "small") == {1: "one", 2: "two"}
    lost = sorted(whole.keys() - rest.keys())
    assert lost == list(range(lost[0], lost[-1] + 1))
    named = LOST.search(loss)
    assert named is not None, loss
    assert named.group(2) == "orders"
    assert int(named.group(3)) == lost[0], loss

    # What stands on the server still is stored again by the next backup, which is whole.
    again = run_json("-r", vault, "backup", server.url, "-d", database, env=PASSWORD)
    assert again["new_blocks"] > 0
    assert run("-r", vault, "verify", "latest", server.url, env=PASSWORD).returncode == 0
