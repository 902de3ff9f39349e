"""Tables with keys of every kind, and rows for them, made by the server from numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from support.server import DatabaseServer

ROWS = 4000

_BOTH = ("mariadb", "mysql")
# Both vendors have SHA2; MD5 is gone from one of them.
_HASH = "LEFT(SHA2(i, 256), 32)"
_UUID = f"INSERT(INSERT(INSERT(INSERT({_HASH},9,0,'-'),14,1,'-4'),19,1,'-a'),24,0,'-')"
_WORDS = "ELT(i % 9 + 1,'a','Z','é','ß','日本','😀','ñ','-','')"


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One table: columns and key, and what to select for them from the numbers `i`."""

    name: str
    definition: str
    values: str
    vendors: Sequence[str] = _BOTH
    options: str = ""


def _one(name: str, kind: str, value: str, vendors: Sequence[str] = _BOTH) -> KeyKind:
    return KeyKind(name, f"k {kind} NOT NULL, PRIMARY KEY (k)", value, vendors)


def _two(name: str, kind: str, value: str, vendors: Sequence[str] = _BOTH) -> KeyKind:
    definition = f"k {kind} NOT NULL, id INT NOT NULL, PRIMARY KEY (k, id)"
    return KeyKind(name, definition, f"{value}, i", vendors)


def _text(collation: str) -> str:
    charset = collation.split("_", maxsplit=1)[0]
    return f"VARCHAR(60) CHARACTER SET {charset} COLLATE {collation}"


DIVISIBLE = (
    _one("even", "INT", "CAST(i AS SIGNED) - 2000"),
    _one(
        "sparse",
        "BIGINT UNSIGNED",
        "IF(i < 100, i, 9300000000000000000 + (i * 104729 % 1000003) * 1000003)",
    ),
    _one("clustered", "BIGINT", "i + i DIV 400 * 1000000000000"),
    KeyKind("skewed", "a INT, b INT, PRIMARY KEY (a, b)", "IF(i % 20, 7, i), i"),
    KeyKind(
        "three",
        "a INT, b VARCHAR(20), c INT, PRIMARY KEY (a, b, c)",
        "3, IF(i % 50, 'most', i), i",
    ),
    _one("general_ci", _text("utf8mb4_general_ci"), "CONCAT(IF(i % 2,'Key-','kEY-'), i)"),
    KeyKind(
        "tenant",
        f"a {_text('utf8mb4_unicode_ci')}, b {_text('utf8mb4_unicode_ci')}, PRIMARY KEY (a, b)",
        "CONCAT(IF(i % 2,'Tenant-','tenant-'), i DIV 900), CONCAT(IF(i % 3,'x','É'), HEX(i))",
    ),
    _one("bin", _text("utf8mb4_bin"), f"CONCAT({_WORDS}, i)"),
    _one("unicode", _text("utf8mb4_unicode_520_ci"), f"CONCAT({_WORDS}, i)"),
    _one("ai_ci_0900", _text("utf8mb4_0900_ai_ci"), f"CONCAT({_WORDS}, i)", ["mysql"]),
    _one("as_cs_0900", _text("utf8mb4_0900_as_cs"), f"CONCAT({_WORDS}, i)", ["mysql"]),
    _one("bin_0900", _text("utf8mb4_0900_bin"), "CONCAT(i, IF(i % 2,' ',''))", ["mysql"]),
    _one("uca1400", _text("utf8mb4_uca1400_ai_ci"), f"CONCAT({_WORDS}, i)", ["mariadb"]),
    _one(
        "no_pad",
        _text("utf8mb4_unicode_520_nopad_ci"),
        "CONCAT(i DIV 2, IF(i % 2,' ',''))",
        ["mariadb"],
    ),
    _one("padded", "CHAR(20) COLLATE utf8mb4_general_ci", "CONCAT(i * 7919 % 100003)"),
    _two(
        "below_space",
        "CHAR(20) COLLATE utf8mb4_bin",
        "CONCAT('a', ELT(i % 4 + 1, '', '\\t', '\\tb', '!'))",
    ),
    _two("latin1_tabs", "CHAR(9) CHARACTER SET latin1", "CONCAT('a', REPEAT('\\t', i % 4))"),
    _one("latin1", _text("latin1_swedish_ci"), "CONCAT(ELT(i % 4 + 1,'ä','A','z','é'), i)"),
    _one("ascii", _text("ascii_general_ci"), _UUID),
    _one("cp932", _text("cp932_japanese_ci"), "CONCAT(IF(i % 2,'ソ','表'), i)"),
    _one("utf16", _text("utf16_general_ci"), "CONCAT(IF(i % 2,'é','日'), i)"),
    _one("fixed", "BINARY(16)", f"UNHEX({_HASH})"),
    _one("zeros", "BINARY(6)", "UNHEX(CONCAT(LPAD(HEX(i), 4, '0'), '0000'))"),
    _one("bytes", "VARBINARY(20)", "CONCAT(UNHEX(LPAD(HEX(i % 256),2,'0')), UNHEX('00'), i)"),
    _two("enum", "ENUM('z','a','','m')", "i % 4 + 1"),
    _two("enum_error", "ENUM('z','a')", "i % 3"),
    _two("enum_foreign", "ENUM('ж','ю') CHARACTER SET utf8mb4", "i % 2 + 1"),
    _one("date", "DATE", "DATE_ADD('1900-01-01', INTERVAL i DAY)"),
    _one(
        "odd_date",
        "DATE",
        "CASE i WHEN 0 THEN '0000-00-00' WHEN 1 THEN '2024-02-30' WHEN 2 THEN '2024-00-00' "
        "ELSE DATE_ADD('2020-01-01', INTERVAL i DAY) END",
    ),
    _one("moment", "DATETIME(6)", "DATE_ADD('2020-01-01', INTERVAL i * 777777 MICROSECOND)"),
    _two("day", "DATETIME", "DATE_ADD('0999-01-01', INTERVAL i DIV 500 DAY)"),
    _one("stamp", "TIMESTAMP(3)", "DATE_ADD('2024-10-27', INTERVAL i MINUTE)"),
    _one("time", "TIME(1)", "SEC_TO_TIME(CAST(i AS SIGNED) * 7.5 - 20000)"),
    _two("year", "YEAR", "IF(i % 50, 1901 + i % 200, 0)"),
    _one("decimal", "DECIMAL(30,10)", "(CAST(i AS SIGNED) - 1000) / 7"),
    KeyKind(
        "falling",
        "a INT, b VARCHAR(20), PRIMARY KEY (a DESC, b ASC)",
        "i % 40, i",
    ),
    KeyKind("all_falling", "a DATE, b INT, PRIMARY KEY (a DESC, b DESC)", "'2024-01-01', i"),
    KeyKind("falling_text", "a VARCHAR(20), PRIMARY KEY (a DESC)", "CONCAT('x', i)"),
    KeyKind("unique_only", "a INT NOT NULL, b INT NOT NULL, UNIQUE (b, a)", "i, i % 10"),
    KeyKind(
        "prefix_too",
        "a TEXT, b INT NOT NULL, PRIMARY KEY (a(5)), UNIQUE (b)",
        "LPAD(i, 5, '0'), i",
    ),
    _two("zerofill", "INT(9) ZEROFILL", "i DIV 7"),
    _two("zerofill_decimal", "DECIMAL(12,3) ZEROFILL", "i DIV 7 / 3"),
    _one("long_time", "TIME(6)", "SEC_TO_TIME(CAST(i AS SIGNED) * 1510.000001 - 3020000)"),
    _one("short_bytes", "VARBINARY(9)", "CONCAT(REPEAT(UNHEX('00'), i % 4), i)"),
    KeyKind(
        "falling_kinds",
        "a ENUM('z','a') NOT NULL, b TIME(2), c DECIMAL(9,2), PRIMARY KEY (a DESC, b DESC, c)",
        "i % 3, SEC_TO_TIME(CAST(i AS SIGNED) DIV 9 - 200), (CAST(i AS SIGNED) - 2000) / 7",
    ),
    KeyKind(
        "partitioned",
        "a INT, b INT, PRIMARY KEY (a, b)",
        "i, i % 7",
        options="ENGINE=InnoDB PARTITION BY HASH (b) PARTITIONS 4",
    ),
)
"""Tables of which every row-chunk is read by itself."""

