"""Partitions of every method, and in which one each row lies."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "RANGE over an expression, with comments, odd names and MAXVALUE",
        "PARTITION BY RANGE",
        (
            "CREATE TABLE by_range (id INT, d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE"
            " (YEAR(d)) (PARTITION `p 1` VALUES LESS THAN (2020) COMMENT = 'it''s old',"
            " PARTITION p2 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO by_range VALUES (5,'2019-01-01'),(1,'2021-01-01'),(3,'2020-01-01')",
        ),
        ("table by_range",),
    ),
    Case(
        "RANGE COLUMNS and LIST COLUMNS over text, dates and NULL",
        "PARTITION BY RANGE COLUMNS, LIST COLUMNS",
        (
            "CREATE TABLE by_columns (a VARCHAR(9), d DATE) PARTITION BY RANGE COLUMNS (a, d)"
            " (PARTITION p1 VALUES LESS THAN ('m', '2020-01-01'), PARTITION p2 VALUES LESS THAN"
            " (MAXVALUE, MAXVALUE))",
            "INSERT INTO by_columns VALUES ('a','2021-01-01'),('m','2019-01-01'),('z',NULL)",
            "CREATE TABLE by_list (a VARCHAR(9)) PARTITION BY LIST COLUMNS (a) (PARTITION p1 VALUES"
            " IN ('it''s', 'é'), PARTITION p2 VALUES IN (NULL, ''), PARTITION p3 DEFAULT)",
            "INSERT INTO by_list VALUES ('it''s'), ('é'), (NULL), (''), ('else')",
        ),
        ("table by_columns", "table by_list"),
    ),
    Case(
        "LIST over numbers",
        "PARTITION BY LIST",
        (
            "CREATE TABLE by_number (a INT) PARTITION BY LIST (a) (PARTITION n VALUES IN (NULL,"
            " -1),"
            " PARTITION p VALUES IN (0, 1, 2))",
            "INSERT INTO by_number VALUES (NULL), (-1), (2)",
        ),
        ("table by_number",),
    ),
    Case(
        "HASH, LINEAR HASH, KEY, LINEAR KEY",
        "PARTITION BY HASH, KEY",
        (
            "CREATE TABLE by_hash (a INT) PARTITION BY HASH (a) PARTITIONS 3",
            "CREATE TABLE by_linear_hash (a INT) PARTITION BY LINEAR HASH (a) PARTITIONS 5",
            "CREATE TABLE by_key (a VARCHAR(20) PRIMARY KEY) PARTITION BY KEY () PARTITIONS 4",
            "CREATE TABLE by_linear_key (a VARCHAR(20), b INT) PARTITION BY LINEAR KEY (a, b)"
            " PARTITIONS 3",
            "INSERT INTO by_hash SELECT seq FROM seq_1_to_100",
            "INSERT INTO by_linear_hash SELECT seq FROM seq_1_to_100",
            "INSERT INTO by_key SELECT CONCAT('k', seq) FROM seq_1_to_100",
            "INSERT INTO by_linear_key SELECT CONCAT('k', seq), seq FROM seq_1_to_100",
        ),
        ("table by_hash", "table by_linear_hash", "table by_key", "table by_linear_key"),
    ),
    Case(
        "KEY by the older function",
        "PARTITION BY KEY ALGORITHM = 1",
        (
            "CREATE TABLE by_old_key (a INT PRIMARY KEY) PARTITION BY KEY ALGORITHM = 1 (a)"
            " PARTITIONS 3",
            "INSERT INTO by_old_key SELECT seq FROM seq_1_to_100",
        ),
        ("table by_old_key",),
    ),
    Case(
        "subpartitions, named and not",
        "SUBPARTITION",
        (
            "CREATE TABLE by_sub (a INT, d DATE) PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH"
            " (a) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS"
            " THAN MAXVALUE)",
            "INSERT INTO by_sub SELECT seq, '2018-01-01' + INTERVAL seq MONTH FROM seq_1_to_60",
            "CREATE TABLE by_named_sub (a INT, d DATE) PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY"
            " KEY (a) (PARTITION p0 VALUES LESS THAN (2020) (SUBPARTITION s0, SUBPARTITION `s 1`),"
            " PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3))",
            "INSERT INTO by_named_sub SELECT seq, '2018-01-01' + INTERVAL seq MONTH FROM"
            " seq_1_to_60",
        ),
        ("table by_sub", "table by_named_sub"),
    ),
    Case(
        "partitions of MyISAM and Aria tables",
        "partitions of other engines",
        (
            "CREATE TABLE myisam_parts (a INT) ENGINE = MyISAM PARTITION BY HASH (a) PARTITIONS 2",
            "CREATE TABLE aria_parts (a INT PRIMARY KEY) ENGINE = Aria PARTITION BY KEY (a)"
            " PARTITIONS 2",
            "INSERT INTO myisam_parts VALUES (1), (2), (2)",
            "INSERT INTO aria_parts VALUES (1), (2), (3)",
        ),
        ("table myisam_parts", "table aria_parts"),
    ),
    Case(
        "a table that was exchanged with a partition",
        "EXCHANGE PARTITION",
        (
            "CREATE TABLE exchanged (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN"
            " (10), PARTITION p1 VALUES LESS THAN (20))",
            "INSERT INTO exchanged VALUES (1), (11)",
            "CREATE TABLE exchanging (a INT)",
            "INSERT INTO exchanging VALUES (5), (6)",
            "ALTER TABLE exchanged EXCHANGE PARTITION p0 WITH TABLE exchanging",
        ),
        ("table exchanged", "table exchanging"),
    ),
)
