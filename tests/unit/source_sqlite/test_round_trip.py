"""A file comes back as it was: schema, values, counters, header."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from support.sqlite_file import copy, differences, make

SHOP = """
CREATE TABLE customer(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, spent REAL DEFAULT 'v');
CREATE TABLE orders(
  id INTEGER PRIMARY KEY, customer_id REFERENCES customer(id) ON DELETE CASCADE,
  total NUMERIC CHECK (total >= 0), label AS (id || '/' || total) STORED, shown AS (label || '!')
);
CREATE INDEX by_customer ON orders(customer_id) WHERE total > 1;
CREATE UNIQUE INDEX by_expression ON customer(lower(name) || id);
CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;
CREATE VIEW bigger AS SELECT * FROM big;
CREATE TRIGGER touched AFTER INSERT ON orders BEGIN
  UPDATE customer SET spent = spent + new.total WHERE id = new.customer_id;
END;
"""


def _copied(tmp_path: Path, script: str, rows: list[tuple[str, tuple[object, ...]]]) -> Path:
    """Copies, and checks that nothing differs and that SQLite finds the copy sound."""
    source = make(tmp_path / "source.db", script, rows)
    target = tmp_path / "target.db"
    copy(source, target)
    assert differences(source, target) == []
    connection = sqlite3.connect(target)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
    return target


def test_objects_come_back_byte_for_byte(tmp_path: Path) -> None:
    rows = [("INSERT INTO customer(name, spent) VALUES(?, ?)", (f"c{i}", i / 3)) for i in range(50)]
    rows += [("INSERT INTO orders VALUES(?, ?, ?)", (i, 1 + i % 50, i * 7)) for i in range(500)]
    _copied(tmp_path, SHOP, rows)


EDGE_VALUES = [
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    0.0,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    0.1,
    float("inf"),
    float("-inf"),
    "",
    "a\0b",
    "\ufeffé\U0001f600\uffff",
    "'; DROP TABLE t; --",
    b"",
    b"\0\xff" * 300,
    b"text?",
]


def test_values_keep_storage_class_and_bits(tmp_path: Path) -> None:
    rows = [("INSERT INTO t(x) VALUES(?)", (value,)) for value in EDGE_VALUES]
    rows += [
        ("INSERT INTO t(x) VALUES(CAST(? AS TEXT))", (raw,))
        for raw in (b"\xff\xfe", b"ok\0\x80", b"\xed\xa0\x80", b"\xc0\x80")
    ]
    _copied(tmp_path, "CREATE TABLE t(x)", rows)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    texts = ["", "a", "é\0é", "\ufeff\ufffe\uffff", "\U0001f600" * 9000, "日本"]
    codec = encoding.lower().replace("utf-16", "utf-16-")
    rows: list[tuple[str, tuple[object, ...]]] = [
        (f"INSERT INTO t VALUES(CAST(X'{text.encode(codec).hex()}' AS TEXT), 1)", ())
        for text in texts
    ]
    _copied(tmp_path, f"PRAGMA encoding='{encoding}'; CREATE TABLE t(x, y)", rows)


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE TABLE t(k TEXT NOT NULL, v, PRIMARY KEY(k DESC)) WITHOUT ROWID",
        "CREATE TABLE t(k TEXT COLLATE NOCASE, v, PRIMARY KEY(v, k COLLATE RTRIM)) WITHOUT ROWID",
        "CREATE TABLE t(k TEXT NOT NULL UNIQUE, v)",
        "CREATE TABLE t(k PRIMARY KEY, v)",
        "CREATE TABLE t(k INTEGER PRIMARY KEY DESC, v)",
        "CREATE TABLE t(rowid, _rowid_)",
        "CREATE TABLE t(rowid UNIQUE ON CONFLICT REPLACE, oid UNIQUE ON CONFLICT IGNORE)",
        'CREATE TABLE t("a ""quoted"" name" , `select` ANY) -- and a comment',
        "CREATE TABLE t(k INT, v ANY) STRICT",
        "CREATE TABLE t(k VARCHAR(3) COLLATE nocase, v DECIMAL(10,2) NOT NULL)",
    ],
)
def test_every_form_of_table(tmp_path: Path, definition: str) -> None:
    rows = [("INSERT INTO t VALUES(?, ?)", (i * 37 % 1000, os.urandom(20))) for i in range(1000)]
    _copied(tmp_path, definition, [(statement, tuple(row)) for statement, row in rows])


def test_counters_stand_where_they_stood(tmp_path: Path) -> None:
    script = """
    CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
    CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
    CREATE TABLE z(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
    INSERT INTO a(x) VALUES(1),(2),(3);
    DELETE FROM a WHERE id > 1;
    INSERT INTO z VALUES(9, 'high');
    UPDATE sqlite_sequence SET seq = 4 WHERE name = 'z';
    INSERT INTO b(x) VALUES(1);
    DELETE FROM b;
    """
    target = _copied(tmp_path, script, [])
    connection = sqlite3.connect(target)
    try:
        connection.execute("INSERT INTO a(x) VALUES('next')")
        assert connection.execute("SELECT max(id) FROM a").fetchone() == (4,)
    finally:
        connection.close()


def test_counters_survive_without_a_table_to_count(tmp_path: Path) -> None:
    script = "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a"
    _copied(tmp_path, script, [])


def test_statistics_come_back(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t(a, b); CREATE INDEX ta ON t(a);
    INSERT INTO t VALUES(1,1),(1,2),(2,3);
    ANALYZE;
    """
    _copied(tmp_path, script, [])


def test_header_comes_back(tmp_path: Path) -> None:
    script = """
    PRAGMA page_size=8192; PRAGMA auto_vacuum=2; PRAGMA user_version=-42;
    PRAGMA application_id=252006673; PRAGMA journal_mode=WAL;
    CREATE TABLE t(x);
    """
    _copied(tmp_path, script, [])


def test_an_empty_file_comes_back(tmp_path: Path) -> None:
    _copied(tmp_path, "PRAGMA user_version=3", [])


def test_rows_that_break_a_rule_come_back(tmp_path: Path) -> None:
    script = """
    PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON;
    CREATE TABLE p(id INTEGER PRIMARY KEY);
    CREATE TABLE c(p REFERENCES p(id), n CHECK (n > 5));
    INSERT INTO c VALUES(99, 1);
    """
    source = make(tmp_path / "source.db", script)
    copy(source, tmp_path / "target.db")
    assert differences(source, tmp_path / "target.db") == []


def test_full_text_and_spatial_indexes_work_afterwards(tmp_path: Path) -> None:
    script = """
    CREATE VIRTUAL TABLE notes USING fts5(title, body);
    INSERT INTO notes VALUES('one', 'hello world'), ('two', 'goodbye');
    CREATE VIRTUAL TABLE old USING fts4(body);
    INSERT INTO old VALUES('hello again');
    CREATE VIRTUAL TABLE box USING rtree(id, x0, x1);
    INSERT INTO box VALUES(7, 1, 2);
    CREATE TABLE plain(x);
    CREATE TRIGGER copied AFTER INSERT ON plain BEGIN INSERT INTO notes VALUES('t', new.x); END;
    """
    target = _copied(tmp_path, script, [])
    connection = sqlite3.connect(target)
    try:
        connection.execute("INSERT INTO plain VALUES('hello from a trigger')")
        found = connection.execute("SELECT rowid FROM notes WHERE notes MATCH 'hello'").fetchall()
        assert found == [(1,), (3,)]
        assert connection.execute(
            "SELECT count(*) FROM old WHERE old MATCH 'hello'"
        ).fetchone() == (1,)
        assert connection.execute("SELECT id FROM box WHERE x0 < 3").fetchall() == [(7,)]
    finally:
        connection.close()


def test_large_values_among_small_ones(tmp_path: Path) -> None:
    rows = [("INSERT INTO t VALUES(?, ?)", (i, "s" * (i % 50))) for i in range(2000)]
    rows[700] = ("INSERT INTO t VALUES(?, ?)", (700, "x" * 3_000_000))
    rows[1500] = ("INSERT INTO t VALUES(?, ?)", (1500, "y" * 20_000))
    _copied(tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)", rows)


def test_the_comparison_sees_one_bit(tmp_path: Path) -> None:
    script = "CREATE TABLE t(x); INSERT INTO t VALUES(0.0), ('1'), (2)"
    source = make(tmp_path / "source.db", script)
    for change in ("SET x = ? WHERE x = 0.0", "SET x = ? WHERE x = '1'", "SET x = ? WHERE x = 2"):
        altered = tmp_path / "altered.db"
        altered.unlink(missing_ok=True)
        value = {"0.0": -0.0, "'1'": 1, "2": 2.0}[change.rpartition(" ")[2]]
        make(altered, script, [(f"UPDATE t {change}", (value,))])
        assert differences(source, altered) == ["table t"]
