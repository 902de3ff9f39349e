"""What is read, in which order, in which row-chunks, and what is named as left out."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from rowvault.codec.rows import decode_row
from rowvault.core.errors import SourceError, UnknownObjectError
from rowvault.core.model import ObjectKind, TableDefinition, ValueKind
from rowvault.core.omission import texts_of
from rowvault.source.protocol import Catalogue, RowRange, Selection
from rowvault.source.sqlite import SqliteSource
from rowvault.source.sqlite.connection import Text
from rowvault.source.sqlite.reader import BATCH_BYTES, BATCH_ROWS
from support.sqlite_file import make


def _catalogue(path: Path, selection: Selection | None = None) -> Catalogue:
    with SqliteSource(path).open_snapshot(1) as view:
        return view.catalogue(selection or Selection())


def _definition(path: Path, name: str = "t") -> TableDefinition:
    tables = {one.definition.name: one.definition for one in _catalogue(path).tables}
    return tables[name]


def _read(path: Path, rows: RowRange | None = None) -> list[list[bytes | None]]:
    """The wire rows of table t."""
    with SqliteSource(path).open_snapshot(1) as view:
        [table] = view.catalogue(Selection(tables=(("main", "t"),))).tables
        found = []
        for batch in view.readers()[0].read(table.definition, rows or RowRange()):
            position = 0
            for end in batch.ends:
                values, position = decode_row(batch.rows, position, len(table.definition.columns))
                assert position == end
                found.append(values)
            assert position == len(batch.rows)
        return found


def test_values_carry_their_storage_class(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db", "CREATE TABLE t(a,b,c,d,e); INSERT INTO t VALUES(1,1.0,'1',X'31',NULL)"
    )
    assert _read(path) == [[b"i1", b"r\x3f\xf0\0\0\0\0\0\0", b"t1", b"b1", None]]


@pytest.mark.parametrize(
    ("definition", "key", "is_ordered"),
    [
        ("t(id INTEGER PRIMARY KEY, x)", ("id",), True),
        ("t(x, id INTEGER PRIMARY KEY)", ("id",), True),
        ("t(id INTEGER PRIMARY KEY DESC, x)", (), False),
        ("t(id INT PRIMARY KEY, x)", (), False),
        ("t(id INT PRIMARY KEY NOT NULL, x)", ("id",), False),
        ("t(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID", ("b", "a"), False),
        ("t(a UNIQUE, b NOT NULL UNIQUE)", ("b",), False),
        ("t(a, b)", (), False),
    ],
)
def test_the_key_is_unique_and_not_null(
    tmp_path: Path, definition: str, key: tuple[str, ...], is_ordered: bool
) -> None:
    found = _definition(make(tmp_path / "a.db", f"CREATE TABLE {definition}"))
    assert tuple(found.columns[index].name for index in found.key) == key
    assert found.key_is_ordered is is_ordered


def test_partial_and_expression_indexes_are_no_keys(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        """CREATE TABLE t(a NOT NULL, b NOT NULL);
        CREATE UNIQUE INDEX i1 ON t(a) WHERE b > 1; CREATE UNIQUE INDEX i2 ON t(abs(a));""",
    )
    assert _definition(path).key == ()


def test_generated_columns_are_not_stored(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(a, b AS (a+1), c AS (a+2) STORED, d)")
    found = _definition(path)
    assert [column.name for column in found.columns] == ["a", "d"]
    assert {column.kind for column in found.columns} == {ValueKind.DYNAMIC}


def test_rows_come_by_rowid_not_through_a_covering_index(tmp_path: Path) -> None:
    rows = [("INSERT INTO t(rowid, a) VALUES(?, ?)", (i, 1000 - i)) for i in range(1, 1000)]
    path = make(tmp_path / "a.db", "CREATE TABLE t(a); CREATE INDEX i ON t(a)", rows)
    assert [row[0] for row in _read(path)] == [b"i%d" % (1000 - i) for i in range(1, 1000)]


def test_row_chunks_cover_the_table_once(tmp_path: Path) -> None:
    keys = [-(2**63), -5, 0, 1, 2, 3, 10**6, 2**63 - 1]
    rows = [("INSERT INTO t VALUES(?, ?)", (key, b"x" * 5000)) for key in keys]
    path = make(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, x)", rows)
    with SqliteSource(path).open_snapshot(1) as view:
        [table] = view.catalogue(Selection()).tables
        ranges = view.divide(table, table.estimated_bytes // 6).more(0)
    assert len(ranges) > 3
    assert ranges[0].low is None
    assert ranges[-1].high is None
    assert all(one.high == other.low for one, other in pairwise(ranges))
    found = [row[0] for one in ranges for row in _read(path, one)]
    assert found == [b"i%d" % key for key in keys]


@pytest.mark.parametrize("definition", ["t(a)", "t(a PRIMARY KEY) WITHOUT ROWID"])
def test_other_tables_have_one_row_chunk(tmp_path: Path, definition: str) -> None:
    path = make(tmp_path / "a.db", f"CREATE TABLE {definition}; INSERT INTO t VALUES(1),(2),(3)")
    with SqliteSource(path).open_snapshot(1) as view:
        [table] = view.catalogue(Selection()).tables
        division = view.divide(table, 1)
        assert division.more(0) == [RowRange()]
        assert not division.more(0)


def test_batches_are_bounded_in_rows_and_bytes(tmp_path: Path) -> None:
    rows: list[tuple[str, tuple[object, ...]]] = [
        ("INSERT INTO t VALUES(?, ?)", (i, b"x" * (10 if i < 1000 else 400_000)))
        for i in range(1020)
    ]
    path = make(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, x)", rows)
    with SqliteSource(path).open_snapshot(1) as view:
        [table] = view.catalogue(Selection()).tables
        batches = list(view.readers()[0].read(table.definition, RowRange()))
    assert sum(len(batch.ends) for batch in batches) == 1020
    # The rows in front of the first large value come in full batches, the rest within the bound.
    assert [len(batch.ends) for batch in batches[:3]] == [BATCH_ROWS] * 3
    assert max(len(batch.rows) for batch in batches) < BATCH_BYTES + 500_000


def test_malformed_utf16_is_refused(tmp_path: Path) -> None:
    rows = [("INSERT INTO t VALUES(1, CAST(X'00D86100' AS TEXT))", ())]
    path = make(tmp_path / "a.db", "PRAGMA encoding='UTF-16le'; CREATE TABLE t(id, x)", rows)
    with pytest.raises(SourceError, match=r"main\.t: .*UTF-16"):
        _read(path)


def test_selected_tables_bring_their_indexes_alone(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        """CREATE TABLE t(a); CREATE TABLE u(a); CREATE INDEX ti ON t(a); CREATE INDEX ui ON u(a);
        CREATE VIEW v AS SELECT 1; CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;""",
    )
    catalogue = _catalogue(path, Selection(tables=(("main", "T"),)))
    assert [table.definition.name for table in catalogue.tables] == ["t"]
    assert [(one.kind, one.name) for one in catalogue.objects] == [(ObjectKind.INDEX, "ti")]


def test_excluded_tables_take_their_indexes_with_them(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE log_1(a); CREATE TABLE kept(a); CREATE INDEX log_index ON log_1(a);"
        "CREATE TRIGGER r AFTER INSERT ON log_1 BEGIN SELECT 1; END; CREATE INDEX k ON kept(a)",
    )
    catalogue = _catalogue(path, Selection(excludes=("main.log_?",)))
    assert [table.definition.name for table in catalogue.tables] == ["kept"]
    assert [one.name for one in catalogue.objects] == ["main", "k"]


def test_objects_come_in_creation_order(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.db",
        """CREATE TABLE t(a); CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;
        CREATE VIEW v AS SELECT 1; CREATE INDEX i ON t(a);""",
    )
    kinds = [one.kind for one in _catalogue(path).objects]
    assert kinds == [ObjectKind.DATABASE, ObjectKind.INDEX, ObjectKind.VIEW, ObjectKind.TRIGGER]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(databases=("shop",)), "'main'"),
        (Selection(tables=(("shop", "t"),)), "'main'"),
        (Selection(tables=(("main", "custmer"),)), r"main\.customer meant"),
        (Selection(tables=(("main", "zzz"),)), r"no table main\.zzz$"),
    ],
)
def test_unknown_names(tmp_path: Path, selection: Selection, message: str) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE customer(a)")
    with pytest.raises(UnknownObjectError, match=message):
        _catalogue(path, selection)


def _backwards(one: str, other: str) -> int:
    return (one < other) - (one > other)


def test_a_collation_of_a_program_is_named_and_its_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.create_collation("BACKWARDS", _backwards)
    connection.execute("CREATE TABLE t(k TEXT COLLATE BACKWARDS PRIMARY KEY) WITHOUT ROWID")
    connection.execute("INSERT INTO t VALUES('a'), ('b'), ('c')")
    connection.commit()
    connection.close()
    assert _read(path) == [[b"tc"], [b"tb"], [b"ta"]]
    [omission] = texts_of(_catalogue(path).omissions)
    assert "BACKWARDS" in omission
    assert "main.t" in omission


def test_an_index_into_hidden_rowids_is_named(tmp_path: Path) -> None:
    script = """CREATE TABLE plain(x); CREATE TABLE keyed(id INTEGER PRIMARY KEY, x);
    CREATE VIRTUAL TABLE f1 USING fts5(x, content='plain');
    CREATE VIRTUAL TABLE f2 USING fts5(x, content=keyed, content_rowid=id);
    CREATE VIRTUAL TABLE f3 USING fts5(x, content='');"""
    [omission] = texts_of(_catalogue(make(tmp_path / "a.db", script)).omissions)
    assert "main.f1" in omission
    assert "plain" in omission


def test_what_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(a); CREATE VIEW bad AS SELECT 1")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = CAST(CAST(sql AS BLOB) || X'2D2DFF' AS TEXT)"
        " WHERE name = 'bad'"
    )
    connection.commit()
    connection.close()
    catalogue = _catalogue(path)
    assert [one.kind for one in catalogue.objects] == [ObjectKind.DATABASE]
    assert "view main.bad" in texts_of(catalogue.omissions)[0]


@pytest.mark.parametrize("journal_mode", ["DELETE", "WAL"])
def test_reading_leaves_the_file_as_it_is(tmp_path: Path, journal_mode: str) -> None:
    script = f"PRAGMA journal_mode={journal_mode}; CREATE TABLE t(a); INSERT INTO t VALUES(1)"
    path = make(tmp_path / "a.db", script)
    before = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
    assert _read(path) == [[b"i1"]]
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before


def test_a_snapshot_is_closed_only_when_no_thread_is_in_a_call(tmp_path: Path) -> None:
    """As after Ctrl-C: else SQLite uses memory that is free already, and the process dies."""
    path = make(tmp_path / "t.db", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x')")
    is_inside, is_closed = threading.Event(), threading.Event()
    found = []

    def wait_inside(data: bytes) -> Text:
        is_inside.set()
        found.append(is_closed.wait(0.5))
        return Text(data)

    def read() -> None:
        with suppress(SourceError):
            list(reader.read(table, RowRange()))

    with SqliteSource(path).open_snapshot(1) as view:
        table = view.catalogue(Selection()).tables[0].definition
        [reader] = view.readers()
        next(iter(view._connections)).text_factory = wait_inside
        thread = threading.Thread(target=read)
        thread.start()
        assert is_inside.wait(60)
    is_closed.set()
    thread.join()
    assert found
    assert not any(found)
