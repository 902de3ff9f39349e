"""ENUM and SET: values by number, members of any text."""

from __future__ import annotations

from fidelity.case import Case

_MANY = ",".join(f"'m{number}'" for number in range(64))
_WIDE = ",".join(f"'member {number}'" for number in range(1000))

CASES = (
    Case(
        "ENUM: NULL, the error value, and the empty member",
        "ENUM",
        (
            "CREATE TABLE enum_zero (id INT PRIMARY KEY, e ENUM('a','b'), f ENUM('','x','y'))",
            "INSERT IGNORE INTO enum_zero VALUES (1, 'a', ''), (2, 'none', 'none'),"
            " (3, NULL, NULL), (4, 'b', 'y'), (5, 0, 1)",
        ),
        ("table enum_zero",),
    ),
    Case(
        "ENUM: members that differ in case, accents, spaces or quotes alone",
        "ENUM",
        (
            "CREATE TABLE enum_members (id INT PRIMARY KEY, a ENUM('a','A') COLLATE utf8mb4_bin,"
            r" b ENUM('it''s','back\\slash','com,ma','new\nline','tab\t','\0nul') ,"
            " c ENUM('é','è','日本','ß'), d ENUM('0','1','2'), e ENUM('x',' x'))",
            r"INSERT INTO enum_members VALUES (1, 1, 1, 1, 1, 1), (2, 2, 2, 2, 2, 2),"
            " (3, 'A', 3, 3, '0', 2), (4, 'a', 4, 4, '1', 1), (5, 1, 5, 1, '2', 1),"
            " (6, 1, 6, 1, 3, 1)",
        ),
        ("table enum_members",),
    ),
    Case(
        "ENUM in other charsets",
        "ENUM",
        (
            "CREATE TABLE enum_charsets (id INT PRIMARY KEY, a ENUM('é','à') CHARACTER SET latin1,"
            " b ENUM('ж','щ') CHARACTER SET cp1251, c ENUM('日','本') CHARACTER SET sjis,"
            " d ENUM('x','y') CHARACTER SET binary, e ENUM('ü','ö') CHARACTER SET ucs2,"
            " f ENUM('a','A') CHARACTER SET latin1 COLLATE latin1_bin,"
            " g SET('é','à','ö') CHARACTER SET latin1, h SET('ж','щ') CHARACTER SET utf16)",
            "INSERT INTO enum_charsets VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1),"
            " (2, 2, 2, 2, 2, 2, 2, 5, 3)",
        ),
        ("table enum_charsets",),
    ),
    Case(
        "ENUM of 1000 members, as a key",
        "ENUM",
        (
            f"CREATE TABLE enum_key (e ENUM({_WIDE}) PRIMARY KEY)",
            "INSERT INTO enum_key SELECT seq FROM seq_1_to_1000",
        ),
        ("table enum_key",),
    ),
    Case(
        "SET: all 64 members, none, NULL",
        "SET",
        (
            f"CREATE TABLE set_many (id INT PRIMARY KEY, s SET({_MANY}))",
            "INSERT INTO set_many VALUES (1, 18446744073709551615), (2, 0),"
            " (3, 9223372036854775808), (4, 1), (5, NULL), (6, 4611686018427387905)",
        ),
        ("table set_many",),
    ),
    Case(
        "SET: an empty member, members with spaces and quotes, as a key",
        "SET",
        (
            "CREATE TABLE set_members (id INT PRIMARY KEY, s SET('','a','it''s','b c'))",
            "INSERT INTO set_members VALUES (1, 0), (2, 1), (3, 3), (4, 15), (5, 4)",
            "CREATE TABLE set_key (s SET('x','y','z') PRIMARY KEY)",
            "INSERT INTO set_key VALUES (0), (1), (2), (3), (7)",
        ),
        ("table set_members", "table set_key"),
    ),
    Case(
        "defaults of ENUM and SET",
        "ENUM, SET",
        (
            "CREATE TABLE enum_defaults (e ENUM('a','b') NOT NULL,"
            " f ENUM('a','it''s') DEFAULT 'it''s', g SET('a','b') DEFAULT 'a,b',"
            " h SET('a','b') NOT NULL DEFAULT '')",
            "INSERT INTO enum_defaults () VALUES ()",
        ),
        ("table enum_defaults",),
    ),
)
