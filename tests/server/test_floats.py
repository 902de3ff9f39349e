"""FLOAT and DOUBLE come back bit for bit, as values and as keys.

`ROWVAULT_TEST_NUMBERS` says how many of each are tried (default 60000).
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.rowvault import run_json, succeed
from support.server import DatabaseServer

ROWS = int(os.environ.get("ROWVAULT_TEST_NUMBERS", "60000"))
PASSWORD = {"MYSQL_PWD": "test"}

FLOAT_EDGES = (
    0.0,
    -0.0,
    2.0**-149,  # the smallest there is
    -(2.0**-149),
    2.0**-126 - 2.0**-149,  # the largest subnormal
    2.0**-126,
    2.0**128 - 2.0**104,  # FLT_MAX
    -(2.0**128 - 2.0**104),
    16777216.0,
    16777218.0,  # these two print as the same text
    struct.unpack("f", struct.pack("f", 0.1))[0],
    1.0 / 3.0,
)
DOUBLE_EDGES = (
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    2.225073858507201e-308,  # the largest subnormal
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    0.1,
    0.30000000000000004,
    9007199254740993.0,
    1e23,
)


def patterns(format_: str, size: int, chance: random.Random) -> Iterator[float]:
    """Numbers whose bits are random: every exponent, no NaN, no infinity."""
    while True:
        (number,) = struct.unpack(format_, chance.randbytes(size))
        if number - number == 0:
            yield number


def single(number: float) -> float:
    """The FLOAT that is nearest."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def numbers(edges: Sequence[float], format_: str, size: int) -> list[float]:
    chance = random.Random(20260)
    drawn = patterns(format_, size, chance)
    return [*edges, *(next(drawn) for _ in range(ROWS - len(edges)))]


def bits(number: float) -> bytes:
    return struct.pack(">d", number)


FLOATS = [single(number) for number in numbers(FLOAT_EDGES, "<f", 4)]
DOUBLES = numbers(DOUBLE_EDGES, "<d", 8)


def kept(number: float, vendor: str) -> float:
    """What a column holds then: MariaDB has no -0, however it comes."""
    return 0.0 if number == 0 and vendor == "mariadb" else number


def insert(server: DatabaseServer, database: str, table: str, rows: Sequence[str]) -> None:
    for start in range(0, len(rows), 10_000):
        values = ",".join(f"({row})" for row in rows[start : start + 10_000])
        # A value that had to be changed is no value to test with.
        server.execute(
            "SET sql_mode = 'STRICT_ALL_TABLES'", f"INSERT INTO {database}.{table} VALUES {values}"
        )


@pytest.fixture
def filled(server: DatabaseServer, database: str) -> str:
    """Values in quotes: of -0 without quotes, MySQL keeps no sign."""
    server.execute(
        f"USE {database}",
        "CREATE TABLE value (id INT PRIMARY KEY, f FLOAT, d DOUBLE)",
        "CREATE TABLE float_key (f FLOAT PRIMARY KEY, n INT)",
        "CREATE TABLE double_key (d DOUBLE PRIMARY KEY, n INT)",
        "CREATE TABLE pair_key (f FLOAT, d DOUBLE, PRIMARY KEY (f, d))",
        "CREATE TABLE scaled (f FLOAT(9,3), d DOUBLE(20,5))",
        "CREATE TABLE keyless (f FLOAT, d DOUBLE)",
    )
    pairs = list(zip(FLOATS, DOUBLES, strict=True))
    insert(server, database, "value", [f"{at},'{f!r}','{d!r}'" for at, (f, d) in enumerate(pairs)])
    insert(
        server,
        database,
        "float_key",
        [f"'{f!r}',{at}" for at, f in enumerate(dict.fromkeys(FLOATS))],
    )
    insert(
        server,
        database,
        "double_key",
        [f"'{d!r}',{at}" for at, d in enumerate(dict.fromkeys(DOUBLES))],
    )
    few = pairs[:2000]
    insert(server, database, "pair_key", [f"'{f!r}','{d!r}'" for f, d in dict.fromkeys(few)])
    insert(server, database, "keyless", [f"'{f!r}','{d!r}'" for f, d in few])
    chance = random.Random(7)
    scaled = [(chance.uniform(-1e5, 1e5), chance.uniform(-1e14, 1e14)) for _ in range(2000)]
    insert(server, database, "scaled", [f"{f!r},{d!r}" for f, d in scaled])
    return database


def stored(server: DatabaseServer, database: str) -> list[tuple[bytes, bytes]]:
    """The bits of all values, in the order in which they were made."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT f * 1e0, d FROM {database}.value ORDER BY id")
        return [(bits(f), bits(d)) for f, d in cursor.fetchall()]


def test_no_bit_of_any_number_changes(
    server: DatabaseServer, server_second: DatabaseServer, filled: str, tmp_path: Path
) -> None:
    wanted = [
        (bits(kept(f, server.vendor)), bits(kept(d, server.vendor)))
        for f, d in zip(FLOATS, DOUBLES, strict=True)
    ]
    assert len(wanted) == ROWS
    assert stored(server, filled) == wanted
    before = comparer.fingerprint(server, [filled])
    place = ("-r", tmp_path / "vault")
    succeed(*place, "init", "--no-encryption")
    taken = run_json(*place, "backup", server.socket_url, "-d", filled, env=PASSWORD)
    assert taken["warnings"] == []
    try:
        restored = run_json(*place, "restore", "latest", server_second.socket_url, env=PASSWORD)
        assert restored["verified"] is True
        assert stored(server_second, filled) == wanted
        assert comparer.differences(before, comparer.fingerprint(server_second, [filled])) == []
        server_second.execute(f"DROP DATABASE {filled}")
        pipe_into(server_second, succeed(*place, "dump", "latest"))
        assert stored(server_second, filled) == wanted
        assert comparer.differences(before, comparer.fingerprint(server_second, [filled])) == []
    finally:
        server_second.execute(f"DROP DATABASE IF EXISTS {filled}")
