"""Dates and times."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "DATE and DATETIME: zero, partial and invalid ones, both ends",
        "DATE, DATETIME",
        (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE dates (id INT PRIMARY KEY, d DATE, t DATETIME, u DATETIME(6))",
            "INSERT INTO dates VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'),"
            " (2, '2024-00-00', '2024-05-00 01:02:03', '0000-01-01 00:00:00.000001'),"
            " (3, '2024-02-31', '2024-11-31 23:59:59', '2023-02-29 00:00:00.5'),"
            " (4, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999'),"
            " (5, '0001-01-01', '1000-01-01', '2024-02-29'), (6, NULL, NULL, NULL)",
        ),
        ("table dates",),
    ),
    Case(
        "DATE that only ALLOW_INVALID_DATES admits, as DEFAULT",
        "DATE, DATETIME",
        (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE invalid_default (id INT PRIMARY KEY, d DATE DEFAULT '2024-02-30',"
            " z DATE NOT NULL DEFAULT '0000-00-00', t DATETIME DEFAULT '2023-02-31 00:00:00',"
            " p TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00')",
            "INSERT INTO invalid_default (id) VALUES (1)",
        ),
        ("table invalid_default",),
    ),
    Case(
        "TIME: beyond a day, negative, with fractions; YEAR 0",
        "TIME, YEAR",
        (
            "CREATE TABLE times (t TIME, u TIME(6), v TIME(3), y YEAR)",
            "INSERT INTO times VALUES ('838:59:59', '-838:59:59.000000', '00:00:00.001', 0),"
            " ('-00:00:01', '-00:00:00.000001', '-12:00:00.5', 1901), ('0', '0', '0', 2155),"
            " (NULL, NULL, NULL, NULL)",
        ),
        ("table times",),
    ),
    Case(
        "TIMESTAMP: zero, both ends, the hours that summer time skips and repeats",
        "TIMESTAMP",
        (
            "CREATE TABLE stamps (id INT PRIMARY KEY, t TIMESTAMP NULL, u TIMESTAMP(6) NULL)",
            "INSERT INTO stamps VALUES (1, '0000-00-00', '0000-00-00'),"
            " (2, '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999'),"
            " (3, '2024-03-31 01:30:00', '2024-10-27 00:30:00.25'),"
            " (4, '2024-10-27 01:30:00', NULL)",
        ),
        ("table stamps",),
    ),
    Case(
        "ON UPDATE CURRENT_TIMESTAMP, DEFAULT CURRENT_TIMESTAMP with fractions",
        "TIMESTAMP",
        (
            "CREATE TABLE touched (id INT PRIMARY KEY, t TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3)"
            " ON UPDATE CURRENT_TIMESTAMP(3), u DATETIME DEFAULT NOW() ON UPDATE NOW())",
            "INSERT INTO touched VALUES (1, '2001-02-03 04:05:06.789', '2001-01-01')",
        ),
        ("table touched",),
    ),
    Case(
        "temporal columns as keys, with zero and invalid dates",
        "DATE, DATETIME",
        (
            "SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE temporal_key (d DATE, t TIME(2), s TIMESTAMP, y YEAR,"
            " PRIMARY KEY (d, t, s, y))",
            "INSERT INTO temporal_key VALUES ('0000-00-00', '-01:00:00', 0, 0),"
            " ('2024-02-30', '00:00:00.01', '2024-01-01', 2024),"
            " ('2024-03-01', '100:00:00', '2024-01-01', 1999)",
        ),
        ("table temporal_key",),
    ),
)
