"""`--max-rate` and `--pause-when` against real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.errors import UsageError
from support.copying import source_at
from support.mariadb import MariaDBServer
from support.rowvault import run, run_json, succeed

pytestmark = pytest.mark.mariadb


@pytest.fixture(scope="module")
def url(mariadb: MariaDBServer) -> str:
    """A server with a database of some 3 MB, more than one batch."""
    mariadb.execute(
        "CREATE OR REPLACE DATABASE throttled",
        "USE throttled",
        "CREATE TABLE throttled.t (id INT PRIMARY KEY, v CHAR(200) CHARACTER SET latin1)",
        f"INSERT INTO throttled.t SELECT seq, REPEAT('x', 200) FROM {mariadb.sequence(15_000)}",
    )
    return mariadb.url


def test_a_figure_of_the_server_moves(mariadb: MariaDBServer, url: str) -> None:
    with source_at(url).open_snapshot(1) as snapshot:
        ask = snapshot.load("Threads_connected")
        before = ask()
        others = [mariadb.connect() for _ in range(50)]
        assert ask() > before
        for connection in others:
            connection.close()
        with pytest.raises(UsageError, match="SHOW GLOBAL STATUS"):
            snapshot.load("No_such_figure")
        with pytest.raises(UsageError, match="number"):
            snapshot.load("Compression")


def test_a_rate_makes_readers_wait(url: str, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    arguments = ("-r", vault, "backup", url, "-d", "throttled")
    slow = run_json(*arguments, "--max-rate", "2M", "--pause-when", "Threads_running > 100000")
    fast = run_json(*arguments, "--max-rate", "100G")
    assert slow["waited_seconds"] > 1.0
    assert fast["waited_seconds"] < slow["waited_seconds"]
    assert fast["rows"] == slow["rows"] == 15_000
    assert fast["new_blocks"] == 0


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--max-rate", "fast", b"no rate of 64K or more"),
        ("--max-rate", "63K", b"no rate of 64K or more"),
        ("--pause-when", "Threads_running", b"no bound"),
        ("--pause-when", "Threads_running>x", b"no bound"),
        ("--pause-when", "Nothing>1", b"is no status variable"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    url: str, tmp_path: Path, option: str, value: str, said: bytes
) -> None:
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", "--no-encryption")
    done = run("-r", vault, "backup", url, "-d", "throttled", option, value)
    assert done.returncode == 2
    assert said in done.stderr
