"""Text: every charset of the server, with all of its bytes."""

from __future__ import annotations

from fidelity.case import Case

SINGLE_BYTE = [
    "armscii8",
    "ascii",
    "cp1250",
    "cp1251",
    "cp1256",
    "cp1257",
    "cp850",
    "cp852",
    "cp866",
    "dec8",
    "geostd8",
    "greek",
    "hebrew",
    "hp8",
    "keybcs2",
    "koi8r",
    "koi8u",
    "latin1",
    "latin2",
    "latin5",
    "latin7",
    "macce",
    "macroman",
    "swe7",
    "tis620",
]
TWO_BYTE = ["big5", "cp932", "euckr", "gb2312", "gbk", "sjis"]
THREE_BYTE = ["eucjpms", "ujis"]
UNICODE = ["ucs2", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4"]

_HIGH = "LPAD(HEX(high.seq), 2, '0')"
_LOW = "LPAD(HEX(low.seq), 2, '0')"


def _joined(charset: str, digits: str) -> str:
    """One text of all characters whose first byte is the same."""
    character = f"CONVERT(UNHEX(CONCAT({digits})) USING {charset})"
    return f"GROUP_CONCAT({character} ORDER BY low.seq SEPARATOR '')"


def _table(charset: str, collation: str = "") -> str:
    return (
        f"CREATE TABLE {charset} (id INT PRIMARY KEY, t LONGTEXT, v VARCHAR(20), c CHAR(20),"
        f" tiny TINYTEXT, medium MEDIUMTEXT) CHARACTER SET {charset}{collation}"
    )


def _key_table(charset: str) -> str:
    """The same characters as a key that the charset's own collation orders."""
    columns = "v VARCHAR(20), n INT, PRIMARY KEY (v)"
    return f"CREATE TABLE {charset}_key ({columns}) CHARACTER SET {charset}"


def _single(charset: str) -> Case:
    return Case(
        f"{charset}: all 256 bytes",
        charset,
        (
            _table(charset),
            f"INSERT INTO {charset} SELECT seq, CONCAT('<', UNHEX(LPAD(HEX(seq), 2, '0')), '>'),"
            " UNHEX(LPAD(HEX(seq), 2, '0')), UNHEX(LPAD(HEX(seq), 2, '0')), '', NULL"
            " FROM seq_0_to_255",
            _key_table(charset),
            f"INSERT IGNORE INTO {charset}_key SELECT v, id FROM {charset}",
        ),
        (f"table {charset}", f"table {charset}_key"),
    )


def _double(charset: str, *more: str) -> Case:
    return Case(
        f"{charset}: every pair of bytes that is a character",
        charset,
        (
            "SET group_concat_max_len = 1000000",
            _table(charset),
            f"INSERT INTO {charset} (id, t) SELECT high.seq, {_joined(charset, f'{_HIGH}, {_LOW}')}"
            " FROM seq_0_to_255 high JOIN seq_0_to_255 low GROUP BY high.seq",
            *more,
            f"UPDATE {charset} SET v = LEFT(t, 20), c = RIGHT(t, 20), tiny = '', medium = t",
            _key_table(charset),
            f"INSERT IGNORE INTO {charset}_key SELECT v, id FROM {charset}",
        ),
        (f"table {charset}", f"table {charset}_key"),
    )


def _triple(charset: str) -> Case:
    digits = f"'8F', {_HIGH}, {_LOW}"
    return _double(
        charset,
        f"INSERT INTO {charset} (id, t) SELECT 1000 + high.seq, {_joined(charset, digits)}"
        " FROM seq_161_to_254 high JOIN seq_161_to_254 low GROUP BY high.seq",
    )


def _unicode(charset: str) -> Case:
    last = 255 if charset in ("ucs2", "utf8mb3") else 4351
    code = "LPAD(HEX(high.seq * 256 + low.seq), 8, '0')"
    character = f"CONVERT(CONVERT(UNHEX({code}) USING utf32) USING {charset})"
    return Case(
        f"{charset}: every code point",
        charset,
        (
            "SET group_concat_max_len = 1000000",
            _table(charset),
            f"INSERT INTO {charset} (id, t) SELECT high.seq,"
            f" GROUP_CONCAT({character} ORDER BY low.seq SEPARATOR '')"
            f" FROM seq_0_to_{last} high JOIN seq_0_to_255 low GROUP BY high.seq",
            f"UPDATE {charset} SET v = LEFT(t, 20), c = RIGHT(t, 20), tiny = ''",
            _key_table(charset),
            f"INSERT IGNORE INTO {charset}_key SELECT v, id FROM {charset}",
        ),
        (f"table {charset}", f"table {charset}_key"),
    )


_STRINGS = (
    Case(
        "CHAR, VARCHAR, TEXT: empty, spaces at the end, quotes, NUL, backslash, newlines, Ctrl-Z",
        "CHAR, VARCHAR, TEXT",
        (
            "SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'",
            "CREATE TABLE strings (id INT PRIMARY KEY, c CHAR(20), v VARCHAR(20), t TEXT)",
            "INSERT INTO strings VALUES (1, '', '', ''), (2, 'a  ', 'a  ', 'a  '),"
            r" (3, '\'\"`', '\0\n\r\t\Z\b', '\\%\\_\\'), (4, NULL, NULL, NULL),"
            " (5, '-- x', '/* y */', '# z'), (6, '\\\\', ';', 'DELIMITER ;;')",
            "INSERT INTO strings"
            " VALUES (7, '\u00e9\U0001f600', '\ufeff\u200b', '\u0000\u2028\uffff')",
        ),
        ("table strings",),
    ),
    Case(
        "BINARY, VARBINARY, BLOB: NULs at the end, every byte",
        "BINARY, VARBINARY, BLOB",
        (
            "CREATE TABLE binaries (id INT PRIMARY KEY, a BINARY(4), b VARBINARY(9), c TINYBLOB,"
            " d BLOB, e MEDIUMBLOB, f LONGBLOB, g CHAR(4) CHARACTER SET binary)",
            "INSERT INTO binaries"
            " VALUES (1, X'01', X'0100', X'', X'00', X'FF', X'FBFCFDFEFF', X'20'),"
            " (2, '', '', NULL, REPEAT(X'00FF27', 20000), REPEAT(X'5C', 70000), X'FB', X'2020')",
            "INSERT INTO binaries SELECT 1000 + seq, NULL, UNHEX(LPAD(HEX(seq), 2, '0')),"
            " UNHEX(LPAD(HEX(seq), 2, '0')), NULL, NULL, NULL, NULL FROM seq_0_to_255",
        ),
        ("table binaries",),
    ),
    Case(
        "values that fill their type to the last byte",
        "long values",
        (
            "CREATE TABLE long_values (id INT PRIMARY KEY, a TINYTEXT CHARACTER SET latin1,"
            " b TEXT CHARACTER SET latin1, c MEDIUMTEXT, d LONGTEXT, e VARCHAR(16000))",
            "INSERT INTO long_values VALUES (1, REPEAT('x', 255), REPEAT('y', 65535),"
            " REPEAT('z', 1000000), REPEAT('\u00fc', 500000), REPEAT('\U0001f600', 16000))",
        ),
        ("table long_values",),
    ),
    Case(
        "keys under collations that ignore case, accents, spaces or nothing",
        "collations",
        (
            "CREATE TABLE ci_key (k VARCHAR(9) COLLATE utf8mb4_unicode_ci PRIMARY KEY)",
            "INSERT INTO ci_key VALUES ('a'), ('B'), ('ç'), ('Z'), ('ß'), ('aa'), ('')",
            "CREATE TABLE nopad_key (k VARCHAR(9) COLLATE utf8mb4_nopad_bin PRIMARY KEY)",
            "INSERT INTO nopad_key VALUES ('a'), ('a '), ('a  '), ('A')",
            "CREATE TABLE uca_key (k VARCHAR(9) COLLATE uca1400_danish_as_cs PRIMARY KEY)",
            "INSERT INTO uca_key VALUES ('aa'), ('Å '), ('Ø'), ('o'), ('z')",
            "CREATE TABLE binary_key (k VARBINARY(9), b BINARY(3), PRIMARY KEY (k, b))",
            "INSERT INTO binary_key VALUES (X'', X'00'), (X'00', X'00'), (X'0000', X'01'),"
            " (X'FF', X'')",
            "CREATE TABLE german_key (k VARCHAR(9) COLLATE latin1_german2_ci PRIMARY KEY)",
            "INSERT INTO german_key VALUES ('\u00fc'), ('u'), ('\u20ac'), ('ss')",
            "CREATE TABLE backslash_key (k VARCHAR(9) CHARACTER SET sjis PRIMARY KEY, n INT)",
            "INSERT INTO backslash_key VALUES (_sjis X'835C', 1), (_sjis X'815F', 2), ('a', 3)",
        ),
        tuple(
            f"table {name}_key" for name in ("ci", "nopad", "uca", "binary", "german", "backslash")
        ),
    ),
)

CASES = (
    *_STRINGS,
    *map(_single, SINGLE_BYTE),
    *map(_double, TWO_BYTE),
    *map(_triple, THREE_BYTE),
    *map(_unicode, UNICODE),
)
