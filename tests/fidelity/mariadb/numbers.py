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
        "FLOAT: values that print alike, the smallest and the greatest",
        "FLOAT",
        (
            "CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT)",
            "INSERT INTO floats VALUES (1, 16777216), (2, 16777217), (3, 16777218), (4, '-0'),"
            " (5, 1.401298464324817e-45), (6, 3.4028234663852886e38), (7, 0.1), (8, 1.1754944e-38)",
        ),
        ("table floats",),
    ),
)
