"""Rows about as large as a server takes: they come back, or are named before any change."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run, run_json, start, succeed
from support.server import onto

pytestmark = pytest.mark.mariadb

MIB = 1 << 20
SAMPLE_INTERVAL_S = 0.02
"""Looking all the time would take a core from what is looked at."""
MAKE = [
    "CREATE DATABASE big",
    "USE big",
    "SET max_statement_time = 0",
    # Bytes that no escaping leaves alone, and characters of two bytes that no piece may divide.
    "CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB, n INT, e ENUM('a', ''), d DATETIME"
    " DEFAULT NOW() ON UPDATE NOW(), l LONGTEXT CHARACTER SET latin1, u LONGTEXT CHARACTER SET"
    " utf8mb4, r LONGTEXT CHARACTER SET ucs2) CHARACTER SET utf8mb4",
    f"SET @b = REPEAT(X'005C270A0DFE1A22', {8 * MIB})",
    "INSERT INTO t VALUES (1, @b, 7, 'a', '2020-01-01', 'x', 'y', 'z'), (2, 'small', NULL, '',"
    " NULL, NULL, NULL, NULL)",
    f"INSERT INTO t (id, l) VALUES (3, REPEAT(_latin1 X'E9', {32 * MIB}))",
    f"INSERT INTO t (id, u) VALUES (4, CONCAT('x', REPEAT(_utf8mb4 X'F09F8080', {5 * MIB})))",
    f"INSERT INTO t (id, r) VALUES (5, REPEAT(_ucs2 X'00E9', {10 * MIB}))",
    # No key tells these two apart.
    "CREATE TABLE keyless (b LONGBLOB, c LONGBLOB)",
    f"INSERT INTO keyless SELECT REPEAT('k', {20 * MIB}), REPEAT('l', {20 * MIB}) FROM t LIMIT 2",
]


@pytest.fixture(scope="module")
def source(mariadb: MariaDBServer) -> Iterator[MariaDBServer]:
    mariadb.execute(*MAKE)
    yield mariadb
    # No search for a GTID gets past an event that is larger than max_allowed_packet.
    mariadb.execute("DROP DATABASE big", "FLUSH BINARY LOGS")


@pytest.fixture(scope="module")
def place(source: MariaDBServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A repository that holds the rows."""
    vault = str(tmp_path_factory.mktemp("large") / "vault")
    succeed("-r", vault, "init", "--no-encryption")
    run_json("-r", vault, "backup", source.socket_url, "-d", "big")
    return "-r", vault


@pytest.fixture
def target(mariadb_second: MariaDBServer) -> Iterator[MariaDBServer]:
    yield mariadb_second
    mariadb_second.execute(
        "DROP DATABASE IF EXISTS big",
        f"SET GLOBAL max_allowed_packet = {64 * MIB}",
        "FLUSH BINARY LOGS",
    )


def digests(server: MariaDBServer) -> list[tuple[object, ...]]:
    """Of each value, without a function whose result max_allowed_packet would limit."""
    found: list[tuple[object, ...]] = []
    with server.connect() as connection, connection.cursor() as cursor:
        for table, columns in (
            ("t", ["id", "n", "e", "d", "b", "l", "u", "r"]),
            ("keyless", ["b", "c"]),
        ):
            values = ", ".join(f"LENGTH({name}), MD5({name})" for name in columns)
            cursor.execute(f"SELECT {values} FROM big.{table} ORDER BY 1, 2")
            found += cursor.fetchall()
    return found


@pytest.fixture(scope="module")
def wanted(source: MariaDBServer) -> list[tuple[object, ...]]:
    """What is to come back."""
    return digests(source)


def test_a_row_of_64_mib_comes_back_in_the_memory_of_a_few(
    wanted: list[tuple[object, ...]], target: MariaDBServer, place: tuple[str, str]
) -> None:
    """RssAnon is sampled while it runs: 64 MiB of hexadecimals alone would be 128 MiB."""
    restore = start("--json", *place, "restore", "latest", target.socket_url, "-j", "1")
    highest = 0
    while True:
        try:
            output, message = restore.communicate(timeout=SAMPLE_INTERVAL_S)
            break
        except subprocess.TimeoutExpired:
            highest = max(highest, anonymous_bytes(restore.pid))
    assert restore.returncode == 0, message
    assert json.loads(output)["warnings"] == []
    print(f"RssAnon at most {highest >> 20} MiB")
    assert highest < 64 * MIB + 4 * 64 * MIB
    assert digests(target) == wanted


