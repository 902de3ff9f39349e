"""Partitions."""

from __future__ import annotations

from fidelity.case import Case, Kept

CASES = (
    Case(
        "RANGE with names, comments and limits; RANGE COLUMNS; by a function",
        "partitions",
        (
            "CREATE TABLE by_range (a INT NOT NULL, b INT) PARTITION BY RANGE (a * 2)"
            " (PARTITION `p one` VALUES LESS THAN (10) COMMENT = 'it''s' MAX_ROWS = 9 MIN_ROWS = 1,"
            " PARTITION p2 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO by_range VALUES (1, 1), (100, 2)",
            "CREATE TABLE by_columns (a INT, d DATE, s VARCHAR(9), KEY (d)) PARTITION BY RANGE"
            " COLUMNS (d, s) (PARTITION p0 VALUES LESS THAN ('2024-01-01', 'é'),"
            " PARTITION p1 VALUES LESS THAN (MAXVALUE, MAXVALUE))",
            "INSERT INTO by_columns VALUES (1, '2023-01-01', 'x'), (2, '2024-01-01', 'z')",
            "CREATE TABLE by_days (t TIMESTAMP NOT NULL) PARTITION BY RANGE (UNIX_TIMESTAMP(t))"
            " (PARTITION p0 VALUES LESS THAN (UNIX_TIMESTAMP('2024-01-01')),"
            " PARTITION p1 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO by_days VALUES ('2023-12-31 23:59:59'), ('2024-01-01')",
        ),
        ("table by_range", "table by_columns", "table by_days"),
    ),
    Case(
        "LIST, LIST COLUMNS with NULL and odd characters",
        "partitions",
        (
            "CREATE TABLE by_list (a INT) PARTITION BY LIST (a MOD 3)"
            " (PARTITION p0 VALUES IN (0, NULL), PARTITION p1 VALUES IN (1, 2, -1, -2))",
            "INSERT INTO by_list VALUES (NULL), (3), (4), (-5)",
            "CREATE TABLE by_texts (s VARCHAR(9), b VARBINARY(9)) PARTITION BY LIST COLUMNS (s)"
            " (PARTITION p0 VALUES IN ('é', 'it''s', NULL), PARTITION p1 VALUES IN ('x\\\\'))",
            "INSERT INTO by_texts VALUES ('é', 'a'), (NULL, NULL), ('x\\\\', X'00')",
        ),
        ("table by_list", "table by_texts"),
    ),
    Case(
        "HASH, LINEAR HASH, KEY with both ALGORITHMs, LINEAR KEY",
        "partitions",
        (
            "CREATE TABLE by_hash (a INT) PARTITION BY HASH (a) PARTITIONS 3",
            "INSERT INTO by_hash VALUES (1), (2), (3), (NULL)",
            "CREATE TABLE by_linear_hash (a INT PRIMARY KEY) PARTITION BY LINEAR HASH (a + 1)"
            " PARTITIONS 5",
            "INSERT INTO by_linear_hash VALUES (1), (2), (30)",
            "CREATE TABLE by_key (a VARCHAR(9), b INT) PARTITION BY KEY (a, b) PARTITIONS 4",
            "INSERT INTO by_key VALUES ('a', 1), ('B', 2), (NULL, NULL)",
            "CREATE TABLE by_old_key (a INT PRIMARY KEY) PARTITION BY KEY ALGORITHM = 1 ()"
            " PARTITIONS 3",
            "INSERT INTO by_old_key VALUES (1), (2), (3), (4)",
            "CREATE TABLE by_linear_key (a INT PRIMARY KEY) PARTITION BY LINEAR KEY (a)"
            " PARTITIONS 3",
            "INSERT INTO by_linear_key VALUES (1), (2), (3), (4)",
        ),
        (
            "table by_hash",
            "table by_linear_hash",
            "table by_key",
            "table by_old_key",
            "table by_linear_key",
        ),
    ),
    Case(
        "subpartitions by HASH and KEY, with names",
        "partitions",
        (
            "CREATE TABLE nested (a INT, b INT) PARTITION BY RANGE (a) SUBPARTITION BY HASH (b)"
            " (PARTITION p0 VALUES LESS THAN (10) (SUBPARTITION `s 1`, SUBPARTITION `s``2`),"
            " PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s3, SUBPARTITION s4))",
            "INSERT INTO nested VALUES (1, 1), (1, 2), (20, 1), (NULL, NULL)",
            "CREATE TABLE nested_key (a INT, b INT) PARTITION BY LIST (a) SUBPARTITION BY KEY (b)"
            " SUBPARTITIONS 2 (PARTITION p0 VALUES IN (1), PARTITION p1 VALUES IN (2))",
            "INSERT INTO nested_key VALUES (1, 7), (2, 8)",
        ),
        ("table nested", "table nested_key"),
    ),
    Case(
        "EXCHANGE PARTITION WITHOUT VALIDATION: rows in a partition where they do not belong",
        "partitions",
        (
            "CREATE TABLE misplaced (a INT PRIMARY KEY) PARTITION BY RANGE (a)"
            " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
            "CREATE TABLE brought (a INT PRIMARY KEY)",
            "INSERT INTO misplaced VALUES (20), (30)",
            "INSERT INTO brought VALUES (5), (25), (35)",
            "ALTER TABLE misplaced EXCHANGE PARTITION p0 WITH TABLE brought WITHOUT VALIDATION",
        ),
        ("table misplaced", "table brought"),
        Kept(
            "a row in a wrong partition comes back into the right one",
            changes=("rows misplaced",),
        ),
    ),
)
