"""ENUM and SET come back by their numbers: index 0, the error value, and members without text."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.codec.rows import encode_batch
from rowvault.core.errors import RestoreError
from rowvault.core.model import Column, TableDefinition, ValueKind
from support import comparer
from support.clients import pipe_into
from support.copying import table_rows, target_at
from support.rowvault import run_json, succeed
from support.server import DatabaseServer

STATEMENTS = [
    "SET NAMES utf8mb4, sql_mode = ''",
    "CREATE TABLE plain (id INT PRIMARY KEY, e ENUM('a','0','it''s \\\\'), n INT)",
    "INSERT INTO plain VALUES (1, 0, 1), (2, 2, 2), (3, NULL, 3), (4, 3, 4), (5, 0, 5)",
    "CREATE TABLE with_empty (id INT PRIMARY KEY, e ENUM('a','','b') CHARACTER SET ucs2)",
    "INSERT INTO with_empty VALUES (1, 0), (2, 1), (3, 2), (4, 3), (5, NULL)",
    "CREATE TABLE twice (e ENUM('x'), f ENUM('', 'y')) ENGINE=MyISAM",
    "INSERT INTO twice VALUES ('x', 1), (0, 0), (0, 2), ('x', 0), (0, 0)",
    "CREATE TABLE sets (id INT PRIMARY KEY, s SET('a','b',''), t SET('p','q'))",
    "INSERT INTO sets VALUES (1, 4, 0), (2, 0, 3), (3, 5, 1), (4, 7, NULL)",
    "CREATE TABLE wide (id INT PRIMARY KEY, s SET('',{}))".format(
        ",".join(f"'m{number}'" for number in range(63))
    ),
    f"INSERT INTO wide VALUES (1, {1 << 63}), (2, 1), (3, 0), (4, {(1 << 64) - 1})",
    "CREATE TABLE keyed (e ENUM('b','','a') PRIMARY KEY, n INT)",
    "INSERT INTO keyed VALUES (0, 0), (1, 1), (2, 2), (3, 3)",
]


@pytest.fixture
def enums(server: DatabaseServer, database: str) -> str:
    server.execute(f"USE {database}", *STATEMENTS)
    return database


def test_a_restore_and_a_dump_keep_every_number(
    server: DatabaseServer, server_second: DatabaseServer, enums: str, tmp_path: Path
) -> None:
    before = comparer.fingerprint(server, [enums])
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    place = ("-r", tmp_path / "vault")
    run_json(*place, "backup", server.socket_url, "-d", enums, env={"MYSQL_PWD": "test"})
    try:
        restored = run_json(*place, "restore", "latest", server_second.socket_url)
        assert restored["verified"] is True
        assert comparer.differences(before, comparer.fingerprint(server_second, [enums])) == []
        server_second.execute(f"DROP DATABASE {enums}")
        pipe_into(server_second, succeed(*place, "dump", "latest"))
        assert comparer.differences(before, comparer.fingerprint(server_second, [enums])) == []
    finally:
        server_second.execute(f"DROP DATABASE IF EXISTS {enums}")


def test_only_where_a_member_has_no_text_numbers_are_read(
    server: DatabaseServer, enums: str
) -> None:
    assert [row[1] for row in table_rows(server.url, enums, "plain")] == [
        b"",
        b"0",
        None,
        b"it's \\",
        b"",
    ]
    assert [row[1] for row in table_rows(server.url, enums, "with_empty")] == [
        b"0",
        b"1",
        b"2",
        b"3",
        None,
    ]
    assert table_rows(server.url, enums, "wide")[0][1] == str(1 << 63).encode()


def test_what_is_no_member_is_still_refused(server: DatabaseServer, enums: str) -> None:
    """Beside rows of index 0, whose warnings are expected, and one column further."""
    columns = (
        Column("id", "int(11)", ValueKind.NUMBER),
        Column("e", "enum('a','0','it''s \\\\')", ValueKind.TEXT),
        Column("n", "int(11)", ValueKind.NUMBER),
    )
    table = TableDefinition(enums, "plain", columns, (0,), True, b"", engine="InnoDB")
    target = target_at(server.socket_url)
    loader = target.open_loader()
    try:
        for row in ((b"8", b"no", b"1"), (b"9", b"a", b"99999999999")):
            with pytest.raises(RestoreError, match="did not load exactly"):
                loader.load(table, encode_batch([(b"7", b"", b"1"), row]))
            server.execute(f"DELETE FROM {enums}.plain WHERE id > 6")
    finally:
        loader.close()
        target.finish()


def test_a_cut_value_is_noticed_among_any_number_of_warnings(
    server: DatabaseServer, database: str
) -> None:
    """MySQL warns of every value of a charset that it means to drop, and lists only so many."""
    server.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, e ENUM('a'),"
        " v VARCHAR(1) CHARACTER SET ucs2)"
    )
    columns = (
        Column("id", "int(11)", ValueKind.NUMBER),
        Column("e", "enum('a')", ValueKind.TEXT),
        Column("v", "varchar(1)", ValueKind.BYTES, introducer="_ucs2"),
    )
    table = TableDefinition(database, "t", columns, (0,), True, b"", engine="InnoDB")
    rows = [(b"%d" % number, b"a", b"\0A") for number in range(66_000)]
    target = target_at(server.url)
    loader = target.open_loader()
    try:
        loader.load(table, encode_batch(rows))
        server.execute(f"DELETE FROM {database}.t")
        with pytest.raises(RestoreError, match="did not load exactly"):
            loader.load(table, encode_batch([*rows, (b"66000", b"a", b"\0A\0B")]))
    finally:
        loader.close()
        target.finish()
