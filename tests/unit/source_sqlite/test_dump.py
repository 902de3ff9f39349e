"""A dump of a file, run as a script, makes the file again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.monitor import SilentMonitor
from rowvault.render.dump import dump_snapshot
from rowvault.source.sqlite import SqliteSource
from support.small_vault import create_small
from support.sqlite_file import differences, make


def dumped(source: Path, vault: Path) -> str:
    monitor = SilentMonitor()
    pieces: list[bytes] = []
    with closing(create_small(vault)) as repository:
        run_backup(repository, SqliteSource(source), BackupRequest(), monitor)
        snapshot = repository.find("latest")
        dump_snapshot(repository, snapshot, None, None, pieces.append, monitor)
    return b"".join(pieces).decode()


@pytest.mark.parametrize(
    "script",
    [
        "PRAGMA page_size=8192; PRAGMA auto_vacuum=FULL; PRAGMA user_version=77;"
        " PRAGMA application_id=-5; CREATE TABLE t(x)",
        "PRAGMA encoding='UTF-16be'; CREATE TABLE t(x); INSERT INTO t VALUES('aé')",
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a",
        "CREATE TABLE z(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO z VALUES(3),(9);"
        " UPDATE sqlite_sequence SET seq = 4; CREATE TABLE a(x)",
        "CREATE TABLE z(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO z VALUES(3);"
        " DELETE FROM sqlite_sequence",
        "CREATE TABLE t(x); CREATE INDEX i ON t(x); INSERT INTO t VALUES(1); ANALYZE;"
        " CREATE TABLE a(x); DELETE FROM t",
        "CREATE TABLE t(x); CREATE VIEW v AS SELECT 1 -- a comment; with 'marks\n;"
        " CREATE VIEW w AS SELECT 2 -- another\n; CREATE TABLE y(x -- here too\n)",
        "CREATE TABLE t(a, b AS (a * 2) STORED, c AS (a || ';')); INSERT INTO t(a) VALUES(1);"
        " CREATE TABLE w(k TEXT, n, PRIMARY KEY(n DESC, k)) WITHOUT ROWID;"
        " INSERT INTO w VALUES('a', 1), ('b', 2);"
        " CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT ';'; END",
        "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES('some words');"
        " CREATE VIEW v AS SELECT * FROM f; CREATE VIEW broken AS SELECT * FROM nowhere",
    ],
)
def test_the_script_of_a_file_makes_it_again(script: str, tmp_path: Path) -> None:
    source, target = make(tmp_path / "source.db", script), tmp_path / "target.db"
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.executescript(dumped(source, tmp_path / "vault"))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert differences(source, target) == []
