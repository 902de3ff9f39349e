"""Hard cases that both vendors have."""

from __future__ import annotations

from benchmarks.fidelity.case import HardCase


def _bytes(name: str, charset: str, data: str) -> HardCase:
    return HardCase(
        name,
        (
            f"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(255) CHARACTER SET {charset})",
            f"INSERT INTO t VALUES (1, _{charset} X'{data}')",
        ),
    )


_UPPER_HALF = "".join(f"{byte:02X}" for byte in range(0x80, 0x100))

CASES = (
    HardCase(
        "FLOAT",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, f FLOAT)",
            "INSERT INTO t VALUES (1, 16777218), (2, 0.1), (3, 3.4028234663852886e38),"
            " (4, 1.401298464324817e-45), (5, 16777216), (6, -1.17549435e-38)",
        ),
    ),
    HardCase(
        "FLOAT as PRIMARY KEY",
        (
            "CREATE TABLE t (f FLOAT PRIMARY KEY)",
            "INSERT INTO t VALUES (16777216), (16777218), (0.5)",
        ),
    ),
    HardCase(
        "DOUBLE, also with digits (20,5)",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, d DOUBLE, e DOUBLE(20,5))",
            "INSERT INTO t VALUES (1, 5e-324, 0.1), (2, 1.7976931348623157e308, -123456.12345),"
            " (3, 0.30000000000000004, 0)",
        ),
    ),
    HardCase(
        "column that is INVISIBLE",
        (
            "CREATE TABLE t (a INT INVISIBLE DEFAULT 3, b INT PRIMARY KEY)",
            "INSERT INTO t (a, b) VALUES (9, 1), (8, 2)",
        ),
    ),
    HardCase(
        "ENUM in latin1, members with accents",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('é','à','x') CHARACTER SET latin1)",
            "INSERT INTO t VALUES (1, 'é'), (2, 'à'), (3, 'x')",
        ),
    ),
    HardCase(
        "ENUM holding its error value (index 0)",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a','','b'))",
            "INSERT INTO t VALUES (1, 0), (2, 2), (3, 'a')",
        ),
    ),
    HardCase(
        "cp932: a character that Unicode has twice",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET cp932)",
            "INSERT INTO t VALUES (1, _cp932 X'8790'), (2, _cp932 X'FA54')",
        ),
    ),
    *(
        _bytes(f"{charset}: bytes without a character", charset, _UPPER_HALF)
        for charset in (
            "cp1251",
            "cp1256",
            "greek",
            "hebrew",
            "tis620",
            "armscii8",
            "dec8",
            "geostd8",
            "hp8",
            "swe7",
        )
    ),
    HardCase(
        "sjis: 0x5C, backslash or yen",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET sjis)",
            "INSERT INTO t VALUES (1, _sjis X'5C'), (2, _sjis X'815F'), (3, _sjis X'835C5C')",
        ),
    ),
    HardCase(
        "dates of zeros, or with zeros",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE, e DATETIME(6), y YEAR, s TIMESTAMP NULL)",
            "INSERT INTO t VALUES (1, '0000-00-00', '2024-00-00 00:00:00.000001', 0,"
            " '0000-00-00'), (2, '2024-01-00', '0000-00-00', 1901, NULL)",
        ),
    ),
    HardCase(
        "dates that only ALLOW_INVALID_DATES admits",
        (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE)",
            "INSERT INTO t VALUES (1, '2024-02-30'), (2, '2023-02-31')",
        ),
    ),
    HardCase(
        "such a date as the DEFAULT of a column",
        (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE t (id INT PRIMARY KEY, d DATE DEFAULT '2024-02-30')",
            "INSERT INTO t (id) VALUES (1)",
        ),
    ),
    HardCase(
        "BIT, SET, TIME, DECIMAL(65,30), BIGINT UNSIGNED as key",
        (
            "CREATE TABLE t (k BIGINT UNSIGNED PRIMARY KEY, b BIT(64), s SET('a','b c','d'),"
            " t TIME(6), n DECIMAL(65,30))",
            "INSERT INTO t VALUES (18446744073709551615, b'1', 'a,d', '-838:59:58.999999',"
            " -12345678901234567890123456789012345.5), (0, 18446744073709551615, '', 0, 0)",
        ),
    ),
    HardCase(
        "geometry with SRID",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, g GEOMETRY)",
            "INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326)),"
            " (2, ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0))'))",
        ),
    ),
    HardCase(
        "AUTO_INCREMENT with 0, and its counter",
        (
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
            "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
            "INSERT INTO t VALUES (0, 1), (500, 2)",
            "DELETE FROM t WHERE id = 500",
        ),
    ),
    HardCase(
        "partitions and subpartitions",
        (
            "CREATE TABLE t (id INT, d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d))"
            " SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION `p 1` VALUES LESS THAN (2020),"
            " PARTITION p2 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO t VALUES (5, '2019-01-01'), (1, '2021-01-01')",
        ),
    ),
    HardCase(
        "foreign keys in a ring, with an orphan",
        (
            "SET foreign_key_checks = 0",
            "CREATE TABLE a (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES b (id))",
            "CREATE TABLE b (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES a (id))",
            "INSERT INTO a VALUES (1, 2), (2, 77)",
            "INSERT INTO b VALUES (2, 1)",
        ),
    ),
    HardCase(
        "column named with comma and backtick, beside a generated one",
        (
            "CREATE TABLE t (`a,``b` INT, `select` INT AS (`a,``b` + 1), id INT PRIMARY KEY)",
            "INSERT INTO t (`a,``b`, id) VALUES (1, 2), (3, 4)",
        ),
    ),
    HardCase(
        "table named with quotes, newline, semicolon and comment marks",
        (
            "CREATE TABLE `we``ird\n;-- \"x\" 'y' ü/.` (id INT PRIMARY KEY)"
            " COMMENT = 'it''s; \\\\ -- '",
            "INSERT INTO `we``ird\n;-- \"x\" 'y' ü/.` VALUES (1)",
        ),
    ),
    HardCase(
        "key under a collation, composite key, no key",
        (
            "CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_unicode_ci PRIMARY KEY)",
            "INSERT INTO t VALUES ('a'), ('B'), ('ç'), ('Z')",
            "CREATE TABLE u (a INT, b VARBINARY(3), PRIMARY KEY (a, b))",
            "INSERT INTO u VALUES (1, X'00'), (1, X'FF'), (0, X'')",
            "CREATE TABLE v (a INT UNIQUE, b INT)",
            "INSERT INTO v VALUES (NULL, 1), (NULL, 1), (3, 2)",
        ),
    ),
    HardCase(
        "tables of MEMORY and MyISAM",
        (
            "CREATE TABLE m (id INT PRIMARY KEY) ENGINE = MEMORY",
            "INSERT INTO m VALUES (1), (2)",
            "CREATE TABLE y (t TEXT, FULLTEXT (t)) ENGINE = MyISAM",
            "INSERT INTO y VALUES ('b'), ('a')",
            "CREATE TABLE i (id INT PRIMARY KEY)",
            "INSERT INTO i VALUES (1)",
        ),
    ),
    HardCase(
        "view on views on a function",
        (
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "CREATE FUNCTION z (a INT) RETURNS INT DETERMINISTIC RETURN a + 1",
            "CREATE VIEW y AS SELECT z(id) AS i FROM t",
            "CREATE ALGORITHM = MERGE VIEW a AS SELECT i FROM y WHERE i > 0",
        ),
    ),
    HardCase(
        "view whose table is gone, beside others",
        (
            "CREATE TABLE t (a INT)",
            "CREATE TABLE gone (a INT)",
            "CREATE VIEW broken AS SELECT a FROM gone",
            "CREATE VIEW whole AS SELECT a FROM t",
            "DROP TABLE gone",
        ),
    ),
    HardCase(
        "sql_mode of trigger, routine and event",
        (
            "CREATE TABLE t (id INT)",
            "SET sql_mode = 'STRICT_TRANS_TABLES,PIPES_AS_CONCAT'",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @x = 'a' || NEW.id",
            "CREATE PROCEDURE p () SELECT 'a' || 'b'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 'a' || 'b'",
        ),
    ),
    HardCase(
        "function made under ANSI_QUOTES",
        (
            "SET sql_mode = 'ANSI_QUOTES'",
            'CREATE FUNCTION f () RETURNS INT DETERMINISTIC RETURN (SELECT 1 AS "one;two")',
            "SET sql_mode = ''",
            "CREATE PROCEDURE p () SELECT 1",
            "CREATE VIEW v AS SELECT 1 AS x",
        ),
    ),
    HardCase(
        "text of programs: comments, delimiters, other charsets",
        (
            "CREATE PROCEDURE p ()\nBEGIN -- a ;; b $$ //\n  # c\n"
            "  SELECT ';;', '\\\\', '//' /* d */;\nEND",
            "SET NAMES latin1",
            b"CREATE PROCEDURE q () SELECT '\xe9', _latin1 '\xfc'",
        ),
    ),
    HardCase(
        "triggers of one event, in their order",
        (
            "CREATE TABLE t (v INT)",
            "CREATE TRIGGER z BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1",
            "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW FOLLOWS z SET NEW.v = NEW.v * 2",
            "CREATE TRIGGER m BEFORE INSERT ON t FOR EACH ROW PRECEDES z SET @x = 1",
        ),
    ),
    HardCase(
        "time zone of an event",
        (
            "SET time_zone = '+05:00'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 10:00:00' DISABLE"
            " DO SET @z = 1",
            "SET time_zone = 'SYSTEM'",
            "CREATE EVENT f ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 10:00:00' DISABLE"
            " DO SET @z = 1",
        ),
    ),
)
