"""Hard cases that MariaDB alone has."""

from __future__ import annotations

from benchmarks.fidelity.case import HardCase

CASES = (
    HardCase(
        "UUID, INET4, INET6",
        (
            "CREATE TABLE t (u UUID PRIMARY KEY, a INET4, b INET6)",
            "INSERT INTO t VALUES ('00112233-4455-6677-8899-AABBCCDDEEFF', '1.2.3.4', '::1'),"
            " ('ffffffff-0000-1000-8000-000000000001', NULL, 'fe80::1')",
        ),
    ),
    HardCase(
        "history of a system-versioned table",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
            "INSERT INTO t VALUES (1, 1), (2, 1)",
            "UPDATE t SET v = 2 WHERE id = 1",
            "DELETE FROM t WHERE id = 2",
        ),
    ),
    HardCase(
        "rows that violate their own CHECK",
        (
            "CREATE TABLE t (a INT, CHECK (a > 0))",
            "SET check_constraint_checks = 0",
            "INSERT INTO t VALUES (-1), (1)",
        ),
    ),
    HardCase(
        "SEQUENCE, and a column that defaults to it",
        (
            "CREATE SEQUENCE s START WITH 10 INCREMENT BY -1 MINVALUE -5 MAXVALUE 10 CYCLE",
            "DO NEXTVAL(s)",
            "CREATE TABLE t (id INT PRIMARY KEY DEFAULT NEXTVAL(s), v INT)",
            "INSERT INTO t (v) VALUES (1), (2)",
        ),
    ),
    HardCase(
        "REF_SYSTEM_ID of a geometry column",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, g GEOMETRY REF_SYSTEM_ID = 4326)",
            "INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326))",
        ),
    ),
    HardCase(
        "COMPRESSED columns",
        (
            "CREATE TABLE t (id INT PRIMARY KEY, t TEXT COMPRESSED, b BLOB COMPRESSED)",
            "INSERT INTO t VALUES (1, REPEAT('abc', 5000), REPEAT('z', 9999))",
        ),
    ),
    HardCase(
        "PACKAGE in Oracle mode",
        (
            "SET sql_mode = ORACLE",
            "CREATE PACKAGE k AS FUNCTION f RETURN INT; END",
            "CREATE PACKAGE BODY k AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END",
        ),
    ),
)