def test_a_value_beyond_the_target_is_named_before_anything_is_changed(
    source: MariaDBServer, target: MariaDBServer, place: tuple[str, str]
) -> None:
    target.execute(
        "CREATE DATABASE big", "CREATE TABLE big.t (a INT)", "INSERT INTO big.t VALUES (1)",
        f"SET GLOBAL max_allowed_packet = {16 * MIB}",
    )  # fmt: skip
    before = comparer.fingerprint(target, ["big"])
    done = run(*place, "restore", "latest", target.socket_url, "--replace", *onto(target))
    assert done.returncode == 1
    message = done.stderr.decode()
    assert f"big.t (id=1): column b holds {64 * MIB} bytes" in message
    assert f"big.keyless: column b holds {20 * MIB} bytes" in message
    assert "max_allowed_packet" in message
    assert "Traceback" not in message
    assert comparer.fingerprint(target, ["big"]) == before


def test_a_value_that_the_source_cannot_give_is_named(
    source: MariaDBServer, tmp_path: Path
) -> None:
    """The raw bytes of a charset are the result of a function, which max_allowed_packet limits."""
    place = ("-r", str(tmp_path / "vault"))
    succeed(*place, "init", "--no-encryption")
    source.execute(f"SET GLOBAL max_allowed_packet = {16 * MIB}")
    try:
        done = run(*place, "backup", source.socket_url, "-d", "big")
    finally:
        source.execute(f"SET GLOBAL max_allowed_packet = {64 * MIB}")
    assert done.returncode == 1
    assert b"big.t cannot be read exactly" in done.stderr
    assert b"max_allowed_packet" in done.stderr
    assert run_json(*place, "snapshots") == []


def anonymous_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(lines[0].split()[1]) << 10 if lines else 0


def test_a_dump_of_such_rows_loads_in_the_client(
    wanted: list[tuple[object, ...]], target: MariaDBServer, place: tuple[str, str]
) -> None:
    dumped = run(*place, "dump", "latest")
    assert dumped.returncode == 0
    assert b"--max-allowed-packet=1G" in dumped.stdout[:1000]
    assert b"warning: big.t needs --max-allowed-packet" in dumped.stderr
    target.execute(f"SET GLOBAL max_allowed_packet = {1024 * MIB}")
    pipe_into(target, dumped.stdout, "--max-allowed-packet=1G")
    assert digests(target) == wanted


@pytest.mark.mysql
def test_large_rows_of_mysql_come_back(
    mysql: MySQLServer, mysql_second: MySQLServer, tmp_path: Path
) -> None:
    place = ("-r", str(tmp_path / "vault"))
    succeed(*place, "init", "--no-encryption")
    mysql.execute(
        "CREATE DATABASE big",
        "CREATE TABLE big.t (id INT PRIMARY KEY, b LONGBLOB, j JSON, l LONGTEXT CHARACTER SET"
        " latin1, r LONGTEXT CHARACTER SET ucs2, g GEOMETRY)",
        f"INSERT INTO big.t (id, b) VALUES (1, REPEAT(X'005C270A0DFE1A22', {8 * MIB}))",
        f"INSERT INTO big.t (id, j) VALUES (2, JSON_ARRAY(REPEAT(_utf8mb4 X'C3A9', {10 * MIB})))",
        f"INSERT INTO big.t (id, l, r) VALUES (3, REPEAT(_latin1 X'E9', {16 * MIB}),"
        f" REPEAT(_ucs2 X'00E9', {10 * MIB}))",
        # SRID, byte order, a line of 1,100,000 points.
        "INSERT INTO big.t (id, g) VALUES (4, CONCAT(X'000000000102000000E0C81000',"
        f" REPEAT(X'000000000000F03F0000000000000040', {1_100_000})))",
    )
    query = (
        "SELECT id, LENGTH(b), SHA2(b, 0), SHA2(CAST(j AS CHAR), 0), SHA2(l, 0), SHA2(r, 0),"
        " SHA2(g, 0) FROM t ORDER BY id"
    )
    try:
        run_json(*place, "backup", mysql.socket_url, "-d", "big")
        restored = run_json(*place, "restore", "latest", mysql_second.socket_url)
        assert restored["warnings"] == []
        found = []
        for server in (mysql, mysql_second):
            with server.connect(database="big") as connection, connection.cursor() as cursor:
                cursor.execute(query)
                found.append(cursor.fetchall())
        assert len(found[0]) == 4
        assert found[0] == found[1]
    finally:
        for server in (mysql, mysql_second):
            server.execute("DROP DATABASE IF EXISTS big")
