"""One moment over several connections; files that cannot be read."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from rowvault.core.errors import ConnectError, SnapshotLostError, SourceError
from rowvault.source.protocol import RowRange, Selection
from rowvault.source.sqlite import SqliteSnapshot, SqliteSource
from support.sqlite_file import make


def _counts(view: SqliteSnapshot) -> set[int]:
    """How many rows of table t each reader sees."""
    [table] = view.catalogue(Selection(tables=(("main", "t"),))).tables
    return {
        sum(len(batch.ends) for batch in reader.read(table.definition, RowRange()))
        for reader in view.readers()
    }


def test_all_readers_see_the_same_while_a_writer_goes_on(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
    stop = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            while not stop.is_set():
                connection.execute("INSERT INTO t VALUES(1)")
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            with SqliteSource(path).open_snapshot(4) as view:
                assert len(_counts(view)) == 1
                view.confirm(view.catalogue(Selection()))
    finally:
        stop.set()
        writer.join()


def test_a_commit_after_the_beginning_is_not_seen(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
    with SqliteSource(path).open_snapshot(3) as view:
        make(path, "INSERT INTO t VALUES(1); CREATE TABLE later(x)")
        assert len(view.readers()) == 3
        assert _counts(view) == {0}
        assert len(view.catalogue(Selection()).tables) == 1
        view.confirm(view.catalogue(Selection()))
    with SqliteSource(path).open_snapshot(3) as view:
        assert _counts(view) == {1}


def test_a_lost_transaction_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(x)")
    with SqliteSource(path).open_snapshot(2) as view:
        catalogue = view.catalogue(Selection())
        view.readers()[1]._connection.execute("ROLLBACK")
        with pytest.raises(SnapshotLostError, match="start again"):
            view.confirm(catalogue)


def test_the_same_file_is_the_same_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a b%.db", "CREATE TABLE t(x)")
    monkeypatch.chdir(tmp_path)
    with (
        SqliteSource(path).open_snapshot(1) as one,
        SqliteSource(Path("a b%.db")).open_snapshot(1) as other,
    ):
        assert one.server == other.server
        assert one.server.vendor == "sqlite"
        assert one.moment.method == "transaction"


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="no such file"):
        SqliteSource(tmp_path / "none.db").open_snapshot(1)
    assert list(tmp_path.iterdir()) == []


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="not a file"):
        SqliteSource(tmp_path).open_snapshot(1)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"PK\3\4" + b"something else" * 500)
    with pytest.raises(ConnectError, match="not an SQLite database, or an encrypted one"):
        SqliteSource(path).open_snapshot(1)


def test_a_locked_file(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(x)")
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConnectError, match="locked"):
            SqliteSource(path, timeout_s=0.01).open_snapshot(2)
    finally:
        holder.close()


def test_a_damaged_page(tmp_path: Path) -> None:
    rows = [("INSERT INTO t VALUES(?, ?)", (i, "x" * 100)) for i in range(1000)]
    path = make(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, x)", rows)
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 6] = bytes(4096)
    path.write_bytes(content)
    with SqliteSource(path).open_snapshot(1) as view, pytest.raises(SourceError, match="damaged"):
        _counts(view)


def test_a_transaction_that_a_crash_left_behind(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(x)", [("INSERT INTO t VALUES(1)", ())] * 1000)
    writer = sqlite3.connect(path, isolation_level=None)
    try:
        writer.execute("PRAGMA cache_size=1")
        writer.execute("BEGIN")
        writer.execute("UPDATE t SET x = zeroblob(4000)")
        # What a power cut leaves: changed pages in the file, the old ones in the journal.
        (tmp_path / "b.db").write_bytes(path.read_bytes())
        journal = (tmp_path / "a.db-journal").read_bytes()
        (tmp_path / "b.db-journal").write_bytes(journal)
    finally:
        writer.close()
    with pytest.raises(ConnectError, match=r"repair it first|cannot be opened"):
        SqliteSource(tmp_path / "b.db").open_snapshot(1)
