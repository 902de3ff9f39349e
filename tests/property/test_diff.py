"""What `diff` counts is what a plain model of the two tables counts."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.source.protocol import Selection
from rowvault.source.sqlite import SqliteSource
from rowvault.timeline.diff import DiffResult, Status, diff_snapshots
from support.small_vault import create_small

VALUES = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 3).map(lambda number: bytes([number]) * 5000),
    st.integers(0, 2).map(lambda number: b"start" * 900 + bytes([number]) * 3000 + b"end" * 900),
)
TABLES = st.dictionaries(st.integers(0, 60), VALUES, max_size=40)


def fill(path: Path, keyed: dict[int, bytes], keyless: list[bytes]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS keyed")
        connection.execute("DROP TABLE IF EXISTS keyless")
        connection.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY, value BLOB)")
        connection.execute("CREATE TABLE keyless (value BLOB)")
        connection.executemany("INSERT INTO keyed VALUES (?, ?)", keyed.items())
        connection.executemany("INSERT INTO keyless VALUES (?)", ((value,) for value in keyless))


def diff(
    old: tuple[dict[int, bytes], list[bytes]], new: tuple[dict[int, bytes], list[bytes]]
) -> DiffResult:
    with tempfile.TemporaryDirectory() as name:
        path, monitor = Path(name) / "shop.db", SilentMonitor()
        with create_small(Path(name) / "vault") as repository:
            for keyed, keyless in (old, new):
                fill(path, keyed, keyless)
                run_backup(repository, SqliteSource(path), BackupRequest(), monitor)
            first, second = repository.snapshots()
            return diff_snapshots(repository, first, second, None, None, monitor)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(TABLES, TABLES, st.data())
def test_counts_are_those_of_a_model(
    base: dict[int, bytes], patch: dict[int, bytes], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(base)))) if base else set[int]()
    after = {key: value for key, value in base.items() if key not in gone} | patch
    old_values, new_values = list(base.values()), list(after.values())
    found = diff((base, old_values), (after, new_values))
    keyed, keyless = found.tables
    common = base.keys() & after.keys()
    assert (keyed.added, keyed.removed, keyed.changed) == (
        len(after.keys() - base.keys()),
        len(base.keys() - after.keys()),
        sum(base[key] != after[key] for key in common),
    )
    assert (keyless.added, keyless.removed, keyless.changed) == (
        sum((Counter(new_values) - Counter(old_values)).values()),
        sum((Counter(old_values) - Counter(new_values)).values()),
        0,
    )


def test_a_large_row_that_keeps_most_of_its_bytes_is_one_changed_row() -> None:
    body = bytes(range(256)) * 400
    old = {1: b"a", 2: body + b"x" + body, 3: b"c"}
    new = {1: b"a", 2: body + b"y" + body, 3: b"c"}
    keyed, keyless = diff((old, list(old.values())), (new, list(new.values()))).tables
    assert (keyed.added, keyed.removed, keyed.changed) == (0, 0, 1)
    assert (keyless.added, keyless.removed, keyless.changed) == (1, 1, 0)


def test_large_rows_that_share_bytes_are_rows_of_their_own() -> None:
    body = bytes(range(256)) * 400
    old, new = {1: b"1" + body, 5: b"z"}, {2: b"2" + body, 5: b"z"}
    keyed, _ = diff((old, []), (new, [])).tables
    assert (keyed.added, keyed.removed, keyed.changed) == (1, 1, 0)


def test_one_of_several_equal_large_rows_is_gone() -> None:
    large = b"start" * 900 + bytes(3000) + b"end" * 900
    _, keyless = diff(({}, [large, b"x", large, large]), ({}, [large, b"x", large])).tables
    assert (keyless.added, keyless.removed, keyless.changed) == (0, 1, 0)


ASKED = {
    "everything": Selection(),
    "one table": Selection(tables=(("main", "keyed"),)),
    "without one": Selection(excludes=("main.keyless",)),
    "without any like it": Selection(excludes=("main.key*s",)),
}


@pytest.mark.parametrize("part", ["one table", "without one", "without any like it"])
@pytest.mark.parametrize("part_is_older", [False, True])
def test_what_one_was_not_asked_to_hold_is_neither_added_nor_removed(
    part: str, part_is_older: bool, tmp_path: Path
) -> None:
    path, monitor = tmp_path / "shop.db", SilentMonitor()
    fill(path, {1: b"a"}, [b"x", b"y"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE VIEW seen AS SELECT 1")
        connection.execute("CREATE INDEX found ON keyless (value)")
    orders = [part, "everything"] if part_is_older else ["everything", part]
    with create_small(tmp_path / "vault") as repository:
        for asked in orders:
            request = BackupRequest(selection=ASKED[asked])
            run_backup(repository, SqliteSource(path), request, monitor)
        first, second = repository.snapshots()
        found = diff_snapshots(repository, first, second, None, None, monitor)
        only = diff_snapshots(repository, first, second, "main", "keyless", monitor)
    keyed, keyless = found.tables
    assert (keyed.status, keyless.status) == (Status.SAME, Status.NOT_SELECTED)
    assert (keyless.added, keyless.removed, keyless.changed) == (0, 0, 0)
    assert [one.status for one in only.tables] == [Status.NOT_SELECTED]
    assert {one.status for one in found.objects} == {Status.NOT_SELECTED}
    names = {one.name for one in found.objects}
    assert names == ({"main", "seen", "found"} if part == "one table" else {"found"})


def test_what_both_were_asked_to_hold_is_added_and_removed(tmp_path: Path) -> None:
    path, monitor = tmp_path / "shop.db", SilentMonitor()
    fill(path, {1: b"a"}, [b"x"])
    request = BackupRequest(selection=Selection(excludes=("main.other*",)))
    with create_small(tmp_path / "vault") as repository:
        run_backup(repository, SqliteSource(path), request, monitor)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TABLE keyed")
            connection.execute("CREATE TABLE fresh (a)")
        run_backup(repository, SqliteSource(path), BackupRequest(), monitor)
        first, second = repository.snapshots()
        found = diff_snapshots(repository, first, second, None, None, monitor)
    assert {one.table: one.status for one in found.tables} == {
        "fresh": Status.ADDED, "keyed": Status.REMOVED, "keyless": Status.SAME,
    }  # fmt: skip
