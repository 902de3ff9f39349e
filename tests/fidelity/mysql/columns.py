"""Columns: generated, invisible, with defaults, with comments."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "expressions with literals of every kind: beyond utf8mb3, latin1, sjis, ucs2",
        "DEFAULT expression",
        (
            "CREATE TABLE literals (a VARCHAR(10) DEFAULT 'x',"
            " c VARCHAR(20) DEFAULT (CONCAT('\U0001f600é\\\\\\'', 'a')),"
            " d VARCHAR(30) AS (CONCAT('\U0001f600é', a)) VIRTUAL,"
            " e VARCHAR(20) DEFAULT (CONCAT(_utf8mb3'é', N'é')), f VARCHAR(20) DEFAULT"
            " (_latin1 X'E9'), g VARCHAR(20) DEFAULT (_ucs2 X'00E9'), h VARCHAR(20) DEFAULT"
            " (_sjis X'955C'), i VARBINARY(9) DEFAULT (X'00FF275C'), CHECK (a <> '\U0001f600é'),"
            " KEY ((CONCAT(a, 'é\U0001f600'))))",
            "INSERT INTO literals (a) VALUES ('y'), (NULL)",
        ),
        ("table literals",),
    ),
    Case(
        "DEFAULT: every type's, NULL, '', characters beyond utf8mb3, bytes, BIT, functions",
        "DEFAULT",
        (
            "CREATE TABLE defaults (id INT PRIMARY KEY, a VARCHAR(9) DEFAULT '',"
            " b VARCHAR(9) DEFAULT 'it''s\\\\', c VARCHAR(9) DEFAULT '\U0001f600',"
            " d VARBINARY(4) DEFAULT X'00FF', e BIT(4) DEFAULT b'101', f DECIMAL(5,2) DEFAULT 1.5,"
            " g FLOAT DEFAULT 16777216, h DATE DEFAULT '2024-01-01', i TIME(3) DEFAULT '1:2:3.004',"
            " j CHAR(2) CHARACTER SET sjis DEFAULT '表', k BINARY(3) DEFAULT 'a',"
            " l CHAR(36) DEFAULT (UUID()), m INT DEFAULT (1 + 2), n TEXT DEFAULT ('long'),"
            " o BLOB DEFAULT (X'00'), p SET('a', 'b') DEFAULT 'a,b', q ENUM('\U0001f600')"
            " DEFAULT '\U0001f600', r DOUBLE DEFAULT -0e0)",
            "INSERT INTO defaults (id, l) VALUES (1, 'fixed')",
        ),
        ("table defaults",),
    ),
    Case(
        "generated columns: VIRTUAL, STORED, of other generated ones, as key",
        "generated column",
        (
            "CREATE TABLE derived (a INT, b INT AS (a * 2), c INT AS (b + 1) STORED NOT NULL,"
            " `d,``e` VARCHAR(20) AS (CONCAT('x,`', a)) VIRTUAL, PRIMARY KEY (c), UNIQUE (b))",
            "INSERT INTO derived (a) VALUES (3), (1), (2)",
        ),
        ("table derived",),
    ),
    Case(
        "invisible columns, the first one too, and a table with one visible column",
        "invisible column",
        (
            "CREATE TABLE invisible (h INT INVISIBLE DEFAULT 4, id INT PRIMARY KEY,"
            " s VARCHAR(9) INVISIBLE, t TIMESTAMP INVISIBLE DEFAULT CURRENT_TIMESTAMP)",
            "INSERT INTO invisible (h, id, s, t) VALUES (7, 1, 'x', '2001-01-01'),"
            " (NULL, 2, NULL, NULL)",
        ),
        ("table invisible",),
    ),
    Case(
        "generated invisible primary key: hidden from nobody, its values kept",
        "generated invisible primary key",
        (
            "SET SESSION sql_generate_invisible_primary_key = ON",
            "CREATE TABLE gipk (a INT)",
            "INSERT INTO gipk VALUES (1), (2), (3)",
            "DELETE FROM gipk WHERE a = 2",
            "SET SESSION sql_generate_invisible_primary_key = OFF",
        ),
        ("table gipk",),
    ),
    Case(
        "comments of 1024 characters, with quotes, line ends and control characters",
        "comments",
        (
            "CREATE TABLE commented (a INT COMMENT 'it''s \\\\ \\n\\r\\t\\0 é \"x\" `y` */ -- #',"
            f" b INT COMMENT '{'é' * 1024}', KEY k (a) COMMENT 'of the; key')"
            f" COMMENT '{'x' * 2048}'",
        ),
        ("table commented",),
    ),
    Case(
        "column attributes: COLUMN_FORMAT, STORAGE, ENGINE_ATTRIBUTE, NOT SECONDARY",
        "column attributes",
        (
            "CREATE TABLE attributes (a INT COLUMN_FORMAT FIXED, b INT COLUMN_FORMAT DYNAMIC,"
            " c INT STORAGE DISK, d INT STORAGE MEMORY, e INT NOT SECONDARY,"
            " f INT CHECK (f > 0) NOT ENFORCED)",
            "INSERT INTO attributes VALUES (1, 2, 3, 4, 5, -6)",
        ),
        ("table attributes",),
    ),
    Case(
        "1000 columns",
        "many columns",
        (
            "CREATE TABLE wide ("
            + ", ".join(f"c{number} TINYINT" for number in range(1000))
            + ", PRIMARY KEY (c999))",
            f"INSERT INTO wide VALUES ({', '.join(str(number % 100) for number in range(1000))})",
        ),
        ("table wide",),
    ),
)
