"""Functions, procedures and packages: their text byte for byte, and the session that they are"
" of."""

from __future__ import annotations

from fidelity.case import Case

_COMMENTED = (
    "CREATE PROCEDURE comments() SQL SECURITY INVOKER READS SQL DATA COMMENT 'it''s \\\\ x'\n"
    "/* one */ BEGIN\n\t-- two; three\n  # four\n  SELECT ';;', '$$', \"DELIMITER ;\" /* five\n"
    " */ ; /*!50000 SELECT 1; */ -- end\nEND /* six */"
)

CASES = (
    Case(
        "functions and procedures with every clause, and every direction of a parameter",
        "FUNCTION, PROCEDURE",
        (
            "CREATE FUNCTION f(a INT UNSIGNED, b VARCHAR(9) CHARACTER SET latin1) RETURNS"
            " VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DETERMINISTIC NO SQL SQL"
            " SECURITY INVOKER COMMENT 'c' RETURN CONCAT(a, b)",
            "CREATE PROCEDURE p(IN a INT, OUT b TEXT, INOUT c DECIMAL(9,2)) MODIFIES SQL DATA"
            " BEGIN SET b = a; SET c = c + 1; END",
            "CREATE PROCEDURE f() SELECT 1",
            "CREATE FUNCTION nothing() RETURNS INT RETURN NULL",
            "CREATE AGGREGATE FUNCTION total(x INT) RETURNS INT BEGIN DECLARE s INT DEFAULT 0;"
            " DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN s; LOOP FETCH GROUP NEXT ROW;"
            " SET s = s + x; END LOOP; END",
        ),
        (
            "function f",
            "procedure p",
            "procedure f",
            "function nothing",
            "function total",
        ),
    ),
    Case(
        "comments, delimiters, tabs and quotes in a body",
        "text of a program",
        (_COMMENTED, "CREATE PROCEDURE crlf()\r\nSELECT 1,\r\n '\\r\\n',\t2"),
        ("procedure comments", "procedure crlf"),
    ),
    Case(
        "every sql_mode that changes what a text means",
        "sql_mode of a program",
        (
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,IGNORE_SPACE'",
            "CREATE PROCEDURE ansi() SELECT 'a\\' || 'b' AS \"q\", COUNT (*) FROM \"t\" -- \\",
            "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
            "HIGH_NOT_PRECEDENCE,REAL_AS_FLOAT,NO_UNSIGNED_SUBTRACTION,TIME_ROUND_FRACTIONAL'",
            "CREATE FUNCTION strict() RETURNS REAL RETURN NOT 1 BETWEEN -5 AND 5",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "CREATE PROCEDURE no_escapes() SELECT 'c:\\', 'it''s'",
            "SET sql_mode = ''",
            "CREATE PROCEDURE loose() SELECT 'c:\\\\', \"text\", 'it\\'s', '\\0'",
        ),
        ("procedure ansi", "function strict", "procedure no_escapes", "procedure loose"),
    ),
    Case(
        "packages of the ORACLE mode",
        "PACKAGE",
        (
            "SET sql_mode = ORACLE",
            "CREATE PACKAGE k COMMENT 'x' AS FUNCTION f(a INT) RETURN INT; PROCEDURE p; END",
            "CREATE PACKAGE BODY k AS v INT := 5; FUNCTION f(a INT) RETURN INT AS BEGIN RETURN a"
            " + v;"
            " END; PROCEDURE p AS BEGIN SELECT f(1); /* x */ END; BEGIN v := 7; END",
            "CREATE PACKAGE alone AS PROCEDURE p; END",
            "CREATE PROCEDURE oracle(a OUT INT) AS x t%ROWTYPE; BEGIN a := 1 || 2; NULL; END",
        ),
        ("package k", "package body k", "package alone", "procedure oracle"),
    ),
    Case(
        "bodies in other charsets, also such as hide quotes and backslashes",
        "charset of a program",
        (
            "SET NAMES latin1 COLLATE latin1_german1_ci",
            "CREATE PROCEDURE `p\xe9`() BEGIN SELECT '\xe9', '\x80'; /* \xfc */ END".encode(
                "latin1"
            ),
            "SET NAMES sjis",
            b"CREATE PROCEDURE in_sjis () SELECT '\x83\x5c', '\x83\x5c\x5c\\', ';;' -- \x83\x5c",
            "SET NAMES gbk",
            b"CREATE PROCEDURE in_gbk () SELECT '\xbf\x5c', ';;' /* \xbf\x5c */",
            "SET NAMES big5",
            b"CREATE FUNCTION in_big5 () RETURNS CHAR(9) RETURN '\xa5\x5c'",
            "SET NAMES cp932",
            b"CREATE PROCEDURE in_cp932 () SELECT '\x87\x90', '\x81\x5f'",
            "SET NAMES cp1251",
            b"CREATE PROCEDURE in_cp1251 () SELECT '\xe6\x98' /* \xff */",
            "SET NAMES utf8mb3",
            "CREATE PROCEDURE in_utf8mb3 () SELECT '\u65e5'",
            "SET NAMES utf8mb4",
            "CREATE PROCEDURE in_utf8mb4 () SELECT '\U0001f600' /* \U0001f600 */",
        ),
        (
            "procedure p\u00e9",
            "procedure in_sjis",
            "procedure in_gbk",
            "function in_big5",
            "procedure in_cp932",
            "procedure in_cp1251",
            "procedure in_utf8mb3",
            "procedure in_utf8mb4",
        ),
    ),
    Case(
        "parameters that take the charset of their database as it was then",
        "charset of a program's database",
        (
            "ALTER DATABASE programs CHARACTER SET latin2",
            "CREATE FUNCTION of_latin2(a CHAR(9)) RETURNS CHAR(9) RETURN a",
            "ALTER DATABASE programs CHARACTER SET utf8mb4",
        ),
        ("function of_latin2",),
    ),
    Case(
        "definers: one that does not exist, a role, the account itself",
        "DEFINER",
        (
            "CREATE DEFINER = `no``body`@`10.%` PROCEDURE by_nobody() SELECT 1",
            "CREATE DEFINER = fidelity_role PROCEDURE by_role() SELECT 1",
            "CREATE DEFINER = CURRENT_USER PROCEDURE by_root() SELECT 1",
        ),
        ("procedure by_nobody", "procedure by_role", "procedure by_root"),
    ),
    Case(
        "a program that names what is not there",
        "program that is broken",
        (
            "CREATE PROCEDURE broken() SELECT * FROM no_database.no_table",
            "CREATE FUNCTION calls_nothing() RETURNS INT RETURN no_function(1)",
        ),
        ("procedure broken", "function calls_nothing"),
    ),
    Case(
        "a body of one megabyte",
        "long program",
        ("CREATE PROCEDURE long_body() SELECT '" + "x" * 60000 + "'",),
        ("procedure long_body",),
    ),
)
