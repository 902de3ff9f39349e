"""JSON, of which MySQL keeps a type for each member."""

from __future__ import annotations

from fidelity.case import Case, Named


def _untold(name: str, what: str, value: str, at_restore: str = "") -> Case:
    return Case(
        f"JSON: {what}",
        "JSON with members that came from SQL values",
        (
            f"CREATE TABLE {name} (id INT PRIMARY KEY, j JSON)",
            f"INSERT INTO {name} VALUES (1, JSON_OBJECT('a', JSON_ARRAY({value}))), (2, '[1.5]')",
        ),
        (f"table {name}",),
        Named(
            rf"json\.{name}: JSON column j holds members in 1 row .* such as \(id=1\)",
            "the text is kept; DECIMAL, DATE, TIME, DATETIME, BLOB members and integers of the "
            "other signedness become the plain numbers and strings that they read as",
            loses=(f"rows {name}",),
            at_restore=at_restore,
        ),
    )


CASES = (
    Case(
        "JSON: every type that text tells, nested, empty, with odd keys",
        "JSON",
        (
            "CREATE TABLE documents (id INT PRIMARY KEY, j JSON)",
            "INSERT INTO documents VALUES (1, NULL), (2, 'null'), (3, 'true'), (4, '0'),"
            " (5, '-9223372036854775808'), (6, '18446744073709551615'), (7, '4294967296'),"
            " (8, '1.0'), (9, '-0.0'), (10, '5e-324'), (11, '1.7976931348623157e308'),"
            " (12, '\"\"'), (13, '[]'), (14, '{}'), (15, '[[], {}, [[1, [2.5]]]]'),"
            ' (16, \'{"": 1, "a b": [null], "é": "\\\\u0000\\\\ud83d\\\\ude00"}\'),'
            ' (17, \'{"\\\\"": "\\\\\\\\"}\'),'
            " (22, '[1e20, 100000000000000000000, 0.1]'), (18, '4294967295'),"
            " (19, CONCAT('[', REPEAT('[', 98), REPEAT(']', 98), ']'))",
            "INSERT INTO documents VALUES (20, JSON_OBJECT('b', TRUE, 'c', NULL, 'i', -5,"
            " 'd', 2.5e0, 's', 'text', 'u', 18446744073709551615))",
            "INSERT INTO documents SELECT 21, JSON_OBJECT('long', REPEAT('x', 70000), 'k', 1)",
        ),
        ("table documents",),
    ),
    Case(
        "JSON: DEFAULT, CHECK, generated column and multi-valued index on it",
        "JSON",
        (
            "CREATE TABLE document_rules (id INT PRIMARY KEY, j JSON NOT NULL"
            " DEFAULT (JSON_OBJECT('a', 1)), CHECK (JSON_VALID(j)),"
            " g VARCHAR(9) AS (j->>'$.a') STORED, KEY (g),"
            " KEY m ((CAST(j->'$.t' AS UNSIGNED ARRAY))))",
            'INSERT INTO document_rules (id, j) VALUES (1, \'{"a": "x", "t": [1, 2]}\')',
            "INSERT INTO document_rules (id) VALUES (2)",
        ),
        ("table document_rules",),
    ),
    _untold("decimals", "DECIMAL whose text is not that of a double", "1.50", r"json\.decimals"),
    _untold("like_doubles", "DECIMAL that reads like a double", "12345.75"),
    _untold("like_integers", "DECIMAL that reads like an integer", "CAST(7 AS DECIMAL(3, 0))"),
    _untold(
        "wide_decimals",
        "DECIMAL of more digits than a double has",
        "12345678901234567890.12345",
        r"json\.wide_decimals",
    ),
    _untold("unsigned_integers", "UNSIGNED INTEGER that fits into INTEGER", "CAST(1 AS UNSIGNED)"),
    _untold("signed_integers", "INTEGER that a parser takes for unsigned", "4294967296"),
    _untold("dates", "DATE", "DATE'2024-02-29'"),
    _untold("times", "TIME", "TIME'-838:59:59'"),
    _untold("datetimes", "DATETIME", "TIMESTAMP'2024-02-29 12:34:56.789'"),
    _untold("blobs", "BLOB", "X'00FF'"),
    _untold("years", "YEAR", "CAST(2024 AS YEAR)"),
    Case(
        "JSON: DECIMAL at the top, in a table without a key",
        "JSON with members that came from SQL values",
        (
            "CREATE TABLE keyless (j JSON, k JSON)",
            "INSERT INTO keyless VALUES (CAST(1.5 AS JSON), '1'), ('1', '2'), ('1', '2')",
        ),
        ("table keyless",),
        Named(
            r"json\.keyless: JSON column j holds members in 1 row whose .*\(DECIMAL\)\.",
            "the text is kept; DECIMAL, DATE, TIME, DATETIME, BLOB members and integers of the "
            "other signedness become the plain numbers and strings that they read as",
            loses=("rows keyless",),
        ),
    ),
)
