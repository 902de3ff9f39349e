"""Characters: every charset of the server with all its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from fidelity.case import Case

# fmt: off
ONE_BYTE = [
    "armscii8", "ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
    "dec8", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1",
    "latin2", "latin5", "latin7", "macce", "macroman", "swe7", "tis620",
]
# fmt: on
TWO_BYTES = ["big5", "cp932", "euckr", "gb2312", "gbk", "sjis", "ucs2", "ujis", "eucjpms"]
WIDE = ["gb18030", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4"]

_BYTES = (
    "INSERT INTO {table} WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE"
    " n < 255) SELECT n, CONVERT(CHAR(n) USING {charset}), CONVERT(CHAR(n) USING {charset}) FROM n"
)
_PAIRS = (
    # A character of each row's first byte and every second byte that follows it somewhere.
    "INSERT INTO {table} WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE"
    " n < 65535), p (b, v) AS (SELECT n DIV 256, CONVERT(UNHEX(LPAD(HEX(n), 4, '0')) USING"
    " {charset}) FROM n) SELECT b, LEFT(GROUP_CONCAT(v SEPARATOR ''), 60),"
    " GROUP_CONCAT(v SEPARATOR '') FROM p WHERE v IS NOT NULL GROUP BY b"
)
_POINTS = (
    "INSERT INTO {table} WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE"
    " n < 2000), p (b, v) AS (SELECT n DIV 64, CONVERT(CONVERT(UNHEX(LPAD(HEX("
    "IF(n < 1000, n, (n - 1000) * 1113 + 65536)), 8, '0')) USING utf32) USING {charset}) FROM n"
    " WHERE n < 1000 OR n > 1000) SELECT b, LEFT(GROUP_CONCAT(v SEPARATOR ''), 60),"
    " GROUP_CONCAT(v SEPARATOR '') FROM p WHERE v IS NOT NULL GROUP BY b"
)


def _charset(charset: str, what: str, insert: str) -> Case:
    table = f"c_{charset}"
    return Case(
        f"charset {charset}: {what}",
        "CHAR, TEXT of every charset",
        (
            "SET SESSION cte_max_recursion_depth = 100000, group_concat_max_len = 1000000",
            f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(60), t TEXT)"
            f" CHARACTER SET {charset}",
            insert.format(table=table, charset=charset),
        ),
        (f"table {table}",),
    )


def _charsets() -> Iterator[Case]:
    for charset in ONE_BYTE:
        yield _charset(charset, "all 256 bytes", _BYTES)
    for charset in TWO_BYTES:
        yield _charset(charset, "all its characters of one and two bytes", _PAIRS)
    for charset in WIDE:
        yield _charset(charset, "control characters, and some of every plane", _POINTS)


CASES = (
    *_charsets(),
    Case(
        "CHAR, VARCHAR, TEXT: spaces, NUL, backslash, quotes, line ends, four bytes",
        "CHAR, VARCHAR, TEXT",
        (
            "CREATE TABLE texts (id INT PRIMARY KEY, a CHAR(9), b VARCHAR(99), c TINYTEXT, d TEXT,"
            " e MEDIUMTEXT, f LONGTEXT)",
            "INSERT INTO texts VALUES (1, 'x  ', 'x  ', '\\0', '\\\\', '''', '\\r\\n\\t\\Z\"'),"
            " (2, '', '', '', '', '', ''), (3, NULL, NULL, NULL, NULL, NULL, NULL),"
            " (4, ' x', '\U0001f600\U00010000', 'NULL', '\\\\N', '--', '/*! x */; DELIMITER $$')",
            "INSERT INTO texts (id, d, f) VALUES (5, REPEAT('\U0001f600', 16383),"
            " REPEAT('0123456789', 200000))",
        ),
        ("table texts",),
    ),
    Case(
        "BINARY, VARBINARY, BLOB: all bytes, trailing zeros, empty, 2 MB",
        "BINARY, VARBINARY, BLOB",
        (
            "CREATE TABLE bytes (id INT PRIMARY KEY, a BINARY(5), b VARBINARY(99), c TINYBLOB,"
            " d BLOB, e MEDIUMBLOB, f LONGBLOB)",
            "INSERT INTO bytes VALUES (1, X'00', X'0000', X'FF27', X'5C', X'0A0D1A', X'275C'),"
            " (2, '', '', '', '', '', ''), (3, NULL, NULL, NULL, NULL, NULL, NULL)",
            "INSERT INTO bytes (id, d, f) SELECT 4, UNHEX('"
            + bytes(range(256)).hex()
            + "'), REPEAT(X'FF00', 1000000)",
        ),
        ("table bytes",),
    ),
    Case(
        "columns of other charsets and collations than their table",
        "collations",
        (
            "CREATE TABLE collated (a VARCHAR(9) COLLATE utf8mb4_ja_0900_as_cs_ks,"
            " b VARCHAR(9) COLLATE utf8mb4_zh_0900_as_cs, c VARCHAR(9) CHARACTER SET binary,"
            " d VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin, e CHAR(3) CHARACTER SET ucs2,"
            " f VARCHAR(9), g NCHAR(4), h VARCHAR(9) COLLATE utf8mb4_0900_bin)"
            " CHARACTER SET latin2 COLLATE latin2_czech_cs",
            "INSERT INTO collated VALUES ('ア', '中', X'FF', 'a', 'é', 'ř', 'n', '\U0001f600')",
        ),
        ("table collated",),
    ),
)
