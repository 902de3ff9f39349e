"""Functions, procedures, triggers, events."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "routine: all characteristics, parameters of every kind, definer that does not exist",
        "FUNCTION, PROCEDURE",
        (
            "CREATE DEFINER = nobody@nowhere FUNCTION described(a VARCHAR(9) CHARACTER SET latin1,"
            " b ENUM('x', 'é'), c DECIMAL(5,2) UNSIGNED) RETURNS CHAR(3) CHARACTER SET sjis"
            " NOT DETERMINISTIC READS SQL DATA SQL SECURITY INVOKER COMMENT 'it''s é' RETURN 'x'",
            "CREATE PROCEDURE directed(IN a INT, OUT b JSON, INOUT `c``d` TEXT) NO SQL"
            " SET b = '[]'",
            "CREATE PROCEDURE described() MODIFIES SQL DATA BEGIN END",
        ),
        ("function described", "procedure directed", "procedure described"),
    ),
    Case(
        "bodies byte for byte: comments, delimiters, line ends, labels, handlers",
        "FUNCTION, PROCEDURE",
        (
            "CREATE PROCEDURE commented()\n/* a; -- b */\nBEGIN\n\t-- it's; $$ // ;;\n"
            "  # DELIMITER ;\n  outer_block: BEGIN\n"
            "    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END; /*!80000 SET @a = 1; */\n"
            "    SELECT ';', \"$$\", '\\\\', '''', `a;b` FROM (SELECT 1 AS `a;b`) t;\n"
            "  END outer_block;\nEND",
            "CREATE PROCEDURE blank() BEGIN   \n\n\n   END",
            "CREATE FUNCTION hinted() RETURNS INT DETERMINISTIC RETURN (SELECT /*+"
            " MAX_EXECUTION_TIME"
            "(100) */ 1)",
        ),
        ("procedure commented", "procedure blank", "function hinted"),
    ),
    Case(
        "sql_mode of each: ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT, all of them",
        "program under another sql_mode",
        (
            "SET sql_mode = 'ANSI_QUOTES'",
            'CREATE FUNCTION ansi() RETURNS INT DETERMINISTIC RETURN (SELECT "a" FROM'
            ' (SELECT 1 AS "a") "t")',
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
            "CREATE FUNCTION backslashed() RETURNS TEXT DETERMINISTIC RETURN '\\' || '\\n;'",
            "SET sql_mode = 'TRADITIONAL,ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_UNSIGNED_SUBTRACTION,"
            "HIGH_NOT_PRECEDENCE,NO_DIR_IN_CREATE,TIME_TRUNCATE_FRACTIONAL'",
            "CREATE PROCEDURE everything() SET @x = \"t\" || 'x'",
        ),
        ("function ansi", "function backslashed", "procedure everything"),
    ),
    Case(
        "client charsets: latin1, sjis, gbk, big5, gb18030, with bytes that look like quotes",
        "program under another charset",
        (
            "SET NAMES latin1 COLLATE latin1_german2_ci",
            b"CREATE FUNCTION from_latin1() RETURNS TEXT DETERMINISTIC /* \xe9 */ RETURN '\xe9'",
            "SET NAMES sjis",
            b"CREATE FUNCTION from_sjis() RETURNS TEXT DETERMINISTIC RETURN '\x95\x5c\x83\x5c'",
            "SET NAMES gbk",
            b"CREATE FUNCTION from_gbk() RETURNS TEXT DETERMINISTIC RETURN '\xd5\x5c;'",
            "SET NAMES big5",
            b"CREATE FUNCTION from_big5() RETURNS TEXT DETERMINISTIC RETURN '\xa5\x5c'",
            "SET NAMES gb18030",
            b"CREATE FUNCTION from_gb18030() RETURNS TEXT DETERMINISTIC RETURN '\x81\x30\x81\x30'",
            "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin",
            "CREATE FUNCTION from_utf8() RETURNS TEXT DETERMINISTIC RETURN '\U0001f600é'",
        ),
        (
            "function from_latin1",
            "function from_sjis",
            "function from_gbk",
            "function from_big5",
            "function from_gb18030",
            "function from_utf8",
        ),
    ),
    Case(
        "database collation as it was when the routine was made",
        "program under another charset",
        (
            "ALTER DATABASE programs COLLATE latin2_czech_cs",
            "CREATE FUNCTION inherits(a VARCHAR(9)) RETURNS VARCHAR(9) DETERMINISTIC RETURN a",
            "ALTER DATABASE programs COLLATE utf8mb4_0900_ai_ci",
        ),
        ("function inherits",),
    ),
    Case(
        "triggers: every event and time, several of one kind in order, PRECEDES and FOLLOWS",
        "TRIGGER",
        (
            "CREATE TABLE watched (a INT, b VARCHAR(9))",
            "CREATE TRIGGER t3 BEFORE INSERT ON watched FOR EACH ROW SET NEW.a = NEW.a + 1",
            "CREATE TRIGGER t1 BEFORE INSERT ON watched FOR EACH ROW SET NEW.a = NEW.a * 2",
            "CREATE TRIGGER t2 BEFORE INSERT ON watched FOR EACH ROW PRECEDES t3 SET NEW.b = 'x'",
            "CREATE TRIGGER t0 BEFORE INSERT ON watched FOR EACH ROW FOLLOWS t2 SET NEW.b = 'y'",
            "CREATE TRIGGER ai AFTER INSERT ON watched FOR EACH ROW SET @x = NEW.a",
            "CREATE TRIGGER bu BEFORE UPDATE ON watched FOR EACH ROW SET NEW.a = OLD.a",
            "CREATE TRIGGER au AFTER UPDATE ON watched FOR EACH ROW BEGIN /* ; */ SET @x = 1; END",
            "CREATE TRIGGER bd BEFORE DELETE ON watched FOR EACH ROW SET @x = OLD.b",
            "CREATE DEFINER = nobody@nowhere TRIGGER ad AFTER DELETE ON watched FOR EACH ROW"
            " SET @x = 'é'",
            "INSERT INTO watched VALUES (1, 'a')",
        ),
        (
            "table watched",
            *(f"trigger {name}" for name in ("t0", "t1", "t2", "t3", "ai", "bu", "au", "bd", "ad")),
        ),
    ),
    Case(
        "trigger under ANSI_QUOTES and latin1, that would refuse every row",
        "TRIGGER",
        (
            "CREATE TABLE refused (a INT)",
            "INSERT INTO refused VALUES (1)",
            "SET sql_mode = 'ANSI_QUOTES', NAMES latin1",
            b'CREATE TRIGGER refuses BEFORE INSERT ON "refused" FOR EACH ROW SIGNAL SQLSTATE'
            b" '45000' SET MESSAGE_TEXT = '\xe9'",
        ),
        ("table refused", "trigger refuses"),
    ),
    Case(
        "events: once and repeated, ends, time zones, states, ON COMPLETION PRESERVE",
        "EVENT",
        (
            "SET time_zone = '+05:30'",
            "CREATE EVENT repeated ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2030-01-01"
            " 12:00:00'"
            " ENDS '2040-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'it''s; é' DO SET @x = ';'",
            "SET time_zone = 'SYSTEM'",
            "CREATE EVENT once ON SCHEDULE AT '2037-12-31 23:59:59' DISABLE DO BEGIN /* x */ END",
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', time_zone = '-03:00'",
            "CREATE DEFINER = nobody@nowhere EVENT quoted ON SCHEDULE EVERY 1 DAY STARTS"
            " '2030-06-01 00:00:00' DISABLE ON SLAVE DO SET @x = 'a' || 'b'",
        ),
        ("event repeated", "event once", "event quoted"),
    ),
    Case(
        "names with every legal odd character, and names that look like SQL",
        "names",
        (
            "CREATE TABLE `a``b'c\"d\\\\e/f.g;h%i?j*k|l:m<n>o#p--q` (`x``y'z\"\\\\/.;%?` INT,"
            " ` lead` INT, `select` INT, `é日本` INT, KEY `k``'\"\\\\` (`x``y'z\"\\\\/.;%?`))",
            "INSERT INTO `a``b'c\"d\\\\e/f.g;h%i?j*k|l:m<n>o#p--q` VALUES (1, 2, 3, 4)",
            "CREATE TABLE `Case` (a INT)",
            "CREATE TABLE `case` (a INT)",
            f"CREATE TABLE `{'é' * 64}` (`{'ü' * 64}` INT)",
            "CREATE TABLE `tab\tline\nend` (a INT)",
            "CREATE VIEW `v``'\"\\\\` AS SELECT `x``y'z\"\\\\/.;%?` FROM"
            " `a``b'c\"d\\\\e/f.g;h%i?j*k|l:m<n>o#p--q`",
            "CREATE FUNCTION `f``'\"\\\\;`() RETURNS INT DETERMINISTIC RETURN 1",
            "CREATE TRIGGER `t``'\"\\\\;` BEFORE INSERT ON `Case` FOR EACH ROW SET @x = 1",
            "CREATE EVENT `e``'\"\\\\;` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DISABLE DO"
            " SET @x = 1",
        ),
        (
            "table a`b'c\"d\\\\e/f.g;h%i?j*k|l:m<n>o#p--q",
            "table Case",
            "table case",
            f"table {'é' * 64}",
            "table tab\tline\nend",
            "view v`'\"\\\\",
            "function f`'\"\\\\;",
            "trigger t`'\"\\\\;",
            "event e`'\"\\\\;",
        ),
    ),
)
