"""Any rows, any values, any cuts: backup, restore, the same rows on a real server."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.restore.engine import RestoreRequest, run_restore
from rowvault.source.address import open_source, open_target, parse_address
from rowvault.source.protocol import Selection
from support import comparer
from support.server import DatabaseServer
from support.small_vault import create_small

COLUMNS = """
    id {key},
    small TINYINT, big BIGINT UNSIGNED, price DECIMAL(30,10),
    f FLOAT, d DOUBLE,
    name VARCHAR(300) CHARACTER SET utf8mb4, latin VARCHAR(50) CHARACTER SET latin1,
    japanese VARCHAR(50) CHARACTER SET cp932, raw_latin VARBINARY(50),
    fixed BINARY(8), document LONGTEXT CHARACTER SET utf8mb4, picture LONGBLOB,
    flags BIT(13), day DATE, moment DATETIME(6), span TIME(3), year YEAR
"""

finite_float = st.floats(width=32, allow_nan=False, allow_infinity=False)
finite_double = st.floats(allow_nan=False, allow_infinity=False)
characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
rows_of_values = st.tuples(
    st.none() | st.integers(-128, 127),
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.decimals(-(10**19), 10**19, places=10),
    st.none() | finite_float,
    st.none() | finite_double,
    st.none() | characters,
    st.none() | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
    st.none() | st.text("あいアイ亜漢字かな㈱№ｱabc", max_size=20),
    st.none() | st.binary(max_size=50),
    st.none() | st.binary(max_size=8),
    st.none() | characters.map(lambda text: text * 40),
    st.none() | st.binary(max_size=200).map(lambda data: data * 30),
    st.none() | st.integers(0, 2**13 - 1),
    st.none() | st.dates().map(str),
    st.none() | st.datetimes().map(str),
    st.none() | st.sampled_from(["-838:59:59.999", "00:00:00.001", "838:59:59.000"]),
    st.none() | st.integers(1901, 2155) | st.just(0),
)


def insert(
    server: DatabaseServer, database: str, key: str, rows: Sequence[tuple[object, ...]]
) -> None:
    with server.connect(database=database) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute("DROP TABLE IF EXISTS item")
        cursor.execute(f"CREATE TABLE item ({COLUMNS.format(key=key)})")
        marks = ",".join(["%s"] * (1 + len(rows[0]))) if rows else ""
        for number, row in enumerate(rows):
            cursor.execute(f"INSERT INTO item VALUES ({marks})", (number * 7 - 20, *row))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(rows_of_values, max_size=25),
    st.sampled_from(["INT PRIMARY KEY", "INT", "BIGINT NOT NULL UNIQUE"]),
    st.integers(1, 4),
)
def test_any_rows_come_back(
    server: DatabaseServer,
    server_second: DatabaseServer,
    database: str,
    rows: list[tuple[object, ...]],
    key: str,
    workers: int,
) -> None:
    insert(server, database, key, rows)
    monitor = SilentMonitor()
    with tempfile.TemporaryDirectory() as name, create_small(Path(name) / "vault") as repository:
        source = open_source(parse_address(server.socket_url), monitor)
        taken = run_backup(
            repository, source, BackupRequest(Selection((database,)), workers), monitor
        )
        assert taken.rows == len(rows)
        target = open_target(parse_address(server_second.socket_url), monitor)
        restored = run_restore(
            repository,
            repository.find("latest"),
            target,
            lambda *_: open_source(parse_address(server_second.socket_url), monitor),
            RestoreRequest(workers=workers, replace=True),
            monitor,
        )
    assert restored.verified
    expected = comparer.fingerprint(server, [database])
    assert comparer.differences(expected, comparer.fingerprint(server_second, [database])) == []
