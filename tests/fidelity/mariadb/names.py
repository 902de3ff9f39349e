"""Names with every character that is allowed, and databases."""

from __future__ import annotations

from fidelity.case import Case

_ODD = "we``ird\n;-- \"x\" 'y' \u00fc/.\\%_\t{}$#@!*?:|<>&~^[]()=+,"
_ODD_NAME = _ODD.replace("``", "`")
_LONG = "n" * 64

CASES = (
    Case(
        "a table, a view, a sequence and programs with odd names",
        "names",
        (
            f"CREATE TABLE `{_ODD}` (`{_ODD}` INT PRIMARY KEY, KEY `k {_ODD[:30]}` (`{_ODD}`))",
            f"INSERT INTO `{_ODD}` VALUES (1)",
            f"CREATE VIEW `v{_ODD[:40]}` AS SELECT * FROM `{_ODD}`",
            f"CREATE SEQUENCE `s{_ODD[:40]}`",
            f"CREATE PROCEDURE `p{_ODD[:40]}`() SELECT 1",
            f"CREATE TRIGGER `t{_ODD[:40]}` BEFORE INSERT ON `{_ODD}` FOR EACH ROW SET @x = 1",
            f"CREATE EVENT `e{_ODD[:40]}` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00'"
            " DO SET @x = 1",
        ),
        (
            f"table {_ODD_NAME}",
            f"view v{_ODD[:40]}".replace("``", "`"),
            f"sequence s{_ODD[:40]}".replace("``", "`"),
            f"procedure p{_ODD[:40]}".replace("``", "`"),
            f"trigger t{_ODD[:40]}".replace("``", "`"),
            f"event e{_ODD[:40]}".replace("``", "`"),
        ),
    ),
    Case(
        "names of 64 characters, of words, of digits, of case alone, in other scripts",
        "names",
        (
            *(
                f"CREATE TABLE `{name}` (a INT)"
                for name in (
                    _LONG,
                    "\u65e5" * 40,
                    "select",
                    "123",
                    "1e5",
                    "Case",
                    "case",
                    " lead",
                    "a.b",
                    "#mysql",
                    "$",
                    "\u0416\u00e9\u00df",
                    "a@b",
                    "-",
                    "rows",
                    "CON",
                )
            ),
            "INSERT INTO `case` VALUES (1)",
            "INSERT INTO `Case` VALUES (2)",
        ),
        tuple(
            f"table {name}"
            for name in (
                _LONG,
                "\u65e5" * 40,
                "select",
                "123",
                "1e5",
                "Case",
                "case",
                " lead",
                "a.b",
                "#mysql",
                "$",
                "\u0416\u00e9\u00df",
                "a@b",
                "-",
                "rows",
                "CON",
            )
        ),
    ),
    Case(
        "a database with an odd name, a comment and a collation of its own",
        "DATABASE",
        (
            f"CREATE DATABASE `d{_ODD[:40]}` CHARACTER SET latin2 COLLATE latin2_bin"
            " COMMENT 'it''s \\\\ a; comment \u00e9'",
            f"USE `d{_ODD[:40]}`",
            f"CREATE TABLE `{_ODD}` (a VARCHAR(9))",
            f"CREATE VIEW v AS SELECT a FROM `{_ODD}` UNION SELECT 1 FROM `names`.`{_LONG}`",
            f"INSERT INTO `{_ODD}` VALUES ('\u0159')",
        ),
        (
            f"database d{_ODD[:40]}".replace("``", "`"),
            f"table {_ODD_NAME}",
            "view v",
        ),
        database=f"d{_ODD[:40]}".replace("``", "`"),
    ),
    Case(
        "a database without anything",
        "DATABASE",
        ("CREATE DATABASE empty_database CHARACTER SET swe7",),
        ("database empty_database",),
        database="empty_database",
    ),
)
