"""Views."""

from __future__ import annotations

from fidelity.case import Case

_BASE = (
    "CREATE TABLE IF NOT EXISTS base (id INT PRIMARY KEY, t VARCHAR(20), n DECIMAL(9,2))",
    "INSERT IGNORE INTO base VALUES (1, 'x', 1.5), (2, NULL, -1)",
)

CASES = (
    Case(
        "algorithm, security, check option, column names, definer",
        "VIEW",
        (
            *_BASE,
            "CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW merged (a, `b;``'`) AS SELECT id, t"
            " FROM base WHERE id > 0 WITH CASCADED CHECK OPTION",
            "CREATE ALGORITHM = TEMPTABLE VIEW temporary_table AS SELECT COUNT(*) AS c FROM base",
            "CREATE DEFINER = nobody@nowhere VIEW by_nobody AS SELECT id FROM base"
            " WITH LOCAL CHECK OPTION",
            "CREATE VIEW without_table AS SELECT 1 AS one, 'it''s \\\\ x' AS text, NULL AS nothing",
        ),
        (
            "table base",
            "view merged",
            "view temporary_table",
            "view by_nobody",
            "view without_table",
        ),
    ),
    Case(
        "views on views on functions, made in an order that their names do not tell",
        "view on views and functions",
        (
            "CREATE FUNCTION doubled(a INT) RETURNS INT DETERMINISTIC RETURN a * 2",
            "CREATE VIEW z_first AS SELECT id, doubled(id) AS d FROM base",
            "CREATE VIEW m_second AS SELECT d FROM z_first WHERE doubled(d) > 0",
            "CREATE VIEW a_third AS SELECT m.d, z.id FROM m_second m JOIN z_first z ON m.d = z.d",
            "CREATE FUNCTION reads_view() RETURNS INT READS SQL DATA"
            " RETURN (SELECT COUNT(*) FROM a_third)",
            "CREATE VIEW over_function AS SELECT reads_view() AS n",
        ),
        (
            "function doubled",
            "view z_first",
            "view m_second",
            "view a_third",
            "function reads_view",
            "view over_function",
        ),
    ),
    Case(
        "common tables, windows, unions, INTERSECT, EXCEPT, VALUES, subqueries, JSON_TABLE",
        "text of a view",
        (
            "CREATE VIEW recursive_table AS WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n"
            " + 1"
            " FROM r WHERE n < 5) SELECT n FROM r",
            "CREATE VIEW windowed AS SELECT id, SUM(n) OVER (PARTITION BY t ORDER BY id ROWS"
            " BETWEEN"
            " 1 PRECEDING AND CURRENT ROW) AS s FROM base",
            "CREATE VIEW united AS (SELECT id FROM base UNION SELECT 7 ORDER BY 1 LIMIT 3)"
            " INTERSECT SELECT 1 EXCEPT ALL SELECT 9",
            "CREATE VIEW subqueries AS SELECT (SELECT MAX(id) FROM base b2 WHERE b2.id <= b.id)"
            " AS m"
            " FROM (SELECT * FROM base) b WHERE EXISTS (SELECT 1 FROM base WHERE t LIKE 'x\\_%')",
            "CREATE VIEW from_json AS SELECT j.x FROM JSON_TABLE('[{\"a\":1}]', '$[*]' COLUMNS (x"
            " INT"
            " PATH '$.a' DEFAULT '0' ON EMPTY)) j",
            "CREATE VIEW from_values AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v",
            "CREATE VIEW over_history AS SELECT * FROM history.implicit FOR SYSTEM_TIME ALL",
            "CREATE VIEW calls_sequence AS SELECT NEXTVAL(sequences.used) AS n",
        ),
        tuple(
            f"view {name}"
            for name in (
                "recursive_table",
                "windowed",
                "united",
                "subqueries",
                "from_json",
                "from_values",
                "over_history",
                "calls_sequence",
            )
        ),
    ),
    Case(
        "views made under other charsets and sql_modes",
        "session of a view",
        (
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
            'CREATE VIEW ansi AS SELECT "t" || \'a\\\' AS "q" FROM "base"',
            "SET sql_mode = ''",
            "SET NAMES latin1",
            "CREATE VIEW `v\xe9` AS SELECT '\xe9' AS `\xfc`".encode("latin1"),
            "SET NAMES sjis COLLATE sjis_bin",
            b"CREATE VIEW in_sjis AS SELECT '\x83\x5c' AS x, '\x83\x5c' = t AS y FROM base",
        ),
        ("view ansi", "view v\u00e9", "view in_sjis"),
    ),
    Case(
        "views on tables, columns and functions that are gone, and views on those",
        "view that is broken",
        (
            "CREATE TABLE gone (a INT, `b``c` VARCHAR(9), d DATE)",
            "CREATE TABLE poorer (a INT, b INT)",
            "CREATE FUNCTION gone_function(a INT, b TEXT) RETURNS INT RETURN 1",
            "CREATE VIEW on_gone AS SELECT a, g.`b``c`, YEAR(g.d) AS y FROM gone g WHERE a > 'x'",
            "CREATE VIEW a_view_on_it AS SELECT y + 1 AS z FROM on_gone JOIN base ON base.id = y",
            "CREATE VIEW on_column AS SELECT poorer.a, b FROM poorer",
            "CREATE VIEW on_function AS SELECT gone_function(id, CONCAT(t, ',(')) AS f FROM base",
            "CREATE VIEW grouped AS SELECT COUNT(*) AS c, d FROM gone GROUP BY d HAVING c > 1",
            "DROP TABLE gone",
            "ALTER TABLE poorer DROP COLUMN b",
            "DROP FUNCTION gone_function",
        ),
        (
            "table poorer",
            "view on_gone",
            "view a_view_on_it",
            "view on_column",
            "view on_function",
            "view grouped",
        ),
    ),
)
