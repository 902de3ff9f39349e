"""New names in stored statements, and in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.core.errors import UsageError
from rowvault.core.monitor import SilentMonitor
from rowvault.restore.engine import RestoreRequest, RestoreResult, run_restore
from rowvault.restore.selection.rename import Side
from rowvault.source.sqlite import SqliteSource, SqliteTarget
from rowvault.sqltext.mysql.renamed import rename_created, rename_names, rename_trigger
from support.small_vault import create_small
from support.sqlite_file import make


def new_name(database: str, table: str) -> tuple[str, str]:
    return {"k": "n`w"}.get(database, database), {"t": "u"}.get(table, table)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"REFERENCES `t` (`t`)", b"REFERENCES `u` (`t`)"),
        (b"REFERENCES `j`.`t` (`id`)", b"REFERENCES `j`.`u` (`id`)"),
        (b"DEFAULT nextval(`k`.`s`)", b"DEFAULT nextval(`n``w`.`s`)"),
        (b"select `k`.`x` AS `x` from `k`", b"select `k`.`x` AS `x` from `k`"),
        (b"select `k`.`v`.`x` from `k`.`v`", b"select `n``w`.`v`.`x` from `n``w`.`v`"),
        (b"from ((`a` join `k`.`b`)", b"from ((`a` join `n``w`.`b`)"),
        (b"select `k`.`f`(`k`.`x`)", b"select `n``w`.`f`(`k`.`x`)"),
        (b"'from `k`.`v`' 'it''s \\' from `k`.`v`'", b"'from `k`.`v`' 'it''s \\' from `k`.`v`'"),
        (b"`from 'k` from `k`.`v`", b"`from 'k` from `n``w`.`v`"),
    ],
)
def test_names_of_databases_and_referenced_tables(text: bytes, expected: bytes) -> None:
    assert rename_names(text, "k", "n`w", new_name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"CREATE TABLE `a` (`a` INT)", b"CREATE TABLE `b` (`a` INT)"),
        (b"CREATE DATABASE /*!32312 X*/ `a`", b"CREATE DATABASE /*!32312 X*/ `b`"),
        (b'CREATE TABLE "a" ("a")', b'CREATE TABLE `b` ("a")'),
        (b"CREATE TABLE A(a)", b"CREATE TABLE `b`(a)"),
        (b"CREATE TABLE [a](a)", b"CREATE TABLE `b`(a)"),
        (
            b"CREATE TABLE `a` (CONSTRAINT `a_ibfk_1`, CONSTRAINT `a_b`, 'CONSTRAINT `a_ibfk_1`')",
            b"CREATE TABLE `b` (CONSTRAINT `b_ibfk_1`, CONSTRAINT `a_b`, 'CONSTRAINT `a_ibfk_1`')",
        ),
    ],
)  # fmt: skip
def test_the_name_that_is_created(text: bytes, expected: bytes) -> None:
    assert rename_created(text, "a", "b") == expected


def test_another_name_than_expected_is_refused() -> None:
    with pytest.raises(UsageError, match="does not begin with its name"):
        rename_created(b"CREATE TABLE `other` (`a` INT)", "a", "b")


def test_only_a_triggers_head_changes() -> None:
    text = (
        b"CREATE DEFINER=`k`@`k.x` TRIGGER `k`.`g` BEFORE INSERT ON k . t FOR EACH ROW"
        b" INSERT INTO k.l VALUES (1)"
    )
    assert rename_trigger(text, "k", "n.w") == (
        b"CREATE DEFINER=`k`@`k.x` TRIGGER `n.w`.`g` BEFORE INSERT ON `n.w`.t FOR EACH ROW"
        b" INSERT INTO k.l VALUES (1)"
    )


Restore = Callable[..., RestoreResult]


@pytest.fixture
def restore(tmp_path: Path) -> Restore:
    """Restores a small file under other names into target.db."""
    script = (
        "CREATE TABLE t(x); CREATE TABLE 'o t'(x); INSERT INTO t VALUES(1); CREATE INDEX i ON t(x)"
    )
    path = make(tmp_path / "source.db", script)

    def run(*renames: tuple[Side, Side]) -> RestoreResult:
        monitor = SilentMonitor()
        target = tmp_path / "target.db"
        with closing(create_small(tmp_path / "vault")) as repository:
            run_backup(repository, SqliteSource(path), BackupRequest(), monitor)
            return run_restore(
                repository,
                repository.find("latest"),
                SqliteTarget(target),
                lambda *_: SqliteSource(target),
                RestoreRequest(rename=renames),
                monitor,
            )

    return run


def test_a_table_of_a_file_gets_another_name(restore: Restore, tmp_path: Path) -> None:
    result = restore((("main", "t"), ("main", "t.2")), (("main", "o t"), ("main", "t")))
    assert (result.verified, result.left_out) == (False, ("index main.i",))
    assert result.warnings == (
        "index main.i is left out: its table is restored under another name",
    )
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        assert connection.execute('SELECT * FROM "t.2"').fetchall() == [(1,)]
        assert connection.execute("SELECT * FROM t").fetchall() == []


def test_a_file_has_one_database(restore: Restore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="main"):
        restore((("main", None), ("other", None)))
    assert not (tmp_path / "target.db").exists()
