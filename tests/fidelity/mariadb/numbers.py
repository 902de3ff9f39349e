"""Numbers of every width."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "integers: both ends of each width, signed and unsigned",
        "TINYINT ... BIGINT",
        (
            "CREATE TABLE integers (a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT,"
            " f TINYINT UNSIGNED, g SMALLINT UNSIGNED, h MEDIUMINT UNSIGNED, i INT UNSIGNED,"
            " j BIGINT UNSIGNED)",
            "INSERT INTO integers VALUES (-128, -32768, -8388608, -2147483648,"
            " -9223372036854775808, 0, 0, 0, 0, 0), (127, 32767, 8388607, 2147483647,"
            " 9223372036854775807, 255, 65535, 16777215, 4294967295, 18446744073709551615),"
            " (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        ),
        ("table integers",),
    ),
    Case(
        "display widths and leading zeros",
        "ZEROFILL, BOOLEAN",
        (
            "CREATE TABLE widths (a TINYINT(1), b BOOLEAN, c INT(3) ZEROFILL, d BIGINT(20)"
            " ZEROFILL, e DECIMAL(9,3) ZEROFILL, f DOUBLE ZEROFILL, g FLOAT ZEROFILL,"
            " h SMALLINT(2), i YEAR(4))",
            "INSERT INTO widths VALUES (9, TRUE, 7, 42, 1.5, 1.5, 1.5, 12345, 1999),"
            " (-1, FALSE, 99999, 18446744073709551615, 0, 0, 0.1, -1, 0)",
        ),
        ("table widths",),
    ),
    Case(
        "FLOAT: values that print alike, the smallest and the greatest, -0",
        "FLOAT",
        (
            "CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT)",
            "INSERT INTO floats VALUES (1, 16777216), (2, 16777217), (3, 16777218), (4, '-0'),"
            " (5, 1.401298464324817e-45), (6, 3.4028234663852886e38), (7, 0.1), (8, 1.1754944e-38),"
            " (9, -1.401298464324817e-45), (10, -3.4028234663852886e38), (11, NULL)",
        ),
        ("table floats",),
    ),
    Case(
        "FLOAT: 20,000 random values",
        "FLOAT",
        (
            "CREATE TABLE random_floats (id INT PRIMARY KEY, f FLOAT NOT NULL, d DOUBLE NOT NULL)",
            "INSERT INTO random_floats SELECT seq,"
            " (RAND(seq) - 0.5) * POW(10, CAST(seq % 76 AS SIGNED) - 38),"
            " (RAND(seq + 7) - 0.5) * POW(10, CAST(seq % 600 AS SIGNED) - 300) FROM seq_1_to_20000",
        ),
        ("table random_floats",),
    ),
    Case(
        "DOUBLE: the smallest, the greatest, -0, 17 digits",
        "DOUBLE",
        (
            "CREATE TABLE doubles (id INT PRIMARY KEY, d DOUBLE)",
            "INSERT INTO doubles VALUES (1, '-0'), (2, 4.9406564584124654e-324),"
            " (3, 1.7976931348623157e308), (4, 0.1), (5, 2.2250738585072014e-308),"
            " (6, -1.7976931348623157e308), (7, 0.30000000000000004), (8, 9007199254740993)",
        ),
        ("table doubles",),
    ),
    Case(
        "FLOAT(M,D), DOUBLE(M,D), UNSIGNED: more digits than are shown",
        "FLOAT(M,D), DOUBLE(M,D)",
        (
            "CREATE TABLE shown_digits (a FLOAT(7,2), b DOUBLE(20,5), c FLOAT UNSIGNED,"
            " d DOUBLE UNSIGNED, e FLOAT(53), f FLOAT(24), g REAL, h DOUBLE PRECISION)",
            "INSERT INTO shown_digits VALUES (12345.67, 123456789012.12345, 0.1, 0.1, 0.1, 0.1,"
            " 1e-300, 1e300), (0.01, -0.00001, 1e38, 1e308, 1e-308, 1e-38, 3, 4)",
        ),
        ("table shown_digits",),
    ),
    Case(
        "FLOAT and DOUBLE as primary keys",
        "FLOAT as a key",
        (
            "CREATE TABLE float_key (f FLOAT PRIMARY KEY, n INT)",
            "INSERT INTO float_key VALUES (16777216, 1), (16777218, 2), (-0.5, 3), (1e-45, 4),"
            " (3.4028234663852886e38, 5), (0.1, 6)",
            "CREATE TABLE double_key (d DOUBLE, f FLOAT, PRIMARY KEY (d, f))",
            "INSERT INTO double_key VALUES (0.1, 0.1), (0.1, 0.2), (5e-324, 1), (-1e308, 0)",
        ),
        ("table float_key", "table double_key"),
    ),
    Case(
        "DECIMAL: all 65 digits, 38 decimals, every sign",
        "DECIMAL",
        (
            "CREATE TABLE decimals (a DECIMAL(65,30), b DECIMAL(65,0), c DECIMAL(38,38),"
            " d DECIMAL(1,0) UNSIGNED, e NUMERIC(10,2), f DECIMAL)",
            f"INSERT INTO decimals VALUES ({'9' * 35}.{'9' * 30}, -{'9' * 65}, 0.{'9' * 38}, 9,"
            f" -0.01, 1), (-{'1234567890' * 3}12345.{'0' * 29}1, 0, -0.{'0' * 37}1, 0, 0, -1)",
        ),
        ("table decimals",),
    ),
    Case(
        "BIT of every width",
        "BIT",
        (
            "CREATE TABLE bits (a BIT, b BIT(7), c BIT(8), d BIT(9), e BIT(63), f BIT(64), g BIT(5)"
            " NOT NULL DEFAULT b'10101')",
            "INSERT INTO bits VALUES (1, 127, 255, 511, POW(2,62), 18446744073709551615, 0),"
            " (0, 0, 0, 256, 1, 9223372036854775808, 1), (NULL, NULL, NULL, NULL, NULL, NULL, 2)",
            "CREATE TABLE bit_key (b BIT(20) PRIMARY KEY)",
            "INSERT INTO bit_key SELECT seq * 37 FROM seq_1_to_1000",
        ),
        ("table bits", "table bit_key"),
    ),
    Case(
        "AUTO_INCREMENT: a row with zero, a counter ahead of the rows",
        "AUTO_INCREMENT",
        (
            "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
            "CREATE TABLE zero_id (id INT PRIMARY KEY AUTO_INCREMENT)",
            "INSERT INTO zero_id VALUES (0), (-3), (500)",
            "DELETE FROM zero_id WHERE id = 500",
            "CREATE TABLE counter_only (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT)"
            " AUTO_INCREMENT = 18446744073709551614",
            "CREATE TABLE counter_second (a INT, id SMALLINT AUTO_INCREMENT, PRIMARY KEY (a, id),"
            " KEY (id)) AUTO_INCREMENT = 77",
            "CREATE TABLE counter_full (id TINYINT PRIMARY KEY AUTO_INCREMENT)",
            "INSERT INTO counter_full VALUES (127)",
            "CREATE TABLE counter_float (id FLOAT PRIMARY KEY AUTO_INCREMENT)",
            "INSERT INTO counter_float VALUES (0), (7.5)",
        ),
        (
            "table zero_id",
            "table counter_only",
            "table counter_second",
            "table counter_full",
            "table counter_float",
        ),
    ),
    Case(
        "AUTO_INCREMENT of engines without transactions, per group",
        "AUTO_INCREMENT",
        (
            "CREATE TABLE counter_grouped (g INT, id INT AUTO_INCREMENT, PRIMARY KEY (g, id))"
            " ENGINE = MyISAM",
            "INSERT INTO counter_grouped (g) VALUES (1), (1), (2), (1)",
            "CREATE TABLE counter_aria (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE = Aria"
            " AUTO_INCREMENT = 55",
            "INSERT INTO counter_aria VALUES (NULL)",
            "DELETE FROM counter_aria",
        ),
        ("table counter_grouped", "table counter_aria"),
    ),
)
