"""Keys of every type, and tables without one."""

from __future__ import annotations

from fidelity.case import Case

COLLATIONS = (
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_0900_bin",
    "utf8mb4_bin",
    "utf8mb4_ja_0900_as_cs",
    "utf8mb4_zh_0900_as_cs",
    "utf8mb4_de_pb_0900_ai_ci",
    "utf8mb4_general_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb3_general_ci",
    "latin1_german2_ci",
    "latin1_bin",
    "cp932_japanese_ci",
    "gbk_chinese_ci",
    "ucs2_general_ci",
    "utf32_unicode_ci",
)

CASES = (
    *(
        Case(
            f"textual key under {collation}",
            "key: CHAR, VARCHAR under any collation",
            (
                f"CREATE TABLE k_{collation} (k VARCHAR(50) COLLATE {collation}, n INT,"
                " PRIMARY KEY (k, n))",
                f"INSERT INTO k_{collation} WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL"
                " SELECT n + 1 FROM n WHERE n < 300) SELECT CONCAT(ELT(n MOD 7 + 1, 'a', 'B',"
                " 'ab', 'z z', '',"
                " 'X', '_'), CHAR(n MOD 93 + 33 USING latin1)), n FROM n",
            ),
            (f"table k_{collation}",),
        )
        for collation in COLLATIONS
    ),
    Case(
        "accents, case, ignorable characters and trailing spaces in a key",
        "key: CHAR, VARCHAR under any collation",
        (
            "CREATE TABLE accents (k VARCHAR(50) COLLATE utf8mb4_0900_as_cs PRIMARY KEY)",
            "INSERT INTO accents VALUES ('a'), ('A'), ('á'), ('a '), (''), (' '), ('ß'), ('ss'),"
            " ('\U0001f600'), ('ﬁ'), ('ア'), ('あ'), ('%_\\\\''')",
            "CREATE TABLE padded (k CHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY)",
            "INSERT INTO padded VALUES ('a'), ('b '), (''), ('\\t')",
        ),
        ("table accents", "table padded"),
    ),
    Case(
        "binary key, with zeros at the end",
        "key: BINARY, VARBINARY",
        (
            "CREATE TABLE binary_key (k VARBINARY(9) PRIMARY KEY, b BINARY(2), UNIQUE (b))",
            "INSERT INTO binary_key VALUES ('', X'00'), (X'00', X'01'), (X'0000', X'0101'),"
            " (X'FF', X'FF'), (X'275C', X'275C')",
        ),
        ("table binary_key",),
    ),
    Case(
        "prefix key over TEXT and BLOB",
        "key: prefixes",
        (
            "CREATE TABLE prefix_key (t TEXT, b BLOB, PRIMARY KEY (t(3), b(2)))",
            "INSERT INTO prefix_key VALUES ('abcdef', X'0001FF'), ('abd', X''), ('', X'00'),"
            " ('ab', X'FFFF00')",
        ),
        ("table prefix_key",),
    ),
    Case(
        "composite key of mixed types, DESC parts, not in the order of the columns",
        "key: composite",
        (
            "CREATE TABLE composite (a INT, b VARCHAR(9), c DATE, d DECIMAL(5,2), x INT,"
            " PRIMARY KEY (c DESC, b, d DESC, a))",
            "INSERT INTO composite VALUES (1, 'x', '2024-01-01', 1.5, 0),"
            " (2, 'x', '2024-01-01', 1.5, 0), (1, 'y', '2023-01-01', -1, NULL),"
            " (1, 'x', '2024-01-01', 2.5, 0)",
        ),
        ("table composite",),
    ),
    Case(
        "no key: equal rows, in the order of insertion",
        "no key",
        (
            "CREATE TABLE keyless (a INT, b VARCHAR(9), KEY (a))",
            "INSERT INTO keyless VALUES (3, 'x'), (1, 'y'), (3, 'x'), (NULL, NULL), (NULL, NULL)",
        ),
        ("table keyless",),
    ),
    Case(
        "UNIQUE with NULLs is no key; UNIQUE NOT NULL is one",
        "no key",
        (
            "CREATE TABLE null_unique (a INT UNIQUE, b INT)",
            "INSERT INTO null_unique VALUES (NULL, 1), (NULL, 1), (2, 1)",
            "CREATE TABLE unique_key (a INT NOT NULL, b VARCHAR(9), UNIQUE KEY z (a))",
            "INSERT INTO unique_key VALUES (5, 'e'), (1, 'a')",
        ),
        ("table null_unique", "table unique_key"),
    ),
    Case(
        "indexes: functional, multi-valued, DESC, invisible, prefix, UNIQUE on an expression",
        "indexes",
        (
            "CREATE TABLE indexes (id INT PRIMARY KEY, a VARCHAR(99), j JSON, b INT,"
            " KEY f ((UPPER(a))), UNIQUE KEY u ((b + 1)), KEY m ((CAST(j AS CHAR(9) ARRAY))),"
            " KEY d (a DESC, b ASC), KEY i (b) INVISIBLE, KEY p (a(5)), KEY `odd,``name` (b, a),"
            " KEY c ((CAST(a AS CHAR(9) CHARACTER SET latin1) COLLATE latin1_bin)))",
            "INSERT INTO indexes VALUES (1, 'x', '[\"a\", \"b\"]', 1), (2, 'é', NULL, 2)",
        ),
        ("table indexes",),
    ),
    Case(
        "FULLTEXT, also WITH PARSER ngram and with FTS_DOC_ID; SPATIAL",
        "indexes",
        (
            "CREATE TABLE fulltexts (FTS_DOC_ID BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"
            " PRIMARY KEY, t TEXT, u TEXT, FULLTEXT KEY f (t), FULLTEXT KEY g (t, u) WITH PARSER"
            " ngram)",
            "INSERT INTO fulltexts (t, u) VALUES ('one two', 'three'), ('日本語', '中文')",
            "CREATE TABLE hidden_doc_id (id INT PRIMARY KEY, t TEXT, FULLTEXT (t))",
            "INSERT INTO hidden_doc_id VALUES (1, 'x'), (3, 'y')",
        ),
        ("table fulltexts", "table hidden_doc_id"),
    ),
)
