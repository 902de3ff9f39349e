"""Views."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "ALGORITHM, SQL SECURITY, CHECK OPTION, column list, DEFINER that does not exist",
        "view",
        (
            "CREATE TABLE base (a INT PRIMARY KEY, b VARCHAR(9))",
            "INSERT INTO base VALUES (1, 'x'), (2, 'y')",
            "CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW merged AS SELECT * FROM base"
            " WHERE a > 0 WITH LOCAL CHECK OPTION",
            "CREATE ALGORITHM = TEMPTABLE DEFINER = nobody@nowhere VIEW temporary (x, `y``z`) AS"
            " SELECT a, COUNT(*) FROM base GROUP BY a",
            "CREATE VIEW cascaded AS SELECT a FROM merged WHERE a < 9 WITH CASCADED CHECK OPTION",
        ),
        ("table base", "view merged", "view temporary", "view cascaded"),
    ),
    Case(
        "views on views and on functions, made in an order that names do not tell",
        "view",
        (
            "CREATE FUNCTION unit() RETURNS INT DETERMINISTIC RETURN 1",
            "CREATE VIEW z_first AS SELECT unit() AS n",
            "CREATE VIEW a_second AS SELECT n + unit() AS m FROM z_first",
            "CREATE VIEW m_third AS SELECT * FROM a_second JOIN z_first",
        ),
        ("function unit", "view z_first", "view a_second", "view m_third"),
    ),
    Case(
        "INTERSECT, EXCEPT, UNION, parentheses, LIMIT",
        "view with INTERSECT",
        (
            "CREATE VIEW intersected AS SELECT 1 AS a INTERSECT SELECT 2",
            "CREATE VIEW mixed AS (SELECT 1 AS a UNION ALL SELECT 2 LIMIT 1) EXCEPT SELECT 3"
            " INTERSECT SELECT 4 ORDER BY a LIMIT 5",
        ),
        ("view intersected", "view mixed"),
    ),
    Case(
        "common table expressions, windows, JSON_TABLE, LATERAL, literals of other charsets",
        "view",
        (
            "CREATE VIEW modern AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n"
            " WHERE n < 3) SELECT n, SUM(n) OVER w AS s, j.v FROM n JOIN JSON_TABLE('[1,2]', '$[*]'"
            " COLUMNS (v INT PATH '$')) AS j WINDOW w AS (ORDER BY n)",
            "CREATE VIEW literal AS SELECT _latin1 X'E9' AS a, _sjis X'955C' AS b, 'é\U0001f600' AS"
            " c, _binary X'00FF275C' AS d, 1.5e10 AS e, '\\\\''\"' AS f, DATE'2024-01-01' AS g,"
            " TIMESTAMP'2024-01-01 00:00:00' AS h, b'101' AS i, -0e0 AS j, 1.50 AS k",
            "CREATE VIEW laterals AS SELECT * FROM (SELECT 1 AS a) t JOIN LATERAL (SELECT t.a +"
            " 1 AS b)"
            " u",
        ),
        ("view modern", "view literal", "view laterals"),
    ),
    Case(
        "made under ANSI_QUOTES, PIPES_AS_CONCAT, HIGH_NOT_PRECEDENCE, IGNORE_SPACE",
        "view under another sql_mode",
        (
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE'",
            "CREATE VIEW piped AS SELECT 'a' || 'b' AS \"c d\", NOT 1 BETWEEN -5 AND 5 AS n,"
            " COUNT (*) AS k",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "CREATE VIEW backslashed AS SELECT 'a\\b' AS a, 'it''s\\' AS b",
        ),
        ("view piped", "view backslashed"),
    ),
    Case(
        "made by clients of other charsets: latin1, sjis, gbk, big5",
        "view under another charset",
        (
            "SET NAMES latin1",
            b"CREATE VIEW from_latin1 AS SELECT '\xe9' AS `\xe9`",
            "SET NAMES sjis",
            b"CREATE VIEW from_sjis AS SELECT '\x95\x5d\x83\x80' AS a",
            "SET NAMES gbk",
            b"CREATE VIEW from_gbk AS SELECT '\xd5\xfe' AS a",
            "SET NAMES big5",
            b"CREATE VIEW from_big5 AS SELECT '\xa5\x5d' AS a",
        ),
        ("view from_latin1", "view from_sjis", "view from_gbk", "view from_big5"),
    ),
    Case(
        "view on a table that is gone",
        "view that is broken",
        (
            "CREATE TABLE gone (a INT)",
            "CREATE VIEW broken AS SELECT a FROM gone",
            "DROP TABLE gone",
        ),
        ("view broken",),
    ),
)
