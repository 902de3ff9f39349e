"""JSON documents of MySQL: the rows whose text does not tell all are found, and no others."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowvault.core.omission import texts_of
from rowvault.source.protocol import RowRange, Selection
from support.copying import read_rows, source_at
from support.mysql import MySQLServer

pytestmark = pytest.mark.mysql

EXACT = (
    "TRUE",
    "FALSE",
    "CAST('null' AS JSON)",
    "'text'",
    "'2024-01-01'",
    "'base64:type15:AQ=='",
    "''",
    "0",
    "-1",
    "4294967295",
    "CAST(4294967296 AS UNSIGNED)",
    "-9223372036854775808",
    "18446744073709551615",
    "9223372036854775808",
    "-0e0",
    "1e0",
    "0.1e0",
    "5e-324",
    "1.7976931348623157e308",
    "1e20",
)
INEXACT = (
    "1.5",
    "1.0",
    "CAST(1 AS DECIMAL(1, 0))",
    "100000000000000000000",
    "12345.67",
    "CAST(0 AS UNSIGNED)",
    "CAST(4294967295 AS UNSIGNED)",
    "4294967296",
    "9223372036854775807",
    "DATE'2024-01-01'",
    "TIME'10:00:00.5'",
    "TIMESTAMP'2024-01-01 10:00:00'",
    "X'01'",
    "CAST(2024 AS YEAR)",
)


Made = tuple[str, bool]
"""An SQL expression, and whether its text tells all of it."""

KEYS = ("''", "'a'", "'*'", "'a b'", "'\"'", "'é'")


def _array(parts: list[Made]) -> Made:
    return f"JSON_ARRAY({', '.join(part for part, _ in parts)})", all(told for _, told in parts)


def _object(pairs: list[tuple[str, Made]]) -> Made:
    members = ", ".join(f"{key}, {part}" for key, (part, _) in pairs)
    return f"JSON_OBJECT({members})", all(told for _, (_, told) in pairs)


def _inside(inner: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    pairs = st.tuples(st.sampled_from(KEYS), inner)
    return st.lists(inner, max_size=3).map(_array) | st.lists(
        pairs, max_size=3, unique_by=lambda pair: pair[0]
    ).map(_object)


told = st.sampled_from([(value, True) for value in EXACT])
untold = st.sampled_from([(value, False) for value in INEXACT])
documents = st.recursive(told, _inside, max_leaves=6) | st.recursive(
    told | untold, _inside, max_leaves=6
)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=st.lists(documents, min_size=1, max_size=12))
def test_the_rows_with_untold_members_are_found_and_no_others(
    mysql: MySQLServer, database: str, made: list[Made]
) -> None:
    # The element of an array is what stands alone.
    rows = ", ".join(
        f"({number}, JSON_EXTRACT(JSON_ARRAY({value}), '$[0]'))"
        for number, (value, _) in enumerate(made, 1)
    )
    mysql.execute(
        f"USE {database}",
        "DROP TABLE IF EXISTS j",
        "CREATE TABLE j (id INT PRIMARY KEY, j JSON)",
        f"INSERT INTO j VALUES {rows}",
    )
    wanted = [number for number, (_, is_told) in enumerate(made, 1) if not is_told]
    found = _omissions(mysql, database, "j")
    if not wanted:
        assert found == []
        return
    assert len(found) == 1
    count = f"{len(wanted)} rows" if len(wanted) > 1 else "1 row"
    keys = ", ".join(f"(id={number})" for number in wanted[:3])
    assert f"column j holds members in {count} " in found[0]
    assert f"such as {keys}." in found[0]


def test_what_is_told_comes_back_from_its_text(mysql: MySQLServer, database: str) -> None:
    """And what is not told does not: the two lists above are right."""
    mysql.execute(f"USE {database}", "CREATE TABLE j (id INT PRIMARY KEY, j JSON)")
    for number, value in enumerate((*EXACT, *INEXACT)):
        mysql.execute(f"INSERT INTO {database}.j VALUES ({number}, JSON_ARRAY({value}))")
    with closing(mysql.connect()) as connection, connection.cursor() as cursor:
        again = "CAST(CAST(j AS CHAR) AS JSON)"
        cursor.execute(
            f"SELECT JSON_TYPE(JSON_EXTRACT(j, '$[0]'))"
            f" = JSON_TYPE(JSON_EXTRACT({again}, '$[0]'))"
            f" AND CAST(j AS CHAR) = CAST({again} AS CHAR) AND j = {again}"
            f" FROM {database}.j ORDER BY id"
        )
        same = [bool(row[0]) for row in cursor.fetchall()]
    assert same == [True] * len(EXACT) + [False] * len(INEXACT)


def test_every_row_chunk_is_looked_into(mysql: MySQLServer, database: str) -> None:
    """Also where a table has several JSON columns, NULLs, a key of text, or no key."""
    mysql.execute(
        f"USE {database}",
        "CREATE TABLE wide (id INT PRIMARY KEY, `a``b` JSON, c JSON)",
        "INSERT INTO wide VALUES (1, NULL, '[1]'), (2, JSON_ARRAY(1.5), JSON_ARRAY(CURDATE())),"
        " (5, JSON_ARRAY(2.5), NULL)",
        "CREATE TABLE named (k VARCHAR(9) PRIMARY KEY, j JSON)",
        "INSERT INTO named VALUES ('x', JSON_OBJECT('a', 1.5))",
        "CREATE TABLE keyless (j JSON)",
        "INSERT INTO keyless VALUES (JSON_OBJECT('a', TIME'10:00:00')), ('1')",
    )
    two, four = ("2",), ("4",)
    ranges = (RowRange(None, two, 0), RowRange(two, four, 1), RowRange(four, None, 2))
    wide = _omissions(mysql, database, "wide", ranges)
    assert [line.partition(".")[2].partition(". ")[0] for line in wide] == [
        "wide: JSON column a`b holds members in 2 rows whose type its text does not tell "
        "(DECIMAL), such as (id=2), (id=5)",
        "wide: JSON column c holds members in 1 row whose type its text does not tell (DATE), "
        "such as (id=2)",
    ]
    assert "such as (k=x)" in _omissions(mysql, database, "named")[0]
    (keyless,) = _omissions(mysql, database, "keyless")
    assert "in 1 row" in keyless
    assert "(TIME)." in keyless


def _omissions(
    server: MySQLServer,
    database: str,
    table: str,
    ranges: tuple[RowRange, ...] = (RowRange(),),
) -> list[str]:
    with source_at(server.url).open_snapshot(1) as snapshot:
        catalogue = snapshot.catalogue(Selection(tables=((database, table),)))
        snapshot.inspect_values()
        for rows in ranges:
            read_rows(snapshot.readers()[0], catalogue.tables[0].definition, rows)
        snapshot.confirm(catalogue)
    return texts_of(catalogue.omissions)
