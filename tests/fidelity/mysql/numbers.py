"""Numbers."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "integers: both ends of each width, signed and unsigned, ZEROFILL",
        "TINYINT ... BIGINT",
        (
            "CREATE TABLE integers (a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT,"
            " f TINYINT UNSIGNED, g SMALLINT UNSIGNED, h MEDIUMINT UNSIGNED, i INT UNSIGNED,"
            " j BIGINT UNSIGNED, k INT(5) ZEROFILL, l TINYINT(1))",
            "INSERT INTO integers VALUES (-128, -32768, -8388608, -2147483648,"
            " -9223372036854775808, 0, 0, 0, 0, 0, 7, 1), (127, 32767, 8388607, 2147483647,"
            " 9223372036854775807, 255, 65535, 16777215, 4294967295, 18446744073709551615,"
            " 4294967295, -5), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
            " NULL)",
        ),
        ("table integers",),
    ),
    Case(
        "FLOAT: values that print alike, -0, the smallest and the greatest",
        "FLOAT",
        (
            "CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT, g FLOAT(7,3), h FLOAT UNSIGNED)",
            "INSERT INTO floats (id, f) VALUES (1, 16777216), (2, 16777217), (3, 16777218),"
            " (4, '-0'), (5, 1.401298464324817e-45), (6, 3.4028234663852886e38), (7, 0.1),"
            " (8, 1.1754944e-38), (9, NULL)",
            "UPDATE floats SET g = f / 3, h = ABS(f) WHERE id IN (1, 4, 7)",
        ),
        ("table floats",),
    ),
    Case(
        "DOUBLE: -0, the smallest and the greatest, DOUBLE(M,D)",
        "DOUBLE",
        (
            "CREATE TABLE doubles (id INT PRIMARY KEY, d DOUBLE, e DOUBLE(10,3))",
            "INSERT INTO doubles VALUES (1, '-0', '-0'), (2, 4.9e-324, 0.0005),"
            " (3, 1.7976931348623157e308, 1234567.891), (4, 0.1, 0.1), (5, 1e22, 1),"
            " (6, 9007199254740993, -0.001), (7, 2.2250738585072014e-308, NULL)",
        ),
        ("table doubles",),
    ),
    Case(
        "FLOAT and DOUBLE as key",
        "FLOAT",
        (
            "CREATE TABLE float_key (f FLOAT PRIMARY KEY, x INT)",
            "INSERT INTO float_key VALUES (16777216, 1), (16777218, 2), (0.1, 3), ('-0', 4),"
            " (1.401298464324817e-45, 5)",
            "CREATE TABLE double_key (d DOUBLE, e FLOAT, PRIMARY KEY (d, e))",
            "INSERT INTO double_key VALUES ('-0', '-0'), (0.1, 0.1), (1e308, 1e38)",
        ),
        ("table float_key", "table double_key"),
    ),
    Case(
        "DECIMAL: 65 digits, 30 of them behind the point; unsigned; no digits in front",
        "DECIMAL",
        (
            "CREATE TABLE decimals (a DECIMAL(65,30), b DECIMAL(65,0), c DECIMAL(30,30),"
            " d DECIMAL(5,2) UNSIGNED ZEROFILL, e DECIMAL)",
            "INSERT INTO decimals VALUES"
            " (-99999999999999999999999999999999999.999999999999999999999999999999,"
            " 99999999999999999999999999999999999999999999999999999999999999999,"
            " 0.000000000000000000000000000001, 7.5, -1), (0, 0, 0, 0, 0),"
            " ('-0', '-0', '-0', 0, 0)",
        ),
        ("table decimals",),
    ),
    Case(
        "DECIMAL and BIGINT UNSIGNED beyond 2^63 as key",
        "DECIMAL",
        (
            "CREATE TABLE decimal_key (d DECIMAL(40,10) PRIMARY KEY)",
            "INSERT INTO decimal_key VALUES (-123456789012345678901234567890.5), (0), (0.1),"
            " (-0.1)",
            "CREATE TABLE unsigned_key (u BIGINT UNSIGNED PRIMARY KEY)",
            "INSERT INTO unsigned_key VALUES (0), (9223372036854775807), (9223372036854775808),"
            " (18446744073709551615)",
        ),
        ("table decimal_key", "table unsigned_key"),
    ),
    Case(
        "BIT: every width of bytes, and as key",
        "BIT",
        (
            "CREATE TABLE bits (id INT PRIMARY KEY, a BIT, b BIT(7), c BIT(8), d BIT(9),"
            " e BIT(64))",
            "INSERT INTO bits VALUES (1, b'1', b'1010101', b'11111111', b'100000000', ~0),"
            " (2, 0, 0, 0, 0, 0), (3, NULL, NULL, NULL, NULL, 0x2700275C0A0D001A)",
            "CREATE TABLE bit_key (b BIT(10) PRIMARY KEY)",
            "INSERT INTO bit_key VALUES (0), (1), (255), (256), (1023)",
        ),
        ("table bits", "table bit_key"),
    ),
    Case(
        "VECTOR: floats of every kind, and vectors of unlike lengths",
        "VECTOR",
        (
            "CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(4), w VECTOR(2048))",
            "INSERT INTO vectors VALUES (1, TO_VECTOR('[1,-0.5,1e38,0.1]'), NULL),"
            " (2, TO_VECTOR('[7]'), TO_VECTOR('[0.1,0.2]')),"
            " (3, X'275C0A0D0000008001000000', NULL)",
        ),
        ("table vectors",),
    ),
)
