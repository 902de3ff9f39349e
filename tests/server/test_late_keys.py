"""Tables that get their keys after their rows, and say of themselves what they said before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.copying import make_bare
from support.rowvault import run_json, succeed
from support.server import DatabaseServer

ROWS = 30_000
PASSWORD = {"ROWVAULT_PASSWORD": "p"}
COLUMNS = "id INT AUTO_INCREMENT, a INT, b VARCHAR(200), c VARCHAR(99) NOT NULL, d DATETIME(3)"
BARE = {
    "plain": ("PRIMARY KEY (id), KEY ka (a), KEY kb (b), KEY ka2 (a, b)", ""),
    "once": ("PRIMARY KEY (id), KEY z (a), UNIQUE y (c), UNIQUE x (b), KEY w (d)", ""),
    "prefix": ("PRIMARY KEY (id), KEY p (b(7), c(3) DESC, d), UNIQUE q (c(5), id)", ""),
    "named": ("PRIMARY KEY (id), KEY `k``,(` (a) COMMENT 'it''s, (a \\\\ key)'", ""),
    "counting": ("PRIMARY KEY (c, id), KEY first (a), KEY own (id), KEY late (b)", ""),
    "as_tree": ("PRIMARY KEY (id) USING BTREE, KEY k (a) USING BTREE", "COMMENT=') ('"),
    "checked": ("PRIMARY KEY (id), KEY k (a), CONSTRAINT `c,c` CHECK (a <> (1 + 1))", ""),
    "compressed": ("PRIMARY KEY (id), KEY k (a)", "ROW_FORMAT=COMPRESSED"),
    "parent": ("PRIMARY KEY (id), UNIQUE u (c)", ""),
    "child": (
        "PRIMARY KEY (id), KEY k (a), CONSTRAINT f1 FOREIGN KEY (a) REFERENCES parent (id)"
        " ON DELETE CASCADE, CONSTRAINT f0 FOREIGN KEY (a) REFERENCES plain (id)",
        "",
    ),
    "own": ("PRIMARY KEY (id), KEY k (b), FOREIGN KEY (a) REFERENCES own (id)", ""),
}
OF_VENDOR = {
    "mariadb": {"ignored": ("PRIMARY KEY (id), KEY i (a) IGNORED, KEY j (b)", "")},
    "mysql": {"ignored": ("PRIMARY KEY (id), KEY i (a) INVISIBLE, KEY j (b)", "")},
}
WHOLE = {
    "keyless": ("KEY (id)", ""),
    "computed": ("PRIMARY KEY (id), g INT AS (a + 1) VIRTUAL, KEY (g)", ""),
    "searched": ("PRIMARY KEY (id), KEY t (c), FULLTEXT f (b)", ""),
    "divided": ("PRIMARY KEY (id), KEY (a)", "PARTITION BY HASH (id) PARTITIONS 2"),
}


@pytest.fixture
def second(server_second: DatabaseServer, database: str) -> Iterator[DatabaseServer]:
    """An empty server; what the test leaves there is gone after it."""
    yield server_second
    server_second.execute("SET foreign_key_checks = 0", f"DROP DATABASE IF EXISTS {database}")


def make(server: DatabaseServer, database: str, tables: dict[str, tuple[str, str]]) -> None:
    server.execute(
        f"USE {database}",
        *(f"CREATE TABLE {name} ({COLUMNS}, {body}) {end}" for name, (body, end) in tables.items()),
    )


def test_bare_tables_become_the_same_again(
    server: DatabaseServer, second: DatabaseServer, database: str
) -> None:
    tables = BARE | OF_VENDOR[server.vendor]
    make(server, database, tables | WHOLE)
    bare, planned = make_bare(server.url, second.url, [database])
    assert bare == {f"{database}.{name}" for name in tables}
    assert planned == len(tables)
    left, right = (shapes(one, database) for one in (server, second))
    assert comparer.differences(left, right) == []


def shapes(server: DatabaseServer, database: str) -> comparer.Fingerprint:
    """MySQL tells of a counter that stands at 1 only when the table was opened."""
    marks = comparer.fingerprint(server, [database])
    return {label: re.sub(r"AUTO_INCREMENT=(1|NULL);", "", mark) for label, mark in marks.items()}


def test_a_restore_builds_keys_behind_the_rows(
    server: DatabaseServer, second: DatabaseServer, database: str, tmp_path: Path
) -> None:
    tables = {name: BARE[name] for name in ("plain", "parent", "child", "counting")}
    make(server, database, tables)
    server.execute(
        f"USE {database}",
        *(
            f"INSERT INTO {name} (a, b, c, d) SELECT 1 + (seq * 7919) % {ROWS}, REPEAT(seq, 30),"
            f" seq, '2026-11-27' FROM {server.sequence(ROWS)}"
            for name in tables
        ),
    )
    vault = tmp_path / "vault"
    succeed("-r", vault, "init", env=PASSWORD)
    succeed("-r", vault, "backup", server.url, "-d", database, env=PASSWORD)
    before = altered(second)
    result = run_json("-r", vault, "restore", "latest", second.url, env=PASSWORD)
    assert result["verified"] is True
    # Each is rehearsed and then altered; child and its foreign keys are two statements.
    assert altered(second) - before == 2 * (len(tables) + 1)
    left, right = (comparer.fingerprint(one, [database]) for one in (server, second))
    assert comparer.differences(left, right) == []


def altered(server: DatabaseServer) -> int:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_alter_table'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[1])
