"""Hard cases that MySQL alone has."""

from __future__ import annotations

from benchmarks.fidelity.case import HardCase

CASES = (
    HardCase(
        "-0.0 in FLOAT and DOUBLE",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, f FLOAT, d DOUBLE)",
            "INSERT INTO t VALUES (1, '-0', '-0'), (2, 0, 0)",
        ),
    ),
    HardCase(
        "JSON, plain",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON)",
            'INSERT INTO t VALUES (1, \'{"b": 1.5, "a": [true, null, "é"]}\'), (2, NULL)',
        ),
    ),
    HardCase(
        "JSON with DECIMAL, DATE and BLOB inside",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON)",
            "INSERT INTO t VALUES (1, JSON_OBJECT('d', CAST(1.5 AS DECIMAL(9,2)),"
            " 't', CAST('2024-01-02' AS DATE), 'b', CAST('x' AS BINARY)))",
        ),
    ),
    HardCase(
        "ARCHIVE with AUTO_INCREMENT",
        (
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT) ENGINE = ARCHIVE",
            "INSERT INTO t (v) VALUES (5), (6)",
        ),
    ),
    HardCase(
        "view with INTERSECT",
        (
            "CREATE TABLE t (a INT)",
            "CREATE VIEW v AS SELECT a FROM t INTERSECT SELECT a FROM t UNION SELECT 2",
        ),
    ),
    HardCase(
        "VECTOR",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3))",
            "INSERT INTO t VALUES (1, TO_VECTOR('[1,-0.5,3e38]'))",
        ),
    ),
    HardCase(
        "column with SRID, spatial index",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, g POINT NOT NULL SRID 4326, SPATIAL INDEX (g))",
            "INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326))",
        ),
    ),
    HardCase(
        "generated invisible primary key",
        (
            "SET sql_generate_invisible_primary_key = 1",
            "CREATE TABLE t (v INT)",
            "INSERT INTO t VALUES (5), (5)",
            "DELETE FROM t ORDER BY my_row_id LIMIT 1",
        ),
    ),
    HardCase(
        "functional and multi-valued indexes",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON, a INT,"
            " INDEX f ((a * 2) DESC), INDEX m ((CAST(j->'$.x' AS UNSIGNED ARRAY))))",
            "INSERT INTO t VALUES (1, '{\"x\": [1, 2]}', 3)",
        ),
    ),
    HardCase(
        "columns of a view that may be NULL",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) NOT NULL)",
            "SET sql_mode = 'STRICT_TRANS_TABLES'",
            "CREATE VIEW v AS SELECT CONCAT(a, 'x') AS a FROM t",
        ),
    ),
)
