"""`dump --format csv` and `jsonl`: the rows of a table, every value as it was."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.vaults import Vault
from support.rowvault import run, run_json, succeed

ROWS: list[tuple[object, ...]] = [
    (1, None, ""),
    (2, 'a "quoted", \\ text\r\n', "é€😀"),
    (3, b"\x00\xff,", -(2**63)),
    (4, 0.1, 1e300),
    (5, 5, "5"),
    (6, -0.0, b""),
]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one table of every storage class, and names that need quoting."""
    place = tmp_path_factory.mktemp("odd")
    with closing(sqlite3.connect(place / "source.db")) as connection:
        connection.execute('CREATE TABLE "odd table" (id INTEGER PRIMARY KEY, "a ""b""", "c\\d,")')
        connection.executemany('INSERT INTO "odd table" VALUES (?, ?, ?)', ROWS)
        connection.commit()
    succeed("-r", place / "vault", "init", "--no-encryption")
    succeed("-r", place / "vault", "backup", f"sqlite:///{place / 'source.db'}")
    return place / "vault"


def value_of(found: object) -> object:
    return bytes.fromhex(found["hex"]) if isinstance(found, dict) else found


def test_lines_of_json_hold_every_value(odd: Path) -> None:
    text = succeed("-r", odd, "-q", "dump", "latest", "main.odd table", "--format", "jsonl")
    lines = [json.loads(line) for line in text.decode().split("\n")[:-1]]
    assert [list(line) for line in lines] == [["id", 'a "b"', "c\\d,"]] * len(ROWS)
    assert [repr(tuple(map(value_of, line.values()))) for line in lines] == list(map(repr, ROWS))


def test_csv_tells_null_text_number_and_bytes_apart(odd: Path) -> None:
    text = succeed("-r", odd, "-q", "dump", "latest", "main.odd table", "--format", "csv")
    assert text.decode().split("\n", 1)[0] == '"id","a ""b""","c\\d,"'
    assert text.decode().split("\n", 1)[1] == (
        '1,,""\n2,"a ""quoted"", \\ text\r\n","é€😀"\n'
        "3,X'00FF2C',-9223372036854775808\n"
        "4,0.10000000000000001,1.0000000000000001e+300\n5,5,\"5\"\n6,-0.0,X''\n"
    )


def test_csv_is_what_a_csv_reader_takes(vault: Vault) -> None:
    text = succeed("-r", vault.path, "-q", "dump", "latest", "main.items", "--format", "csv")
    header, *rows = csv.reader(text.decode().splitlines())
    assert header == ["id", "name", "price"]
    found = [(int(row[0]), row[1], float(row[2]) if row[2] else None) for row in rows]
    assert found == [row[:3] for row in vault.after["items"]]


def test_into_a_file(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    name = ("dump", "latest", "main.notes", "--format", "csv", "-o", file)
    document = run_json("-r", vault.path, *name)
    assert file.read_text() == '"body"\n"one"\n"two"\n'
    taken = {key: document.pop(key) for key in ("snapshot", "time", "source")}
    assert taken["source"] == str(vault.source)
    assert document == {
        "file": str(file),
        "tables": 1,
        "rows": 2,
        "bytes": file.stat().st_size,
        "warnings": [],
    }


@pytest.mark.parametrize("name", [(), ("main",)])
def test_only_one_table_has_rows(vault: Vault, name: tuple[str, ...]) -> None:
    done = run("-r", vault.path, "dump", "latest", *name, "--format", "csv")
    assert done.returncode == 2
    assert b"DATABASE.TABLE" in done.stderr


def test_a_table_that_is_not_there(vault: Vault) -> None:
    done = run("-r", vault.path, "dump", "latest", "main.none", "--format", "jsonl")
    assert done.returncode == 2
    assert done.stdout == b""
