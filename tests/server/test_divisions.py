"""Row-chunks cover a table once, whatever its key is made of."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import closing

import pytest

from rowvault.source.mysql.reading import division as division_module
from rowvault.source.mysql.reading.probe import Probe
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import (
    Division,
    Locking,
    RowRange,
    Selection,
    SourceSnapshot,
    SourceTable,
)
from support.copying import read_raw, source_at
from support.key_kinds import DIVISIBLE, INDIVISIBLE, ROWS, KeyKind, fill, kinds_of
from support.server import DatabaseServer

DATABASE = "key_kinds"
CHUNK_ROWS = 150
ROW_BYTES = 100

_FILLED: set[str] = set()


@pytest.fixture
def filled(server: DatabaseServer) -> DatabaseServer:
    """A server with all the tables, which no test changes."""
    if server.vendor not in _FILLED:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
        fill(server, DATABASE, kinds_of(server.vendor))
        _FILLED.add(server.vendor)
    return server


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that rows are read with from now on."""
    statements: list[str] = []
    real = Connection.stream

    def stream(self: Connection, statement: str, task: str) -> Iterator[object]:
        statements.append(statement)
        return real(self, statement, task)

    monkeypatch.setattr(Connection, "stream", stream)
    return statements


def open_table(snapshot: SourceSnapshot, name: str) -> SourceTable:
    """With estimates that are the same in every run."""
    catalogue = snapshot.catalogue(Selection(tables=((DATABASE, name),)))
    return SourceTable(catalogue.tables[0].definition, ROWS, ROWS * ROW_BYTES)


def all_of(division: Division) -> list[RowRange]:
    found: list[RowRange] = []
    while more := division.more(0):
        found += more
    assert not division.more(0)
    return found


def check_plans(server: DatabaseServer, statements: list[str], counts: list[int]) -> None:
    """None of them sorts, and none reads more than its own rows, so many as are given for each."""
    run = {"mysql": "EXPLAIN ANALYZE", "mariadb": "ANALYZE"}[server.vendor]
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        if server.vendor == "mysql":
            cursor.execute("SET SESSION explain_format = 'TRADITIONAL'")
        for statement, row_count in zip(statements, counts, strict=True):
            cursor.execute(f"EXPLAIN {statement}")
            [row] = cursor.fetchall()
            columns = [entry[0].lower() for entry in cursor.description or ()]
            plan = dict(zip(columns, row, strict=True))
            assert "filesort" not in (plan["extra"] or ""), statement
            assert "temporary" not in (plan["extra"] or ""), statement
            if " WHERE " in statement:
                assert plan["type"] == "range", (statement, plan)
            cursor.execute("FLUSH STATUS")
            # Reads all rows, and keeps them.
            cursor.execute(f"{run} {statement}")
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read_%'")
            reads = sum(int(value) for name, value in cursor.fetchall())
            if "partitioned" not in statement:
                assert row_count <= reads <= row_count + 5, statement


@pytest.mark.parametrize("way", ["halved", "walked"])
@pytest.mark.parametrize("kind", DIVISIBLE, ids=lambda kind: kind.name)
def test_a_table_is_divided(
    kind: KeyKind,
    way: str,
    filled: DatabaseServer,
    streamed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if filled.vendor not in kind.vendors:
        pytest.skip(f"{filled.vendor} has no such key")
    if way == "walked":
        monkeypatch.setattr(division_module, "scale_for", lambda part, low, high: None)
    with source_at(filled.url).open_snapshot(1) as snapshot:
        table, reader = open_table(snapshot, kind.name), snapshot.readers()[0]
        with caplog.at_level(logging.INFO, "rowvault"):
            ranges = all_of(snapshot.divide(table, CHUNK_ROWS * ROW_BYTES))
        assert not caplog.records
        assert (ranges[0].low, ranges[-1].high) == (None, None)
        assert all(one.high == other.low for one, other in itertools.pairwise(ranges))
        parts = [read_raw(reader, table.definition, one) for one in ranges]
        whole = read_raw(reader, table.definition)
    assert b"".join(raw for raw, _ in parts) == whole[0]
    counts = [count for _, count in parts]
    assert sum(counts) == whole[1] == ROWS
    check_plans(filled, streamed, [*counts, ROWS])
    assert max(counts) <= 3 * CHUNK_ROWS, counts
    assert len(ranges) <= 4 * ROWS // CHUNK_ROWS, counts


def test_rows_whose_keys_are_not_found_are_no_edges(
    server: DatabaseServer, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    day = "IF(i BETWEEN 100 AND 3800, '2024-02-30', DATE_ADD('2024-01-01', INTERVAL i DIV 9 DAY))"
    odd = KeyKind("odd", "k DATE, id INT, PRIMARY KEY (k, id)", f"{day}, i")
    fill(server, database, [odd])
    with source_at(server.url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(tables=((database, "odd"),)))
        definition, reader = catalogue.tables[0].definition, snapshot.readers()[0]
        table = SourceTable(definition, ROWS, ROWS * ROW_BYTES)
        with caplog.at_level(logging.INFO, "rowvault"):
            ranges = all_of(snapshot.divide(table, 50 * ROW_BYTES))
        parts = [read_raw(reader, definition, one) for one in ranges]
        assert b"".join(raw for raw, _ in parts) == read_raw(reader, definition)[0]
    assert sum(count for _, count in parts) == ROWS
    assert len(ranges) > 1
    # MariaDB compares such dates with themselves.
    expected = server.vendor == "mysql"
    assert ("read by one connection over many rows" in caplog.text) == expected


@pytest.mark.parametrize("kind", INDIVISIBLE, ids=lambda kind: kind.name)
def test_a_table_without_such_a_key_is_read_whole(
    kind: KeyKind, filled: DatabaseServer, streamed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    if filled.vendor not in kind.vendors:
        pytest.skip(f"{filled.vendor} has no such key")
    with source_at(filled.url, Locking(allowed=False)).open_snapshot(1) as snapshot:
        table = open_table(snapshot, kind.name)
        with caplog.at_level(logging.INFO, "rowvault"):
            assert all_of(snapshot.divide(table, 100)) == [RowRange()]
        assert read_raw(snapshot.readers()[0], table.definition)[1] == ROWS
    assert f"{DATABASE}.{kind.name} is read by one connection" in caplog.text
    if kind.name != "prefix":
        check_plans(filled, streamed, [ROWS])


def test_ranges_that_the_server_would_sort_are_read_by_one(
    filled: DatabaseServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, asked = Probe.problem, itertools.count()

    def problem(self: Probe, rows: RowRange) -> str:
        return real(self, rows) or ("the server would sort it" if next(asked) == 7 else "")

    monkeypatch.setattr(Probe, "problem", problem)
    with source_at(filled.url).open_snapshot(1) as snapshot:
        table, reader = open_table(snapshot, "skewed"), snapshot.readers()[0]
        ranges = all_of(snapshot.divide(table, CHUNK_ROWS * ROW_BYTES))
        parts = [read_raw(reader, table.definition, one)[0] for one in ranges]
        assert b"".join(parts) == read_raw(reader, table.definition)[0]
    assert (len(ranges), ranges[-1].high) == (8, None)
    assert "key_kinds.skewed is read by one connection from some row on" in caplog.text