INDIVISIBLE = (
    _two(
        "filled",
        "CHAR(20) COLLATE utf8mb4_nopad_bin",
        "CONCAT('a', REPEAT('\\t', i % 4))",
        ["mariadb"],
    ),
    _two(
        "filled_uca",
        "CHAR(20) COLLATE utf8mb4_uca1400_nopad_ai_ci",
        "CONCAT('a', REPEAT('b', i % 4))",
        ["mariadb"],
    ),
    _two("filled_0900", "CHAR(20) COLLATE utf8mb4_0900_ai_ci", "CONCAT('a', i % 9)", ["mysql"]),
    _one("uuid", "UUID", _UUID, ["mariadb"]),
    _one("inet4", "INET4", "INET_NTOA(3000000000 + i * 70000)", ["mariadb"]),
    _one("inet6", "INET6", "CONCAT('2001:db8::', HEX(i))", ["mariadb"]),
    _two("year_2", "YEAR(2)", "1970 + i % 99", ["mariadb"]),
    _two("set", "SET('z','a','m')", "i % 8"),
    KeyKind("other_engine", "a INT, PRIMARY KEY (a)", "i", options="ENGINE=MyISAM"),
    _one("float", "FLOAT", "i / 7"),
    _one("double", "DOUBLE", "i / 7"),
    _one("bit", "BIT(20)", "i"),
    KeyKind("prefix", "a TEXT, PRIMARY KEY (a(5))", "LPAD(i, 5, '0')"),
    _two("set_64", "SET(" + ",".join(f"'m{n}'" for n in range(64)) + ")", "1 << (i % 64)"),
    KeyKind("nullable", "a INT, UNIQUE (a)", "i"),
    KeyKind("keyless", "a INT", "i"),
)
"""Tables that one connection reads."""


def kinds_of(vendor: str) -> list[KeyKind]:
    """All that there are on a server of this vendor."""
    return [kind for kind in (*DIVISIBLE, *INDIVISIBLE) if vendor in kind.vendors]


def number_statements() -> list[str]:
    """Make a table `number` whose column `i` holds the numbers below ROWS."""
    values = ", ".join(f"({number})" for number in range(ROWS))
    return [
        "CREATE TABLE number (i BIGINT UNSIGNED PRIMARY KEY)",
        f"INSERT INTO number VALUES {values}",
    ]


def fill(server: DatabaseServer, database: str, kinds: Sequence[KeyKind]) -> None:
    """Makes the tables and their rows."""
    made = [
        statement
        for kind in kinds
        for statement in (
            f"CREATE TABLE `{kind.name}` ({kind.definition}, note VARCHAR(90)) "
            f"{kind.options or 'ENGINE=InnoDB'}",
            f"INSERT INTO `{kind.name}` SELECT {kind.values}, REPEAT({_HASH}, 2) FROM number",
            f"ANALYZE TABLE `{kind.name}`",
        )
    ]
    server.execute(
        f"USE {database}",
        "SET NAMES utf8mb4",
        "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
        *number_statements(),
        *made,
        "DROP TABLE number",
    )
