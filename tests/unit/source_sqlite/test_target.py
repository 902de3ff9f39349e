"""Writing: all or nothing, nothing dropped silently, clear refusals."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rowvault.codec.rows import RowBatch, encode_batch
from rowvault.core.errors import ConnectError, RestoreError
from rowvault.core.model import Column, ObjectDefinition, ObjectKind, TableDefinition, ValueKind
from rowvault.source.protocol import ExistingObject
from rowvault.source.sqlite import SqliteTarget
from support.sqlite_file import copy, differences, fingerprint, make


def _table(statement: str, *columns: str, encoding: str = "UTF-8") -> TableDefinition:
    return TableDefinition(
        database="main",
        name="t",
        columns=tuple(Column(name, "", ValueKind.DYNAMIC) for name in columns),
        key=(),
        key_is_ordered=False,
        statement=statement.encode(),
        session=(("encoding", encoding),),
    )


def _rows(*rows: list[bytes | None]) -> RowBatch:
    return encode_batch(rows)


def test_nothing_is_seen_before_the_end(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE kept(x)")
    before = fingerprint(path)
    target = SqliteTarget(path)
    table = _table("CREATE TABLE t(x)", "x")
    target.create(table)
    target.open_loader().load(table, _rows([b"i1"]))
    assert fingerprint(path) == before
    target.finish()
    assert fingerprint(path)["table t"] == [(b"integer", b"31", 1)]


def test_an_aborted_restore_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE kept(x); INSERT INTO kept VALUES(1)")
    before = path.read_bytes()
    target = SqliteTarget(path)
    target.drop(ExistingObject(ObjectKind.TABLE, "main", "kept"))
    target.create(_table("CREATE TABLE t(x)", "x"))
    target.abort()
    assert path.read_bytes() == before


def test_an_aborted_restore_leaves_no_file_that_was_not_there(tmp_path: Path) -> None:
    target = SqliteTarget(tmp_path / "a.db")
    table = _table("CREATE TABLE t(x)", "x")
    target.create(table)
    target.open_loader().load(table, _rows([b"i1"]))
    target.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_can_hold_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"there is no directory .*nowhere; make it first"):
        SqliteTarget(tmp_path / "nowhere" / "a.db")
    with pytest.raises(ConnectError, match="not a file"):
        SqliteTarget(tmp_path)


def test_looking_does_not_make_the_file(tmp_path: Path) -> None:
    target = SqliteTarget(tmp_path / "a.db")
    assert target.existing(["main"]) == set()
    target.finish()
    assert list(tmp_path.iterdir()) == []


def test_existing_names(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW v AS SELECT 1;
    CREATE INDEX i ON t(id); CREATE VIRTUAL TABLE f USING fts5(x, content='');
    """
    target = SqliteTarget(make(tmp_path / "a.db", script))
    found = {(one.kind, one.name) for one in target.existing(["main"])}
    assert {
        (ObjectKind.TABLE, "t"),
        (ObjectKind.VIEW, "v"),
        (ObjectKind.INDEX, "i"),
        (ObjectKind.TABLE, "f"),
    } <= found
    assert (ObjectKind.TABLE, "sqlite_sequence") not in found
    assert target.existing(["other"]) == set()
    make(tmp_path / "a.db", "INSERT INTO t VALUES(1)")
    assert "sqlite_sequence" in {one.name for one in target.existing(["main"])}


def test_replacing_everything(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE VIEW v AS SELECT * FROM t;
    CREATE VIRTUAL TABLE f USING fts5(x); CREATE VIRTUAL TABLE r USING rtree(id, a, b);
    INSERT INTO t(x) VALUES('one'); INSERT INTO f VALUES('two'); INSERT INTO r VALUES(1, 2, 3);
    CREATE INDEX i ON t(x); CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; END;
    ANALYZE;
    """
    source = make(tmp_path / "source.db", script)
    path = make(tmp_path / "a.db", script + "INSERT INTO t(x) VALUES('more'); DELETE FROM f;")
    target = SqliteTarget(path)
    for found in sorted(target.existing(["main"])):
        target.drop(found)
    target.finish()
    copy(source, path)
    assert differences(source, path) == []


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("CREATE TABLE t(x UNIQUE ON CONFLICT IGNORE)", b"i1"),
        ("CREATE TABLE t(x UNIQUE ON CONFLICT REPLACE)", b"i1"),
        ("CREATE TABLE t(x INT) STRICT", b"tword"),
        ("CREATE TABLE t(x NOT NULL)", None),
    ],
)
def test_a_row_that_does_not_go_in_is_an_error(
    tmp_path: Path, statement: str, row: bytes | None
) -> None:
    target = SqliteTarget(tmp_path / "a.db")
    table = _table(statement, "x")
    target.create(table)
    with pytest.raises(RestoreError, match=r"main\.t"):
        target.open_loader().load(table, _rows([b"i1"], [row]))
    target.abort()


@pytest.mark.parametrize("value", [b"x1", b"", b"r123", b"i1x", b"i9223372036854775808"])
def test_rows_of_another_kind_are_refused(tmp_path: Path, value: bytes) -> None:
    target = SqliteTarget(tmp_path / "a.db")
    table = _table("CREATE TABLE t(x)", "x")
    target.create(table)
    with pytest.raises(RestoreError, match=r"main\.t"):
        target.open_loader().load(table, _rows([value]))
    target.abort()


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    target = SqliteTarget(make(tmp_path / "a.db", "PRAGMA encoding='UTF-16le'; CREATE TABLE k(x)"))
    with pytest.raises(RestoreError, match="new file"):
        target.create(_table("CREATE TABLE t(x)", "x"))
    target.abort()


def test_a_file_with_tables_keeps_its_header(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "PRAGMA user_version=5; CREATE TABLE k(x)")
    target = SqliteTarget(path)
    session = (("encoding", "UTF-8"), ("user_version", "9"), ("journal_mode", "wal"))
    target.create(ObjectDefinition(ObjectKind.DATABASE, "main", "main", b"", session))
    target.finish()
    assert fingerprint(path)["user_version"] == 5
    assert fingerprint(path)["journal_mode"] == b"delete"


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database " * 100)
    with pytest.raises(RestoreError, match="not an SQLite database"):
        SqliteTarget(path).existing(["main"])


def test_a_locked_file(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE k(x)")
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RestoreError, match="locked"):
            SqliteTarget(path, timeout_s=0.01).create(_table("CREATE TABLE t(x)", "x"))
    finally:
        holder.close()


def test_a_statement_that_fails_is_named(tmp_path: Path) -> None:
    target = SqliteTarget(tmp_path / "a.db")
    with pytest.raises(RestoreError, match=r"main\.t: incomplete input"):
        target.create(_table("CREATE TABLE t(", "x"))
    target.abort()
