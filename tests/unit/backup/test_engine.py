"""The engine of a backup: what it does in which order."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup_into
from rowvault.core.errors import WrongPasswordError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.source.protocol import EVERYTHING, Selection, SourceSnapshot
from rowvault.source.sqlite import SqliteSource
from support.small_vault import create_small


class NotingSource(SqliteSource):
    """Notes that it was reached."""

    def __init__(self, path: Path, done: list[str]) -> None:
        super().__init__(path)
        self._done = done

    def open_snapshot(
        self, connection_count: int, selection: Selection = EVERYTHING
    ) -> SourceSnapshot:
        self._done.append("source")
        return super().open_snapshot(connection_count, selection)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "one.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t(x); INSERT INTO t VALUES(1)")
    return path


def test_the_source_is_reached_while_the_repository_is_being_opened(
    tmp_path: Path, database: Path
) -> None:
    done: list[str] = []
    with closing(create_small(tmp_path / "vault")) as repository:

        def opened() -> Repository:
            done.append("repository")
            return repository

        source = NotingSource(database, done)
        result = run_backup_into(opened, source, BackupRequest(), SilentMonitor())
        assert done == ["source", "repository"]
        assert result.rows == 1
        assert repository.find("latest").id == result.snapshot


def test_a_repository_that_does_not_open_ends_the_backup(database: Path) -> None:
    def opened() -> Repository:
        raise WrongPasswordError("no")

    with pytest.raises(WrongPasswordError):
        run_backup_into(opened, SqliteSource(database), BackupRequest(), SilentMonitor())
    with closing(sqlite3.connect(database)) as connection:  # nothing holds it
        connection.execute("INSERT INTO t VALUES(2)")
        connection.commit()
