"""ENUM and SET."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "ENUM: index 0, the legal member '', members with quotes, spaces and commas",
        "ENUM",
        (
            "CREATE TABLE enums (id INT PRIMARY KEY, e ENUM('a', '', 'it''s', 'a,b', 'c\\\\d',"
            " '\"', ' x', 'é', '\U0001f600'), f ENUM('1', '0', '2') NOT NULL)",
            "INSERT INTO enums SELECT n, n, 1 FROM (VALUES ROW(1), ROW(2), ROW(3), ROW(4), ROW(5),"
            " ROW(6), ROW(7), ROW(8), ROW(9)) v(n)",
            "INSERT INTO enums VALUES (10, 'nothing of the kind', 'nothing'), (11, NULL, '0')",
        ),
        ("table enums",),
    ),
    Case(
        "ENUM and SET in latin1, binary, ucs2 and sjis",
        "ENUM",
        (
            "CREATE TABLE enum_charsets (a ENUM('é', 'à') CHARACTER SET latin1,"
            " b ENUM('x', 'Y') CHARACTER SET binary, c SET('ü', 'ß') CHARACTER SET ucs2,"
            " d ENUM('表', 'ソ') CHARACTER SET sjis, e SET('表', 'ソ') CHARACTER SET cp932)",
            "INSERT INTO enum_charsets VALUES (1, 1, 1, 1, 1), (2, 2, 3, 2, 3), (0, 0, 0, 0, 0)",
        ),
        ("table enum_charsets",),
    ),
    Case(
        "ENUM of 3000 members, as key",
        "ENUM",
        (
            "CREATE TABLE enum_key (e ENUM("
            + ", ".join(f"'m{number}'" for number in range(3000, 0, -1))
            + ") PRIMARY KEY)",
            "INSERT INTO enum_key VALUES (1), (2), (255), (256), (3000)",
        ),
        ("table enum_key",),
    ),
    Case(
        "SET: none, all of 64 members, the member ''",
        "SET",
        (
            "CREATE TABLE sets (id INT PRIMARY KEY, s SET("
            + ", ".join(f"'{number}'" for number in range(64))
            + "), t SET('', 'a', 'it''s') NOT NULL)",
            "INSERT INTO sets VALUES (1, 0, 0), (2, 18446744073709551615, 7),"
            " (3, 9223372036854775808, 1), (4, 5, 2), (5, NULL, 3)",
        ),
        ("table sets",),
    ),
    Case(
        "SET as key",
        "SET",
        (
            "CREATE TABLE set_key (s SET('a', 'b', 'c') PRIMARY KEY)",
            "INSERT INTO set_key VALUES (0), (1), (2), (3), (7)",
        ),
        ("table set_key",),
    ),
    Case(
        "ENUM and SET: members beyond utf8mb3 that rows hold, alike in the catalogue",
        "ENUM",
        (
            "CREATE TABLE emoji (id INT PRIMARY KEY, e ENUM('\U0001f44d', '\U0001f44e', 'x?',"
            " 'it''s \U0001f600'), s SET('a', '\U0001f44d', '?', '\U0001f44e', 'b') CHARACTER SET"
            " utf16, t SET('\U0001f44d\\\\', 'x'))",
            "INSERT INTO emoji VALUES (1, 1, 31, 1), (2, 2, 9, 3), (3, 3, 0, NULL), (4, 4, 2, 1)",
        ),
        ("table emoji",),
    ),
)
