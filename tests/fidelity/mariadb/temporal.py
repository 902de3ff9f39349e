"""Dates and times, also those that no calendar has."""

from __future__ import annotations

from fidelity.case import Case, Kept

_ANY_DATE = "SET sql_mode = 'ALLOW_INVALID_DATES'"

CASES = (
    Case(
        "DATE: zero, partial, impossible, both ends",
        "DATE",
        (
            _ANY_DATE,
            "CREATE TABLE dates (id INT PRIMARY KEY, d DATE)",
            "INSERT INTO dates VALUES (1, '0000-00-00'), (2, '2024-00-00'), (3, '2024-05-00'),"
            " (4, '2024-02-30'), (5, '9999-12-31'), (6, '1000-01-01'), (7, '0001-01-01'),"
            " (8, NULL), (9, '0000-01-00')",
        ),
        ("table dates",),
    ),
    Case(
        "DATETIME: zero, partial, impossible, every number of decimals",
        "DATETIME",
        (
            _ANY_DATE,
            "CREATE TABLE datetimes (a DATETIME, b DATETIME(1), c DATETIME(3), d DATETIME(6))",
            "INSERT INTO datetimes VALUES ('0000-00-00', '2024-00-00 10:00:00.1',"
            " '2024-02-31 23:59:59.999', '9999-12-31 23:59:59.999999'),"
            " ('9999-12-31 23:59:59', '0000-00-00', '2024-05-00', '0000-00-00 00:00:00.000001'),"
            " (NULL, NULL, NULL, NULL)",
        ),
        ("table datetimes",),
    ),
    Case(
        "TIMESTAMP: zero, both ends, the hour that daylight saving skips and the one it repeats",
        "TIMESTAMP",
        (
            "CREATE TABLE timestamps (id INT PRIMARY KEY, a TIMESTAMP NULL, b TIMESTAMP(6) NULL)",
            "INSERT INTO timestamps VALUES (1, 0, 0),"
            " (2, '1970-01-01 00:00:01', '1970-01-01 00:00:00.000001'),"
            " (3, '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999'),"
            " (4, '2024-03-31 01:30:00', '2024-10-27 00:30:00.5'),"
            " (5, '2024-10-27 01:30:00', '2024-10-27 01:30:00.25'), (6, NULL, NULL)",
        ),
        ("table timestamps",),
    ),
    Case(
        "TIMESTAMP with every kind of default, and with none",
        "TIMESTAMP",
        (
            "SET explicit_defaults_for_timestamp = 0",
            "CREATE TABLE implicit_stamps (a TIMESTAMP, b TIMESTAMP, c TIMESTAMP DEFAULT 0)",
            "INSERT INTO implicit_stamps VALUES ('2024-01-01', '2024-01-02', '2024-01-03')",
            "SET explicit_defaults_for_timestamp = 1",
            "CREATE TABLE explicit_stamps (a TIMESTAMP, b TIMESTAMP NOT NULL, c TIMESTAMP(3) NOT"
            " NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), d TIMESTAMP NULL"
            " DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP)",
            "INSERT INTO explicit_stamps"
            " VALUES (NULL, '2024-01-02', '2024-01-03 00:00:00.5', NULL)",
        ),
        ("table implicit_stamps", "table explicit_stamps"),
    ),
    Case(
        "TIME: beyond a day, negative, one microsecond",
        "TIME",
        (
            "CREATE TABLE times (a TIME, b TIME(2), c TIME(6))",
            "INSERT INTO times VALUES ('-838:59:59', '838:59:59.99', '-838:59:59.999999'),"
            " ('00:00:00', '-00:00:00.01', '-00:00:00.000001'), (NULL, NULL, '838:59:59.999999')",
        ),
        ("table times",),
    ),
    Case(
        "YEAR: zero and both ends",
        "YEAR",
        (
            "CREATE TABLE years (a YEAR, b YEAR(2))",
            "INSERT INTO years VALUES (0, 0), (1901, 70), (2155, 69), (NULL, NULL)",
        ),
        ("table years",),
    ),
    Case(
        "dates that no calendar has as a column's DEFAULT",
        "DATE as a DEFAULT",
        (
            _ANY_DATE,
            "CREATE TABLE date_defaults (id INT PRIMARY KEY, a DATE DEFAULT '0000-00-00',"
            " b DATE DEFAULT '2024-02-30', c DATETIME(3) DEFAULT '2024-00-00 00:00:00.5',"
            " d TIMESTAMP DEFAULT '0000-00-00 00:00:00', e TIME DEFAULT '-838:59:59',"
            " f YEAR DEFAULT 0, g DATETIME DEFAULT '9999-12-31 23:59:59')",
            "INSERT INTO date_defaults (id) VALUES (1)",
        ),
        ("table date_defaults",),
    ),
    Case(
        "temporal keys, also with zero and impossible dates",
        "temporal key",
        (
            _ANY_DATE,
            "CREATE TABLE temporal_key (d DATE, t TIME(3), s DATETIME(6), y YEAR,"
            " PRIMARY KEY (d, t, s, y))",
            "INSERT INTO temporal_key VALUES ('0000-00-00', '-01:00:00', '0000-00-00', 0),"
            " ('2024-02-30', '00:00:00.001', '2024-02-31', 1999),"
            " ('2024-02-30', '00:00:00.001', '2024-02-30 00:00:00.000001', 1999)",
            "CREATE TABLE stamp_key (s TIMESTAMP(6) DEFAULT '0000-00-00 00:00:00' PRIMARY KEY)",
            "INSERT INTO stamp_key VALUES (0), ('2024-10-27 01:30:00.000001'),"
            " ('1970-01-01 00:00:01')",
        ),
        ("table temporal_key", "table stamp_key"),
    ),
    Case(
        "values written while the session was in another time zone",
        "TIMESTAMP",
        (
            "CREATE TABLE zoned (id INT PRIMARY KEY, s TIMESTAMP, d DATETIME DEFAULT"
            " CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
            "SET time_zone = '+05:45'",
            "INSERT INTO zoned VALUES (1, '2024-03-31 02:30:00', '2024-03-31 02:30:00')",
        ),
        ("table zoned",),
    ),
    Case(
        "old and new storage of temporals",
        "TIME, DATETIME, TIMESTAMP in the old format",
        (
            "SET GLOBAL mysql56_temporal_format = OFF",
            "CREATE TABLE old_temporals (a TIME(3), b DATETIME(3), c TIMESTAMP(3) NULL)",
            "SET GLOBAL mysql56_temporal_format = ON",
            "INSERT INTO old_temporals VALUES ('-10:00:00.5', '2024-01-01 00:00:00.125',"
            " '2024-01-01 00:00:00.125')",
        ),
        ("table old_temporals",),
        Kept("stored in the format that the target uses", changes=("table old_temporals",)),
    ),
)
